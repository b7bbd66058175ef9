"""What came of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FINISHED, WAITING, LIMIT, FAILED = "finished", "waiting", "limit", "failed"
EXIT_CODES = {FINISHED: 0, WAITING: 3, LIMIT: 4, FAILED: 5}


@dataclass(frozen=True)
class Entry:
    """One line of the trace. `case` numbers the processes that run together, from 1."""

    at: datetime
    case: int
    process: str
    element: str
    name: str
    kind: str
    event: str


@dataclass(frozen=True)
class Waiting:
    """Something nobody gives: a ``task``, ``job``, ``message``, ``signal`` or ``condition``."""

    element: str
    kind: str
    name: str


@dataclass
class Outcome:
    """`reason` is finished, waiting, limit or failed; `error` says what failed and where."""

    reason: str = FINISHED
    trace: list[Entry] = field(default_factory=list)
    data: Mapping[str, Any] = field(default_factory=dict)
    ended_at: list[str] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    error: dict[str, Any] | None = None
    now: datetime | None = None

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.reason]
