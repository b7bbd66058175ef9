"""What the BPMN adapter takes and gives: the words between `engine.bpmn` and the use cases.

Plain data only. `engine.bpmn` turns files into a `Process`, and a state into the next `Step`;
the use cases write a `Step` down.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a package: where, and a code whose words live in the catalogues."""

    code: str
    file: str
    element: str | None = None
    line: int | None = None
    severity: Severity = "error"
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Element:
    """One flow node of the diagram. `kind` is the BPMN local name, e.g. ``userTask``."""

    id: str
    kind: str
    name: str
    file: str
    line: int
    properties: Mapping[str, str]
    lane: str | None = None


@dataclass(frozen=True)
class Way:
    """Where a flow node leads: the nodes its flows enter, a subprocess to its own first ones.

    `edges` are the events on its boundary; `timer` is the text of the timer it waits for, and
    `attached_to` the activity whose boundary it is on.
    """

    next: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    timer: str | None = None
    attached_to: str | None = None


@dataclass(frozen=True)
class FormField:
    """A field of a form drawn inside the model. `kind` is string, long, boolean, date or enum."""

    name: str
    kind: str
    default: str | None = None
    choices: tuple[str, ...] = ()


class OpenTask(NamedTuple):
    """A user or manual task that waits. `key` is stable for the life of the task (32 hex digits).

    `properties` are the element's settings; an ``=expression`` is evaluated when it is first looked
    at, and may then raise ExecutionFailed.
    `data` is the process data the task sees.
    """

    key: str
    element: str
    properties: Mapping[str, Any]
    data: Mapping[str, Any]


class OpenTimer(NamedTuple):
    """A timer that waits. `value` is a duration, instant, cycle, cron line or ``limit:<name>``.

    Each time a cycle fires its next occurrence is a timer with a new key.
    """

    key: str
    element: str
    value: str


@dataclass(frozen=True)
class OpenSubscription:
    """A ``message`` or ``signal`` that is waited for; a message must carry `correlation`."""

    key: str
    element: str
    kind: str
    name: str
    correlation: str | None = None


@dataclass(frozen=True)
class OpenJob:
    """Work of `topic` that a job worker does and reports. `properties` as in `OpenTask`."""

    key: str
    element: str
    topic: str
    retries: int
    properties: Mapping[str, Any]
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Thrown:
    """A ``message`` or ``signal`` the process has thrown, for others to catch."""

    kind: str
    element: str
    name: str
    correlation: str | None
    data: Mapping[str, Any]


class Traced(NamedTuple):
    """One thing that happened: entered, completed, cancelled, thrown or caught."""

    event: str
    element: str
    kind: str


@dataclass(frozen=True)
class Effect:
    """Something a service or send task (or a `stage` setting) asked for, in order of execution.

    `action` is e.g. ``clock.start``, ``letter.send``, ``case.decide``, ``recommend``, ``stage``.
    `properties` are evaluated like those of `OpenTask`; `data` is what the element saw.
    """

    element: str
    action: str
    properties: Mapping[str, Any]
    data: Mapping[str, Any]


class Waits(NamedTuple):
    """The keys of what a case waits for, by kind."""

    tasks: frozenset[str] = frozenset()
    timers: frozenset[str] = frozenset()
    subscriptions: frozenset[str] = frozenset()
    jobs: frozenset[str] = frozenset()

    def without(self, others: Waits) -> Waits:
        """The keys that are not among `others`."""
        return Waits(
            self.tasks - others.tasks,
            self.timers - others.timers,
            self.subscriptions - others.subscriptions,
            self.jobs - others.jobs,
        )

    def __bool__(self) -> bool:
        return bool(self.tasks or self.timers or self.subscriptions or self.jobs)


NOTHING = Waits()


class Step(NamedTuple):
    """Where a case stands after one step. `passed` are the flow nodes finished in it, in order.

    `tasks`, `timers`, `subscriptions` and `jobs` are all that is waited for; `opened` are the keys
    of those that were not before the step, `closed` of those that no longer are.
    """

    state: bytes
    tasks: tuple[OpenTask, ...]
    timers: tuple[OpenTimer, ...]
    effects: tuple[Effect, ...]
    passed: tuple[str, ...]
    finished: bool
    data: Mapping[str, Any]
    subscriptions: tuple[OpenSubscription, ...] = ()
    jobs: tuple[OpenJob, ...] = ()
    thrown: tuple[Thrown, ...] = ()
    trace: tuple[Traced, ...] = ()
    ended_at: tuple[str, ...] = ()
    opened: Waits = NOTHING
    closed: Waits = NOTHING


@dataclass(frozen=True)
class StartTrigger:
    """How a process begins by itself: the timer, message or signal of a start event."""

    element: str
    kind: str
    name: str


@dataclass(frozen=True)
class Ruling:
    """What a decision gave, by output; `rule` is the number, from 1, of the rule that gave it, and
    `description` that rule's own words."""

    outputs: Mapping[str, Any]
    rule: int | None = None
    description: str = ""


