"""A process as it will be run: plain, immutable, read once and shared by all its cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.bpmn.languages import Expression

TASKS = frozenset(
    {
        "task",
        "userTask",
        "manualTask",
        "sendTask",
        "receiveTask",
        "serviceTask",
        "scriptTask",
        "businessRuleTask",
    }
)
SUBPROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
ACTIVITIES = TASKS | SUBPROCESSES | {"callActivity"}
GATEWAYS = frozenset(
    {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
)
EVENTS = frozenset(
    {
        "startEvent",
        "endEvent",
        "boundaryEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
    }
)
FLOW_NODES = ACTIVITIES | GATEWAYS | EVENTS
FOR_PEOPLE = frozenset({"userTask", "manualTask"})


@dataclass(frozen=True)
class Assignment:
    """`target` is set to the value of `source`; an empty target means the source's own name."""

    target: str
    source: Expression


@dataclass(frozen=True)
class EventSpec:
    """One event definition.

    `kind` is message, signal, timer, error, escalation, conditional, link, compensation, cancel or
    terminate. `name` is the message, signal or link name, the error or escalation code (None
    catches any), or the compensated activity's id. `value` is a timer's text or a condition;
    `correlation` gives the key a message must carry. `saves_as` names the variables that receive a
    caught error's code and message, or an escalation's code.
    """

    kind: str
    name: str | Expression | None = None
    value: Expression | None = None
    timer: str = ""
    correlation: Expression | None = None
    saves_as: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True)
class Flow:
    id: str
    source: str
    target: str
    condition: Expression | None = None


@dataclass(frozen=True)
class Loop:
    """How often an activity is done: ``parallel`` or ``sequential`` for each, or ``standard``.

    `first` is the number of the first round (0, or 1 where the dialect counts from 1). Events of
    `behavior` One and None are thrown after the first or each finished instance. Scripts before and
    after the activity run once, or with `scripts_inside` in each round.
    """

    kind: str
    cardinality: Expression | None = None
    collection: Expression | None = None
    item: str | None = None
    output: str | None = None
    output_item: Expression | None = None
    condition: Expression | None = None
    test_before: bool = False
    maximum: int | None = None
    behavior: str = "All"
    throws: EventSpec | None = None
    complex_throws: tuple[tuple[Expression, EventSpec], ...] = ()
    first: int = 0
    scripts_inside: bool = False


@dataclass(frozen=True)
class Node:
    """A flow node. `flows` leave it in file order; `incoming` are the ids of those that enter."""

    id: str
    kind: str
    scope: str
    events: tuple[EventSpec, ...] = ()
    parallel_multiple: bool = False
    interrupting: bool = True
    attached_to: str | None = None
    boundaries: tuple[str, ...] = ()
    flows: tuple[Flow, ...] = ()
    incoming: tuple[str, ...] = ()
    default: str | None = None
    loop: Loop | None = None
    inputs: tuple[Assignment, ...] = ()
    outputs: tuple[Assignment, ...] = ()
    shares_all: bool = True
    """Whether what is not mapped passes between this activity and the case as well."""
    handler: str | None = None
    """The activity that compensates this one."""
    for_compensation: bool = False
    start_quantity: int = 1
    completion_quantity: int = 1
    """How many tokens an activity waits for, and how many it sends on."""
    called: str | Expression | None = None
    decision: str | None = None
    script: Expression | None = None
    before: Expression | None = None
    after: Expression | None = None
    """Scripts of SpiffArena before and after the activity."""
    result: str | None = None
    topic: str | Expression | None = None
    retries: int = 3
    value: Expression | None = None
    """What a service task works out by itself, for `result`."""

    @property
    def event(self) -> EventSpec | None:
        return self.events[0] if self.events else None

    def is_catching(self, kind: str) -> bool:
        return any(event.kind == kind for event in self.events)


@dataclass(frozen=True)
class Scope:
    """A process or subprocess: what is inside it.

    `starts` are entered when it begins (start events without trigger, or without any start event
    the nodes nothing leads to); `triggered` are start events with a trigger; `event_subprocesses`
    are the ids of its event subprocesses.
    """

    id: str
    kind: str
    nodes: Mapping[str, Node] = field(default_factory=dict)
    starts: tuple[str, ...] = ()
    triggered: tuple[str, ...] = ()
    event_subprocesses: tuple[str, ...] = ()
    condition: Expression | None = None
    sequential: bool = False
    cancels_rest: bool = True
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    """The subprocesses directly inside, by the id of their node."""


@dataclass(frozen=True)
class ProcessModel:
    id: str
    name: str
    file: str
    executable: bool
    root: Scope
    scopes: Mapping[str, Scope]
    """Every scope of the process by its id, the root too."""
    version_tag: str | None = None
