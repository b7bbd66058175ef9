"""The working calendar: which days count, and where a count of days ends.

Monday to Friday are working days, less the announced holidays, plus the announced make-up days.
A year without an announcement counts plain Mondays to Fridays, and its dates are provisional.
Holidays and make-up days are data (`engine/domain/calendars/<name>.json`), never code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
_SATURDAY = 5
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class WorkingCalendar:
    """The working days of one jurisdiction or office. Days are local dates in `zone`."""

    name: str
    zone: ZoneInfo
    announced: frozenset[int]
    holidays: frozenset[date]
    make_up_days: frozenset[date]
    office_hours: tuple[tuple[time, time], ...] = ()

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


def calendar_from_mapping(mapping: Mapping[str, Any]) -> WorkingCalendar:
    """A calendar from the shape of ``calendars/*.json``.

    Raises ValueError or KeyError for a malformed mapping, for a holiday that is also a make-up
    day, and for a day listed under another year than its own.
    """
    holidays: set[date] = set()
    make_up_days: set[date] = set()
    for year, notice in mapping["years"].items():
        off = {
            day
            for row in notice["holidays"]
            for day in days_after(
                date.fromisoformat(row["from"]) - ONE_DAY, date.fromisoformat(row["to"])
            )
        }
        on = {date.fromisoformat(day) for day in notice["make_up_days"]}
        if off & on or any(day.year != int(year) for day in off | on):
            raise ValueError(f"the holidays of {year} contradict each other")
        holidays |= off
        make_up_days |= on
    return WorkingCalendar(
        name=mapping["name"],
        zone=ZoneInfo(mapping["zone"]),
        announced=frozenset(int(year) for year in mapping["years"]),
        holidays=frozenset(holidays),
        make_up_days=frozenset(make_up_days),
        office_hours=tuple(
            (time.fromisoformat(opens), time.fromisoformat(closes))
            for opens, closes in mapping.get("office_hours", ())
        ),
    )


@lru_cache
def load_calendar(name: str = "cn") -> WorkingCalendar:
    """The shipped calendar `name`. Raises FileNotFoundError if there is none of that name."""
    if not _NAME.fullmatch(name):
        raise FileNotFoundError(name)
    source = files("engine.domain").joinpath("calendars", f"{name}.json")
    return calendar_from_mapping(json.loads(source.read_text(encoding="utf-8")))
