"""What differs between a calendar before and after: for the preview, and for the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.domain.calendar_data import CalendarData, Text, Year

SETTINGS = ("title", "zone", "extends", "day_zero", "pause_begins", "office_hours")


@dataclass(frozen=True)
class NamedDay:
    day: date
    name: Text


@dataclass(frozen=True)
class CalendarChanges:
    """Days that came and went, years announced or no longer, and the other settings that changed.

    A holiday that only got another name is among those added.
    """

    holidays_added: tuple[NamedDay, ...] = ()
    holidays_removed: tuple[NamedDay, ...] = ()
    make_up_added: tuple[date, ...] = ()
    make_up_removed: tuple[date, ...] = ()
    announced: tuple[int, ...] = ()
    no_longer_announced: tuple[int, ...] = ()
    settings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != CalendarChanges()

    def as_mapping(self) -> dict[str, Any]:
        """JSON-able, for the record."""
        return {
            "holidays_added": [_named(each) for each in self.holidays_added],
            "holidays_removed": [_named(each) for each in self.holidays_removed],
            "make_up_added": [str(day) for day in self.make_up_added],
            "make_up_removed": [str(day) for day in self.make_up_removed],
            "announced": list(self.announced),
            "no_longer_announced": list(self.no_longer_announced),
            "settings": list(self.settings),
        }


def changes(before: CalendarData | None, after: CalendarData) -> CalendarChanges:
    """What `after` says that `before` did not, and the other way round."""
    was, now = _off(before.years if before else {}), _off(after.years)
    worked, works = _on(before.years if before else {}), _on(after.years)
    known, knows = _announced(before.years if before else {}), _announced(after.years)
    return CalendarChanges(
        holidays_added=tuple(
            NamedDay(day, name) for day, name in sorted(now.items()) if was.get(day) != name
        ),
        holidays_removed=tuple(
            NamedDay(day, name) for day, name in sorted(was.items()) if day not in now
        ),
        make_up_added=tuple(sorted(works - worked)),
        make_up_removed=tuple(sorted(worked - works)),
        announced=tuple(sorted(knows - known)),
        no_longer_announced=tuple(sorted(known - knows)),
        settings=tuple(
            name for name in SETTINGS if before and getattr(before, name) != getattr(after, name)
        ),
    )


def _off(years: Mapping[int, Year]) -> dict[date, Text]:
    return {day: name for year in years.values() for day, name in year.days_off().items()}


def _on(years: Mapping[int, Year]) -> set[date]:
    return {day for year in years.values() for day in year.make_up_days}


def _announced(years: Mapping[int, Year]) -> set[int]:
    return {number for number, year in years.items() if year.announced}


def _named(each: NamedDay) -> dict[str, Any]:
    return {"day": str(each.day), "name": dict(each.name)}
