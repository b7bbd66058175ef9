"""The SLA clock: verbs that change a date, each giving a line for the ledger.

A clock counts one limit of a case, the law's or the office's promise. `start`, `reset`, `pause`,
`resume`, `extend` and `stop` take a clock and give the next one with its `LedgerLine`; nothing is
changed in place and nobody asks what time it is.

While a clock is paused its due date is the one without this pause: the pause is not over, so what
it leaves out is not known yet, and nothing may be called late meanwhile.

Source of the rules: Regulation on Open Government Information (2019), articles 30 and 33;
Administrative Licensing Law, articles 42 and 45; for the United Kingdom the Freedom of
Information Act 2000, section 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from engine.domain.calendar import WorkingCalendar
from engine.domain.limit import (
    Interval,
    Limit,
    due,
    excluded_days,
    is_provisional,
    limit_from_mapping,
)
from engine.kernel.errors import ClockVerbRefused

State = Literal["running", "paused", "stopped"]
Verb = Literal["start", "reset", "pause", "resume", "extend", "stop", "recount"]


@dataclass(frozen=True)
class LedgerLine:
    """What was done to a clock. `working_days` are those given or left out; dues are instants."""

    verb: Verb
    at: datetime
    working_days: int | None
    basis: Mapping[str, str]
    reason: str
    previous_due: datetime | None
    new_due: datetime | None
    since: datetime | None = None
    """For `resume`: when the pause began."""

    def as_mapping(self) -> dict[str, Any]:
        """JSON-able, for the ledger's row."""
        return {
            "working_days": self.working_days,
            "basis": dict(self.basis),
            "reason": self.reason,
            "previous_due": self.previous_due.isoformat() if self.previous_due else None,
            "new_due": self.new_due.isoformat() if self.new_due else None,
            "since": self.since.isoformat() if self.since else None,
        }


@dataclass(frozen=True)
class SlaClock:
    """`received` is the instant the count begins; its day is day zero."""

    limit: Limit
    received: datetime
    due_at: datetime
    state: State = "running"
    extensions: tuple[Limit, ...] = ()
    excluded: tuple[Interval, ...] = ()
    paused_since: datetime | None = None
    provisional: bool = False

    def whole_limit(self) -> Limit:
        """The limit with its extensions."""
        limit = self.limit
        for extension in self.extensions:
            limit = limit.plus(extension)
        return limit


def _counted(clock: SlaClock, calendar: WorkingCalendar) -> SlaClock:
    limit = clock.whole_limit()
    due_at = due(limit, clock.received, calendar, clock.excluded)
    provisional = is_provisional(limit, clock.received, due_at, calendar)
    return replace(clock, due_at=due_at, provisional=provisional)


def start(
    limit: Limit, at: datetime, calendar: WorkingCalendar, reason: str = ""
) -> tuple[SlaClock, LedgerLine]:
    """Begin to count `limit` from the day of `at`, which is day zero."""
    clock = _counted(SlaClock(limit, at, at), calendar)
    return clock, LedgerLine("start", at, _days(limit), limit.basis, reason, None, clock.due_at)


def reset(
    before: SlaClock, limit: Limit, at: datetime, calendar: WorkingCalendar, reason: str = ""
) -> tuple[SlaClock, LedgerLine]:
    """Begin again from the day of `at`; earlier pauses and extensions no longer matter."""
    _refuse_stopped(before)
    clock, line = start(limit, at, calendar, reason)
    return clock, replace(line, verb="reset", previous_due=before.due_at)


def pause(clock: SlaClock, at: datetime, reason: str = "") -> tuple[SlaClock, LedgerLine]:
    """Stop counting from `at` on. A clock that is paused already stays paused since then."""
    _refuse_stopped(clock)
    line = LedgerLine("pause", at, None, clock.limit.basis, reason, clock.due_at, clock.due_at)
    if clock.state == "paused":
        return clock, line
    return replace(clock, state="paused", paused_since=at), line


