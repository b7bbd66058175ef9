"""When the rungs of a ladder are reached: instants, for a clock as it stands.

Rungs before and after the date come when the office opens on their day, ``0`` when the limit has
ended; half and percentages on the day on which so much of the limit is used up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from engine.domain.calendar import ONE_DAY, WorkingCalendar
from engine.domain.clock_terms import Rung
from engine.domain.limit import due
from engine.domain.sla_clock import SlaClock

END = "end"
"""Where silence is reached: the last instant in time, so that no day more is left out."""
PASSED = timedelta(seconds=1)
"""How long after its due instant a limit has ended: whole days end at 23:59:59."""


@dataclass(frozen=True)
class Climb:
    """The rungs reached, each with its instant and the last one last, and when the next is."""

    reached: tuple[tuple[datetime, Rung], ...]
    next_at: datetime | None


def climb(
    ladder: Iterable[Rung],
    clock: SlaClock,
    calendar: WorkingCalendar,
    after: datetime | None,
    now: datetime,
) -> Climb:
    """What was reached after `after` and up to `now`.

    A paused or stopped clock reaches nothing. Rungs that would lie before the count began do not
    count: a limit of two days has no third day before its end.
    """
    if clock.state != "running":
        return Climb((), None)
    instants = [(rung_at(rung, clock, calendar), rung) for rung in ladder]
    ahead = sorted(
        (
            (at, rung)
            for at, rung in instants
            if at > clock.received and (after is None or at > after)
        ),
        key=lambda each: each[0],
    )
    reached = tuple((at, rung) for at, rung in ahead if at <= now)
    return Climb(reached, min((at for at, _ in ahead if at > now), default=None))


def rung_at(rung: Rung, clock: SlaClock, calendar: WorkingCalendar) -> datetime:
    """The instant (UTC) at which the rung is reached if the clock goes on as it stands."""
    if rung.at == END:
        return clock.due_at
    if rung.at == "0":
        return clock.due_at + PASSED
    if rung.at.endswith("wd"):
        day = _working_days_from(calendar.local_date(clock.due_at), int(rung.at[:-2]), calendar)
        return _opening(day, calendar)
    percent = 50 if rung.at == "half" else int(rung.at[:-1])
    whole = clock.whole_limit()
    part = replace(whole, value=-(-whole.value * percent // 100))
    at = due(part, clock.received, calendar, clock.excluded)
    return at if whole.unit == "hours" else _opening(calendar.local_date(at), calendar)


def _working_days_from(day: date, count: int, calendar: WorkingCalendar) -> date:
    if count > 0:
        return calendar.add_working_days(day, count)
    for _ in range(-count):
        day -= ONE_DAY
        while not calendar.is_working_day(day):
            day -= ONE_DAY
    return day


def _opening(day: date, calendar: WorkingCalendar) -> datetime:
    """When the office opens on `day`; its midnight where the calendar has no office hours."""
    midnight = calendar.end_of(day - ONE_DAY)
    if not calendar.office_hours:
        return midnight
    return max(midnight, next(calendar.office_periods(midnight))[0])
