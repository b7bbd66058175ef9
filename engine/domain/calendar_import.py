"""Days taken over from a file: whole years of a calendar are replaced by what the file says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from engine.domain.calendar_data import CalendarData, Holiday, Text, Year


@dataclass(frozen=True)
class ImportedDays:
    """`years` are complete. `beside` are days of neighbouring years that a year's notice names,
    such as a make-up day on 31 December before."""

    years: Mapping[int, Year]
    beside: Mapping[int, Year] = field(default_factory=dict)


def in_rows(days: Mapping[date, Text]) -> tuple[Holiday, ...]:
    """Single days off as holidays of days in a row with the same name; none goes over a year."""
    made: list[Holiday] = []
    for day in sorted(days):
        last = made[-1] if made else None
        follows = last is not None and last.last + timedelta(days=1) == day
        if last is not None and follows and last.name == days[day] and last.last.year == day.year:
            made[-1] = replace(last, last=day)
        else:
            made.append(Holiday(day, day, days[day]))
    return tuple(made)


def taken_over(
    data: CalendarData, days: ImportedDays, only: Collection[int] | None = None
) -> CalendarData:
    """`data` with the years of the file (or those of `only`) instead of its own.

    A holiday whose name the file has in one language keeps the other one that `data` knows.
    """
    years = dict(data.years)
    names = [each.name for year in years.values() for each in year.holidays]
    for number, year in days.years.items():
        if only is None or number in only:
            years[number] = _named(year, names)
    for number, year in days.beside.items():
        if only is None or number + 1 in only or number - 1 in only:
            known = years.get(number, Year(announced=False))
            years[number] = _with_more(known, _named(year, names))
    return replace(data, years=years)


def _named(year: Year, known: list[Text]) -> Year:
    def fuller(name: Text) -> Text:
        return next((each for each in known if name and name.items() <= each.items()), name)

    holidays = tuple(replace(each, name=fuller(each.name)) for each in year.holidays)
    return replace(year, holidays=holidays)


def _with_more(year: Year, more: Year) -> Year:
    """The year with more days; where they contradict it, the newer notice holds."""
    off = {**year.days_off(), **more.days_off()}
    on = (year.make_up_days - more.days_off().keys()) | more.make_up_days
    kept = {day: name for day, name in off.items() if day not in on}
    return replace(year, holidays=in_rows(kept), make_up_days=on)
