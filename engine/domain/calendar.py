"""The working calendar: which days count, and where a count of days ends.

Monday to Friday are working days, less the announced holidays, plus the announced make-up days.
A year without an announcement counts plain Mondays to Fridays, and its dates are provisional.
Holidays and make-up days are data (`engine.domain.calendar_data`), never code. A calendar may
extend another: an office adds days of its own, closed or open, to those of its jurisdiction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from engine.domain.calendar_data import (
    CalendarData,
    DayZero,
    PauseBegins,
    Text,
    read_calendar,
    shipped_calendar,
)

ONE_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class WorkingCalendar:
    """The working days of one jurisdiction or office. Days are local dates in `zone`."""

    name: str
    zone: ZoneInfo
    announced: frozenset[int]
    holidays: frozenset[date]
    make_up_days: frozenset[date]
    office_hours: tuple[tuple[time, time], ...] = ()
    day_zero: DayZero = "day_of_receipt"
    pause_begins: PauseBegins = "next_day"
    names: Mapping[date, Text] = field(default_factory=dict, compare=False)
    """What the holidays are called, by day and locale."""

    def is_working_day(self, day: date) -> bool:
        """Whether `day` counts as a working day."""
        if day in self.make_up_days:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def is_provisional(self, day: date) -> bool:
        """Whether the holidays of the year of `day` have not been announced yet."""
        return day.year not in self.announced

    def add_working_days(self, day0: date, n: int) -> date:
        """The n-th working day after `day0`. Day zero, the day of receipt, is not counted.

        `n` = 0 gives `day0` itself. Raises ValueError for a negative `n`.
        """
        if n < 0:
            raise ValueError("working days are counted forwards")
        day = day0
        while n:
            day += ONE_DAY
            n -= self.is_working_day(day)
        return day

    def working_days_between(self, a: date, b: date) -> int:
        """How many working days lie after `a`, up to and including `b`; 0 if `b` <= `a`."""
        return sum(self.is_working_day(day) for day in days_after(a, b))

    def next_working_day(self, day: date) -> date:
        """`day` itself if it is a working day, otherwise the first one after it."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def local_date(self, at: datetime) -> date:
        """The office's date at the instant `at`. Raises ValueError for a naive time."""
        if at.tzinfo is None:
            raise ValueError("the calendar needs an aware time")
        return at.astimezone(self.zone).date()

    def day_zero_of(self, at: datetime) -> date:
        """The day from which what arrives at `at` is counted; it is not counted itself.

        Source of the rule that it may be a later day: the United Kingdom's Freedom of Information
        Act 2000, section 10, as the Information Commissioner reads it. Raises ValueError for a
        naive time.
        """
        day = self.local_date(at)
        return self.next_working_day(day) if self.day_zero == "next_working_day" else day

    def end_of(self, day: date) -> datetime:
        """The instant (UTC) of 24:00 local time of `day`."""
        return self._at(day + ONE_DAY, time.min)

    def office_periods(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The opening periods (UTC) from `at` on, without end; the first may have begun before."""
        if not self.office_hours:
            raise ValueError(f"calendar {self.name} has no office hours")
        day = self.local_date(at)
        while True:
            if self.is_working_day(day):
                for opens, closes in self.office_hours:
                    if self._at(day, closes) > at:
                        yield self._at(day, opens), self._at(day, closes)
            day += ONE_DAY

    def _at(self, day: date, clock_time: time) -> datetime:
        return datetime.combine(day, clock_time, self.zone).astimezone(UTC)


def days_after(a: date, b: date) -> Iterator[date]:
    """The days after `a`, up to and including `b`."""
    day = a
    while day < b:
        day += ONE_DAY
        yield day


def working_calendar(data: CalendarData, base: WorkingCalendar | None = None) -> WorkingCalendar:
    """The calendar that `data` describes, on top of `base` if it extends that.

    Its own days win over those of the base; whether a year is announced is said by the base.
    """
    off: dict[date, Text] = {}
    on: frozenset[date] = frozenset()
    for year in data.years.values():
        off |= year.days_off()
        on |= year.make_up_days
    announced = frozenset(number for number, year in data.years.items() if year.announced)
    made = WorkingCalendar(
        name=data.name,
        zone=ZoneInfo(data.zone),
        announced=announced if base is None else base.announced,
        holidays=frozenset(off),
        make_up_days=on,
        office_hours=data.office_hours,
        day_zero=data.day_zero or (base.day_zero if base else "day_of_receipt"),
        pause_begins=data.pause_begins or (base.pause_begins if base else "next_day"),
        names=off,
    )
    if base is None:
        return made
    return replace(
        made,
        holidays=(base.holidays - on) | made.holidays,
        make_up_days=(base.make_up_days - made.holidays) | on,
        office_hours=made.office_hours or base.office_hours,
        names={day: name for day, name in base.names.items() if day not in on} | off,
    )


def calendar_from_mapping(mapping: Mapping[str, Any]) -> WorkingCalendar:
    """A calendar from the shape of ``calendars/*.json``; one it extends must be shipped.

    Raises CalendarRefused(fields) or CalendarUnknown.
    """
    data = read_calendar(mapping)
    return working_calendar(data, load_calendar(data.extends) if data.extends else None)


@lru_cache
def load_calendar(name: str = "cn") -> WorkingCalendar:
    """The shipped calendar `name`. Raises CalendarUnknown if there is none of that name."""
    data = shipped_calendar(name)
    return working_calendar(data, load_calendar(data.extends) if data.extends else None)
