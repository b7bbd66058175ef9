"""Why a date is what it is: the days or hours a clock counts and those it leaves out, in order.

It is read off the same count that gave the date (`engine.domain.limit`), so the two agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from engine.domain.calendar import ONE_DAY, WorkingCalendar, days_after
from engine.domain.calendar_data import Text
from engine.domain.limit import (
    Interval,
    Limit,
    counted_days,
    counted_time,
    excluded_days,
    in_order,
)
from engine.domain.sla import SlaClock

Kind = Literal["arrived", "day_zero", "counted", "make_up", "weekend", "holiday", "paused", "moved"]
"""`arrived`: before day zero. `make_up`: counted though a weekend. `moved`: the count is complete,
and the date moves on."""


@dataclass(frozen=True)
class Run:
    """Days in a row that count, or do not count, for the same reason.

    `numbers` are the first and last number counted; `hours` how much of each day counts, for
    limits in hours. `name` is the holiday's. Dates that rest on a year without an announcement
    are `provisional`.
    """

    first: date
    last: date
    kind: Kind
    numbers: tuple[int, int] | None = None
    hours: float | None = None
    name: Text = field(default_factory=dict)
    provisional: bool = False


def explain(clock: SlaClock, calendar: WorkingCalendar) -> tuple[Run, ...]:
    """Every day from the day of receipt to the due date, in runs.

    A pause that is still running is not in it, as it is not in the date.
    """
    limit, excluded = clock.whole_limit(), in_order(clock.excluded)
    first, last = calendar.local_date(clock.received), calendar.local_date(clock.due_at)
    days = [first, *days_after(first, last)]
    if limit.unit == "hours":
        each = _by_hours(limit, clock, calendar, excluded, days)
    else:
        each = _by_days(limit, clock, calendar, excluded, days)
    return tuple(_in_runs(each))


def _by_days(
    limit: Limit,
    clock: SlaClock,
    calendar: WorkingCalendar,
    excluded: list[Interval],
    days: list[date],
) -> Iterable[Run]:
    day_zero = calendar.day_zero_of(clock.received)
    left_out = excluded_days(excluded, calendar)
    counted = counted_days(limit, clock.received, calendar, excluded)
    numbers = {day: number for number, day in enumerate(counted, start=1)}
    for day in days:
        if day <= day_zero:
            yield Run(day, day, "day_zero" if day == day_zero else "arrived")
        elif day in numbers:
            made_up = limit.unit == "working_days" and day in calendar.make_up_days
            number = numbers[day]
            yield _said(day, "make_up" if made_up else "counted", calendar, (number, number))
        else:
            yield _said(day, _why_not(day, calendar, left_out), calendar)


def _by_hours(
    limit: Limit,
    clock: SlaClock,
    calendar: WorkingCalendar,
    excluded: list[Interval],
    days: list[date],
) -> Iterable[Run]:
    hours = _hours_of_days(counted_time(limit, clock.received, calendar, excluded), calendar)
    left_out = excluded_days(excluded, calendar)
    for day in days:
        if day in hours:
            made_up = limit.office_hours and day in calendar.make_up_days
            yield replace(
                _said(day, "make_up" if made_up else "counted", calendar), hours=hours[day]
            )
        else:
            yield _said(day, _why_not(day, calendar, left_out), calendar)


def _hours_of_days(
    stretches: Iterable[Interval], calendar: WorkingCalendar
) -> Mapping[date, float]:
    hours: dict[date, float] = defaultdict(float)
    for since, until in stretches:
        at = since
        while at < until:
            day = calendar.local_date(at)
            end = min(until, calendar.end_of(day))
            hours[day] += (end - at) / timedelta(hours=1)
            at = end
    return hours


def _why_not(day: date, calendar: WorkingCalendar, left_out: set[date]) -> Kind:
    if day in calendar.holidays:
        return "holiday"
    if not calendar.is_working_day(day):
        return "weekend"
    return "paused" if day in left_out else "moved"


def _said(
    day: date, kind: Kind, calendar: WorkingCalendar, numbers: tuple[int, int] | None = None
) -> Run:
    return Run(
        day,
        day,
        kind,
        numbers,
        name=calendar.names.get(day, {}) if kind == "holiday" else {},
        provisional=calendar.is_provisional(day),
    )


def _in_runs(days: Iterable[Run]) -> Iterable[Run]:
    run: Run | None = None
    for day in days:
        if run is not None and _goes_on(run, day):
            numbers = (run.numbers[0], day.numbers[1]) if run.numbers and day.numbers else None
            run = replace(run, last=day.last, numbers=numbers)
            continue
        if run is not None:
            yield run
        run = day
    if run is not None:
        yield run


def _goes_on(run: Run, day: Run) -> bool:
    same = (run.kind, run.hours, run.name, run.provisional) == (
        day.kind,
        day.hours,
        day.name,
        day.provisional,
    )
    return same and run.last + ONE_DAY == day.first