@dataclass(frozen=True)
class DecisionFacts:
    """What can be said of a decision table beforehand: its outputs, each with the values that
    are written out in its rules. `several` if its result is a list."""

    outputs: Mapping[str, frozenset[str]]
    several: bool = False


@dataclass(frozen=True)
class Seen:
    """The process data that an activity sees, and the part of it that is the activity's own."""

    data: Mapping[str, Any]
    own: Mapping[str, Any]


class Process(Protocol):
    """A parsed, checked, executable process of one published version. Thread-safe, no I/O.

    Every verb takes a state and gives the next step, or raises and leaves the state as it was:
    ExecutionFailed(element, reason) if the process cannot go on, StateUnreadable for a damaged
    state.
    """

    @property
    def elements(self) -> Mapping[str, Element]: ...

    @property
    def ways(self) -> Mapping[str, Way]:
        """Where each flow node leads, over all scopes of the process."""
        ...

    @property
    def triggers(self) -> tuple[StartTrigger, ...]: ...

    def decision_facts(self, decision: str) -> DecisionFacts | None:
        """What is known of the package's decision; None if there is none of that id."""
        ...

    def rule(self, decision: str, data: Mapping[str, Any], element: str) -> Ruling:
        """What the package's decision says over `data`.

        Raises ExecutionFailed, at `element`, if there is none or no rule fits.
        """
        ...

    def setting(self, element: str, name: str, data: Mapping[str, Any]) -> Any:
        """What the element's setting is with `data`; None if it has none.

        Raises ExecutionFailed for an expression that cannot be worked out.
        """
        ...

    def waits(self, state: bytes) -> Waits:
        """What a case in this state waits for. Raises StateUnreadable."""
        ...

    @property
    def version_tag(self) -> str | None:
        """What the designer calls this version, if anything."""
        ...

    def start(self, data: Mapping[str, Any], at: str | None = None) -> Step:
        """Begin with `data`, at the start event `at` or at those without a trigger."""
        ...

    def complete(
        self,
        state: bytes,
        key: str,
        data: Mapping[str, Any],
        skip: Collection[str] = (),
        own: Mapping[str, Any] | None = None,
    ) -> Step:
        """Finish the open task or job `key`, merging `data` into the process data.

        Activities named in `skip` pass without being done. Only the output mappings of the
        activity see `own`. Raises TaskNotOpen if `key` is not open in `state`.
        """
        ...

    def seen_by(self, state: bytes, key: str) -> Seen:
        """The data that the open task or job `key` sees now. Raises TaskNotOpen."""
        ...

    def fire(
        self,
        state: bytes,
        key: str,
        data: Mapping[str, Any] | None = None,
        skip: Collection[str] = (),
    ) -> Step | None:
        """Let the timer, message or signal `key` happen; None if it is no longer waited for."""
        ...

    def signal(self, state: bytes, name: str, data: Mapping[str, Any]) -> Step | None:
        """Let the signal `name` reach all that wait for it; None if nothing does."""
        ...

    def fail(
        self,
        state: bytes,
        key: str,
        code: str,
        message: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> Step:
        """The open task or job `key` ends with the BPMN error `code`, once `data` is merged.

        Raises TaskNotOpen; ExecutionFailed if nothing catches the error.
        """
        ...

    def escalate(self, state: bytes, key: str, code: str) -> Step:
        """The open task or job `key` raises the escalation `code`. Raises TaskNotOpen."""
        ...

    def skip(self, state: bytes, key: str) -> Step:
        """Go on behind whatever waits as `key`, without doing it. Raises TaskNotOpen."""
        ...

    def move(self, state: bytes, key: str, element: str) -> Step:
        """End what waits as `key` and begin `element` of the same scope instead.

        Raises TaskNotOpen; ExecutionFailed if `element` is not in that scope.
        """
        ...

    def holds(self, element: str) -> bool:
        """Whether the element is the process's own, not one in a subprocess."""
        ...

    def begin_at(self, state: bytes, element: str) -> Step:
        """End all that waits, and begin `element` of the process itself instead.

        Raises ExecutionFailed if it is in a subprocess or there is none.
        """
        ...

    def correct(self, state: bytes, data: Mapping[str, Any]) -> Step:
        """Set process data, and go on where a condition or join now lets it."""
        ...

    def migrate(self, state: bytes, source: Process, mapping: Mapping[str, str]) -> Migrated:
        """What becomes of a state of the older version `source` under this one."""
        ...


@dataclass(frozen=True)
class Place:
    """One place a case stands at, and where migration takes it; `target` None is a refusal."""

    element: str
    target: str | None
    reason: str | None = None


@dataclass(frozen=True)
class Migrated:
    """The state under the new version, or None if any place refuses."""

    places: tuple[Place, ...]
    step: Step | None