def resume(
    clock: SlaClock, at: datetime, calendar: WorkingCalendar, reason: str = ""
) -> tuple[SlaClock, LedgerLine]:
    """Count again from `at`; what lies between is left out of the count, overlaps once.

    The day a pause begins still counts (unless the calendar says otherwise), the day it ends does
    not. Raises ClockVerbRefused when the clock is not paused, or would be resumed before it was
    paused.
    """
    if clock.state != "paused" or clock.paused_since is None:
        raise ClockVerbRefused(why="not_paused")
    if at < clock.paused_since:
        raise ClockVerbRefused(why="ends_before_it_begins")
    interval = Interval(clock.paused_since, at)
    running = replace(
        clock, state="running", paused_since=None, excluded=(*clock.excluded, interval)
    )
    counted = _counted(running, calendar)
    days = sum(calendar.is_working_day(day) for day in excluded_days([interval], calendar))
    return counted, LedgerLine(
        "resume",
        at,
        days,
        clock.limit.basis,
        reason,
        clock.due_at,
        counted.due_at,
        since=interval.since,
    )


def extend(
    clock: SlaClock, by: Limit, at: datetime, calendar: WorkingCalendar, reason: str = ""
) -> tuple[SlaClock, LedgerLine]:
    """Lengthen the limit, once. Raises ClockVerbRefused for a second time or another unit."""
    _refuse_stopped(clock)
    if clock.extensions:
        raise ClockVerbRefused(why="extended_before")
    counted = _counted(replace(clock, extensions=(by,)), calendar)
    line = LedgerLine("extend", at, _days(by), by.basis, reason, clock.due_at, counted.due_at)
    return counted, line


def stop(
    clock: SlaClock, at: datetime, calendar: WorkingCalendar, reason: str = ""
) -> tuple[SlaClock, LedgerLine]:
    """End the count; the due date stays for comparison. A running pause ends with it."""
    if clock.state == "paused":
        clock, _ = resume(clock, at, calendar)
    line = LedgerLine("stop", at, None, clock.limit.basis, reason, clock.due_at, clock.due_at)
    return replace(clock, state="stopped"), line


def recount(
    clock: SlaClock, at: datetime, calendar: WorkingCalendar, reason: str = ""
) -> tuple[SlaClock, LedgerLine | None]:
    """Count again on a calendar announced since; a line only if the date or its standing changed.

    A stopped clock keeps its date.
    """
    counted = clock if clock.state == "stopped" else _counted(clock, calendar)
    if counted == clock:
        return clock, None
    limit = clock.whole_limit()
    line = LedgerLine(
        "recount", at, _days(limit), limit.basis, reason, clock.due_at, counted.due_at
    )
    return counted, line


def clock_as_mapping(clock: SlaClock) -> dict[str, Any]:
    """The JSON-able shape that `clock_from_mapping` reads."""
    return {
        "limit": clock.limit.as_mapping(),
        "received": clock.received.isoformat(),
        "due_at": clock.due_at.isoformat(),
        "state": clock.state,
        "extensions": [limit.as_mapping() for limit in clock.extensions],
        "excluded": [[a.isoformat(), b.isoformat()] for a, b in clock.excluded],
        "paused_since": clock.paused_since.isoformat() if clock.paused_since else None,
        "provisional": clock.provisional,
    }


def clock_from_mapping(body: Mapping[str, Any]) -> SlaClock:
    """A clock as it was stored."""
    instant = datetime.fromisoformat
    return SlaClock(
        limit=limit_from_mapping(body["limit"]),
        received=instant(body["received"]),
        due_at=instant(body["due_at"]),
        state=body["state"],
        extensions=tuple(limit_from_mapping(each) for each in body["extensions"]),
        excluded=tuple(Interval(instant(a), instant(b)) for a, b in body["excluded"]),
        paused_since=instant(body["paused_since"]) if body["paused_since"] else None,
        provisional=body["provisional"],
    )


def _refuse_stopped(clock: SlaClock) -> None:
    if clock.state == "stopped":
        raise ClockVerbRefused(why="stopped")


def _days(limit: Limit) -> int | None:
    return limit.value if limit.unit == "working_days" else None
