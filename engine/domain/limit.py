"""A limit: how long something may take, on what legal basis, and the instant it ends.

Whole-day limits (working or calendar days) leave out day zero, the day of receipt or the working
day after it where the calendar says so, and run to the end of their last day. That end is written
as 23:59:59 local time, one second before 24:00, so that the due instant and the due date a person
reads name the same day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

from engine.domain.calendar import ONE_DAY, WorkingCalendar, days_after
from engine.kernel.errors import ClockVerbRefused

Unit = Literal["working_days", "calendar_days", "hours"]
UNITS: tuple[Unit, ...] = get_args(Unit)
LONGEST = 10_000
"""The greatest value of a limit, so that a slip of the keyboard cannot make a count endless."""


class Interval(NamedTuple):
    """A stretch of time that is not counted: instants, UTC."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Limit:
    """`value` units. `basis` maps a locale to the name of the rule. Hours are elapsed hours
    unless `office_hours` asks for opening hours only."""

    unit: Unit
    value: int
    basis: Mapping[str, str] = field(default_factory=dict)
    office_hours: bool = False

    def plus(self, other: Limit) -> Limit:
        """Both together, on the basis of this one.

        Raises ClockVerbRefused if they are counted in different units.
        """
        if (other.unit, other.office_hours) != (self.unit, self.office_hours):
            raise ClockVerbRefused(why="unit_differs", unit=self.unit, other=other.unit)
        return replace(self, value=self.value + other.value)

    def as_mapping(self) -> dict[str, Any]:
        """The JSON-able shape that `limit_from_mapping` reads."""
        mapping: dict[str, Any] = {self.unit: self.value, "basis": dict(self.basis)}
        return mapping | ({"office_hours": True} if self.office_hours else {})


def limit_from_mapping(mapping: Mapping[str, Any]) -> Limit:
    """A limit as written in package.toml: exactly one unit, whole and not negative, and `basis`.

    Raises ValueError that says what is wrong.
    """
    known = {*UNITS, "basis", "office_hours"}
    if unknown := sorted(set(mapping) - known):
        raise ValueError(f"a limit has no setting {unknown[0]!r}")
    given: list[Unit] = [unit for unit in UNITS if unit in mapping]
    if len(given) != 1:
        raise ValueError(f"a limit needs exactly one of {', '.join(UNITS)}")
    unit = given[0]
    value = mapping[unit]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LONGEST:
        raise ValueError(f"{unit} must be a whole number from 0 to {LONGEST}")
    office_hours = mapping.get("office_hours", False)
    if not isinstance(office_hours, bool) or (office_hours and unit != "hours"):
        raise ValueError("office_hours is true or false, and belongs to hours only")
    basis = mapping.get("basis", {})
    if not isinstance(basis, Mapping) or not all(isinstance(text, str) for text in basis.values()):
        raise ValueError("basis is a table of texts by locale")
    return Limit(unit, value, dict(basis), office_hours)


def due(
    limit: Limit,
    received: datetime,
    calendar: WorkingCalendar,
    excluded: Iterable[Interval] = (),
) -> datetime:
    """The last instant (UTC) in time, for something received at `received` (aware).

    Days: 23:59:59 local time of the last day; one that would end on a non-working day moves to
    the next working day. Of each excluded interval the day it ends does not count, nor those
    between; the day it begins does, unless the calendar says otherwise. Hours: to the instant.
    What lies in several intervals is left out once. Raises ValueError for a naive time.
    """
    if received.tzinfo is None:
        raise ValueError("a limit needs an aware time")
    excluded = in_order(excluded)
    if limit.unit != "hours":
        last = _last_day(limit, received, calendar, excluded)
        return calendar.end_of(last) - timedelta(seconds=1)
    end = received.astimezone(UTC)
    for stretch in counted_time(limit, received, calendar, excluded):
        end = stretch.until
    return end


def in_order(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals by their beginning, without those that end before it."""
    return sorted(interval for interval in intervals if interval.since < interval.until)


def excluded_days(intervals: Iterable[Interval], calendar: WorkingCalendar) -> set[date]:
    """The days, working or not, that the intervals leave out."""
    early = ONE_DAY if calendar.pause_begins == "same_day" else ONE_DAY * 0
    return {
        day
        for since, until in intervals
        for day in days_after(calendar.local_date(since) - early, calendar.local_date(until))
    }


def is_provisional(
    limit: Limit, received: datetime, due_at: datetime, calendar: WorkingCalendar
) -> bool:
    """Whether the count from `received` to `due_at` rests on a year not announced yet."""
    if limit.unit == "hours" and not limit.office_hours:
        return False
    first, last = calendar.local_date(received), calendar.local_date(due_at)
    return any(calendar.is_provisional(date(y, 1, 1)) for y in range(first.year, last.year + 1))


def counted_days(
    limit: Limit, received: datetime, calendar: WorkingCalendar, excluded: Sequence[Interval]
) -> Iterator[date]:
    """The days that a limit in days counts, in order: the n-th is day n."""
    left_out = excluded_days(excluded, calendar)
    day, remaining = calendar.day_zero_of(received), limit.value
    while remaining:
        day += ONE_DAY
        counts = limit.unit == "calendar_days" or calendar.is_working_day(day)
        if counts and day not in left_out:
            remaining -= 1
            yield day


def counted_time(
    limit: Limit, received: datetime, calendar: WorkingCalendar, excluded: Sequence[Interval]
) -> Iterator[Interval]:
    """The stretches of time that a limit in hours counts, in order, until it is used up."""
    start, remaining = received.astimezone(UTC), timedelta(hours=limit.value)
    if not remaining:
        return
    periods: Iterable[tuple[datetime, datetime]] = (
        calendar.office_periods(start)
        if limit.office_hours
        else [(start, datetime.max.replace(tzinfo=UTC))]
    )
    for opens, closes in periods:
        for since, until in _without(max(opens, start), closes, excluded):
            if until - since >= remaining:
                yield Interval(since, since + remaining)
                return
            remaining -= until - since
            if since < until:
                yield Interval(since, until)
    raise OverflowError("the limit ends after the last representable instant")


def _last_day(
    limit: Limit, received: datetime, calendar: WorkingCalendar, excluded: Sequence[Interval]
) -> date:
    day = calendar.day_zero_of(received)
    for counted in counted_days(limit, received, calendar, excluded):
        day = counted
    day = calendar.next_working_day(day)
    for since, until in excluded:
        end = calendar.local_date(until)
        # The count is complete on the day an interval begins: whoever pauses on the last day is
        # in time, so nothing may be late on the day the pause ends.
        if calendar.local_date(since) <= day < end:
            day = calendar.next_working_day(end)
    return day


def _without(
    since: datetime, until: datetime, excluded: Sequence[Interval]
) -> Iterator[tuple[datetime, datetime]]:
    """What is left of [since, until) without the excluded intervals, which are in order."""
    for interval in excluded:
        if interval.since > since:
            yield since, min(interval.since, until)
        since = max(since, interval.until)
        if since >= until:
            return
    yield since, until
