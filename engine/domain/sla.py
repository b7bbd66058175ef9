"""The SLA clock: verbs that change a date, each giving a line for the ledger.

A clock counts one limit: the law's, the office's promise, a stage's, a department's or a task's.
`start`, `reset`, `pause`, `resume`, `extend` and `stop` take a clock and give the next one with its
`LedgerLine`; nothing is changed in place and nobody asks what time it is. A verb that does not fit
raises ClockVerbRefused, which says what is `possible` now.

A pause has a name, and several may be open at once; what lies in several is left out once. While a
clock is paused its due date is the one without the open pauses: they are not over, so what they
leave out is not known yet, and nothing may be called late meanwhile.

Source of the rules: Regulation on Open Government Information (2019), articles 30 and 33;
Administrative Licensing Law, articles 42 and 45; for the United Kingdom the Freedom of
Information Act 2000, section 10.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.domain.calendar import WorkingCalendar
from engine.domain.ledger import LedgerLine, Verb
from engine.domain.limit import Interval, Limit, excluded_days
from engine.domain.sla_clock import (
    ONCE,
    Cap,
    Pause,
    SlaClock,
    clock_as_mapping,
    clock_from_mapping,
    counted,
    must_fit,
    over,
    possible,
    refused,
)

__all__ = [
    "ONCE",
    "Cap",
    "Pause",
    "SlaClock",
    "clock_as_mapping",
    "clock_from_mapping",
    "extend",
    "must_fit",
    "pause",
    "possible",
    "recount",
    "reset",
    "resume",
    "start",
    "stop",
]


def start(
    limit: Limit,
    at: datetime,
    calendar: WorkingCalendar,
    reason: str = "",
    *,
    received: datetime | None = None,
    limit_name: str = "",
    begun_by: str = "",
    department: str = "",
) -> tuple[SlaClock, LedgerLine]:
    """Begin to count `limit` from the day of `received`, by default of `at`, which is day zero."""
    begin = received or at
    begun = SlaClock(
        limit, begin, begin, limit_name=limit_name, begun_by=begun_by, department=department
    )
    clock = counted(begun, calendar)
    line = LedgerLine(
        "start",
        at,
        _days(limit),
        limit.basis,
        reason,
        None,
        clock.due_at,
        limit=limit,
        limit_name=limit_name,
        begun_by=begun_by,
        department=department,
        received=begin,
        provisional=clock.provisional,
    )
    return clock, line


def reset(
    before: SlaClock,
    limit: Limit,
    at: datetime,
    calendar: WorkingCalendar,
    reason: str = "",
    *,
    limit_name: str = "",
    begun_by: str = "",
) -> tuple[SlaClock, LedgerLine]:
    """Begin again from the day of `at`; earlier pauses and extensions no longer matter."""
    must_fit("reset", before)
    clock, line = start(
        limit, at, calendar, reason,
        limit_name=limit_name, begun_by=begun_by, department=before.department,
    )  # fmt: skip
    return clock, replace(line, verb="reset", previous_due=before.due_at)


def pause(
    clock: SlaClock, at: datetime, reason: str = "", name: str = ""
) -> tuple[SlaClock, LedgerLine]:
    """Stop counting from `at` on, for a reason that has a name.

    Raises ClockVerbRefused when a pause of that name is not over.
    """
    must_fit("pause", clock)
    if any(each.name == name for each in clock.pauses):
        raise refused("paused_before", clock, pause=name)
    paused = replace(clock, state="paused", pauses=tuple(sorted((*clock.pauses, Pause(name, at)))))
    return paused, replace(_line("pause", at, clock, paused, None, reason), pause=name)


def resume(
    clock: SlaClock, at: datetime, calendar: WorkingCalendar, reason: str = "", name: str = ""
) -> tuple[SlaClock, LedgerLine]:
    """End the pause `name` at `at`; the clock counts again if no other is open.

    The day a pause begins still counts (unless the calendar says otherwise), the day it ends does
    not. Raises ClockVerbRefused when there is no such pause, or it would end before it began.
    """
    must_fit("resume", clock)
    ended = next((each for each in clock.pauses if each.name == name), None)
    if ended is None:
        raise refused("no_such_pause", clock, pause=name)
    if at < ended.since:
        raise refused("ends_before_it_begins", clock, pause=name)
    after = counted(over(clock, [ended], at), calendar)
    days = sum(
        calendar.is_working_day(day) for day in excluded_days([Interval(ended.since, at)], calendar)
    )
    line = _line("resume", at, clock, after, days, reason)
    return after, replace(line, pause=name, since=ended.since)


def extend(
    clock: SlaClock,
    by: Limit,
    at: datetime,
    calendar: WorkingCalendar,
    reason: str = "",
    cap: Cap = ONCE,
) -> tuple[SlaClock, LedgerLine]:
    """Lengthen the limit.

    Raises ClockVerbRefused for more or longer extensions than `cap` allows, or another unit.
    """
    must_fit("extend", clock)
    if len(clock.extensions) >= cap.times:
        raise refused("extended_before", clock, cap, times=cap.times)
    longer = replace(clock, extensions=(*clock.extensions, by))
    if cap.total is not None:
        total = sum(each.value for each in longer.extensions)
        if by.unit != cap.total.unit or total > cap.total.value:
            raise refused("extended_too_long", clock, cap, most=cap.total.value)
    after = counted(longer, calendar)
    line = _line("extend", at, clock, after, _days(by), reason)
    return after, replace(line, basis=by.basis, limit=by)


def stop(
    clock: SlaClock, at: datetime, calendar: WorkingCalendar, reason: str = ""
) -> tuple[SlaClock, LedgerLine]:
    """End the count; the due date stays for comparison. Pauses that are open end with it."""
    must_fit("stop", clock)
    ended = counted(over(clock, clock.pauses, at), calendar) if clock.pauses else clock
    stopped = replace(ended, state="stopped")
    return stopped, _line("stop", at, clock, stopped, None, reason)


def recount(
    clock: SlaClock,
    at: datetime,
    calendar: WorkingCalendar,
    reason: str = "",
    *,
    limit: Limit | None = None,
    limit_name: str = "",
    received: datetime | None = None,
) -> tuple[SlaClock, LedgerLine | None]:
    """Count again: on a calendar announced since, for another limit, or from another receipt.

    Extensions and pauses stay. A line only if something changed; a stopped clock keeps its date.
    """
    if clock.state == "stopped":
        return clock, None
    changed = replace(
        clock,
        limit=limit or clock.limit,
        limit_name=limit_name or clock.limit_name,
        received=received or clock.received,
    )
    after = counted(changed, calendar)
    if after == clock:
        return clock, None
    line = _line("recount", at, clock, after, _days(after.whole_limit()), reason)
    return after, replace(
        line,
        basis=after.limit.basis,
        limit=after.limit if after.limit != clock.limit else None,
        limit_name=after.limit_name if after.limit_name != clock.limit_name else "",
        received=after.received if after.received != clock.received else None,
    )


def _line(
    verb: Verb, at: datetime, before: SlaClock, after: SlaClock, days: int | None, reason: str
) -> LedgerLine:
    return LedgerLine(
        verb,
        at,
        days,
        before.limit.basis,
        reason,
        before.due_at,
        after.due_at,
        provisional=after.provisional,
    )


def _days(limit: Limit) -> int | None:
    return limit.value if limit.unit == "working_days" else None
