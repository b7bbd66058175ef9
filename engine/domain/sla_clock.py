"""An SLA clock as it stands: what it counts, from when, what is left out, and how it is stored.

The verbs that change it are in `engine.domain.sla`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from engine.domain.calendar import WorkingCalendar
from engine.domain.ledger import VERBS
from engine.domain.limit import Interval, Limit, due, is_provisional, limit_from_mapping
from engine.kernel.errors import ClockVerbRefused

State = Literal["running", "paused", "stopped"]
_FITTING: Mapping[State | None, tuple[str, ...]] = {
    None: ("start",),
    "running": ("reset", "pause", "extend", "stop"),
    "paused": ("reset", "pause", "resume", "extend", "stop"),
    "stopped": ("start",),
}


class Pause(NamedTuple):
    """A pause that is not over."""

    name: str
    since: datetime


@dataclass(frozen=True)
class Cap:
    """How often a clock may be extended, and by how much in total if that is bounded."""

    times: int = 1
    total: Limit | None = None


ONCE = Cap()


@dataclass(frozen=True)
class SlaClock:
    """`received` is the instant the count begins; its day is day zero.

    `excluded` are the pauses that are over: sorted, those that touch made one. `limit_name` is what
    the package calls the limit, and `begun_by` the element of the process that named it. With
    `department` it is counted on the calendar of that department's office.
    """

    limit: Limit
    received: datetime
    due_at: datetime
    state: State = "running"
    extensions: tuple[Limit, ...] = ()
    excluded: tuple[Interval, ...] = ()
    pauses: tuple[Pause, ...] = ()
    provisional: bool = False
    limit_name: str = ""
    begun_by: str = ""
    department: str = ""

    @property
    def paused_since(self) -> datetime | None:
        """When the earliest pause that is not over began."""
        return min((pause.since for pause in self.pauses), default=None)

    def whole_limit(self) -> Limit:
        """The limit with its extensions. Raises ClockVerbRefused where their units differ."""
        limit = self.limit
        for extension in self.extensions:
            limit = limit.plus(extension)
        return limit


def possible(clock: SlaClock | None, cap: Cap = ONCE) -> tuple[str, ...]:
    """The verbs that fit the clock now; None is one that was never started."""
    fitting = _FITTING[clock.state if clock is not None else None]
    if clock is not None and len(clock.extensions) >= cap.times:
        return tuple(verb for verb in fitting if verb != "extend")
    return fitting


def must_fit(verb: str, clock: SlaClock | None) -> None:
    """Raises ClockVerbRefused if `verb` does not fit the clock's state."""
    state = clock.state if clock is not None else None
    if verb in VERBS and verb not in _FITTING[state]:
        raise refused({None: "not_started", "running": "running"}.get(state, state or ""), clock)


def refused(why: str, clock: SlaClock | None, cap: Cap = ONCE, **params: Any) -> ClockVerbRefused:
    return ClockVerbRefused(why=why, possible=possible(clock, cap), **params)


def counted(clock: SlaClock, calendar: WorkingCalendar) -> SlaClock:
    limit = clock.whole_limit()
    due_at = due(limit, clock.received, calendar, clock.excluded)
    provisional = is_provisional(limit, clock.received, due_at, calendar)
    return replace(clock, due_at=due_at, provisional=provisional)


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The intervals in their order, those that touch made one and empty ones left out."""
    made: list[Interval] = []
    for since, until in sorted(each for each in intervals if each.since < each.until):
        if made and since <= made[-1].until:
            made[-1] = Interval(made[-1].since, max(made[-1].until, until))
        else:
            made.append(Interval(since, until))
    return tuple(made)


def over(clock: SlaClock, ended: Iterable[Pause], at: datetime) -> SlaClock:
    """The clock without these pauses; what they left out is excluded."""
    ended = tuple(ended)
    left = tuple(each for each in clock.pauses if each not in ended)
    excluded = merged((*clock.excluded, *(Interval(each.since, at) for each in ended)))
    return replace(clock, state="paused" if left else "running", pauses=left, excluded=excluded)


def clock_as_mapping(clock: SlaClock) -> dict[str, Any]:
    """The JSON-able shape that `clock_from_mapping` reads."""
    return {
        "limit": clock.limit.as_mapping(),
        "received": clock.received.isoformat(),
        "due_at": clock.due_at.isoformat(),
        "state": clock.state,
        "extensions": [limit.as_mapping() for limit in clock.extensions],
        "excluded": [[a.isoformat(), b.isoformat()] for a, b in clock.excluded],
        "pauses": [[name, since.isoformat()] for name, since in clock.pauses],
        "provisional": clock.provisional,
        "limit_name": clock.limit_name,
        "begun_by": clock.begun_by,
        "department": clock.department,
    }


def clock_from_mapping(body: Mapping[str, Any]) -> SlaClock:
    """A clock as it was stored; one of an earlier version has at most one pause, without a name."""
    instant = datetime.fromisoformat
    pauses = body.get("pauses")
    if pauses is None:
        pauses = [["", body["paused_since"]]] if body.get("paused_since") else []
    return SlaClock(
        limit=limit_from_mapping(body["limit"]),
        received=instant(body["received"]),
        due_at=instant(body["due_at"]),
        state=body["state"],
        extensions=tuple(limit_from_mapping(each) for each in body["extensions"]),
        excluded=tuple(Interval(instant(a), instant(b)) for a, b in body["excluded"]),
        pauses=tuple(Pause(name, instant(since)) for name, since in pauses),
        provisional=body["provisional"],
        limit_name=body.get("limit_name", ""),
        begun_by=body.get("begun_by", ""),
        department=body.get("department", ""),
    )
