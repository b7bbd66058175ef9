"""What the BPMN adapter takes and gives: the words between `engine.bpmn` and the use cases.

Plain data only. `engine.bpmn` turns files into a `Process`, and a state into the next `Step`;
the use cases write a `Step` down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

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
class OpenTask:
    """A user or manual task that waits. `key` is stable for the life of the task (32 hex digits).

    `properties` are the element's settings with every ``=expression`` already evaluated.
    `data` is the process data the task sees.
    """

    key: str
    element: str
    properties: Mapping[str, Any]
    data: Mapping[str, Any]


@dataclass(frozen=True)
class OpenTimer:
    """A timer that waits. `value` is ``PT1H``, ``P3D``, an ISO date-time or ``limit:<name>``."""

    key: str
    element: str
    value: str


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


@dataclass(frozen=True)
class Step:
    """Where a case stands after one step. `passed` are the flow nodes finished in it, in order."""

    state: bytes
    tasks: tuple[OpenTask, ...]
    timers: tuple[OpenTimer, ...]
    effects: tuple[Effect, ...]
    passed: tuple[str, ...]
    finished: bool
    data: Mapping[str, Any]


class Process(Protocol):
    """A parsed, checked, executable process of one published version. Thread-safe, no I/O."""

    @property
    def elements(self) -> Mapping[str, Element]: ...

    def start(self, data: Mapping[str, Any]) -> Step: ...

    def complete(self, state: bytes, key: str, data: Mapping[str, Any]) -> Step:
        """Finish the open task `key`, merging `data` into the process data.

        Raises TaskNotOpen if it is not open in `state`, ExecutionFailed(element, reason) if the
        process cannot go on, StateUnreadable for a damaged state.
        """
        ...

    def fire(self, state: bytes, key: str) -> Step | None:
        """Fire the waiting timer `key`; None if it no longer waits."""
        ...
