"""What is said of a working calendar: its holidays and make-up days by year, read and checked.

This is the shape of ``engine/domain/calendars/*.json``, of the table `calendars` and of what an
administrator edits. `engine.domain.calendar` counts on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from engine.domain.field_error import FieldError
from engine.domain.locales import LOCALES
from engine.kernel.errors import CalendarRefused, CalendarUnknown

DayZero = Literal["day_of_receipt", "next_working_day"]
"""Which day is day zero for what arrives on a day without work: that day, or the next with work."""
PauseBegins = Literal["next_day", "same_day"]
"""The first day that a pause leaves out of a count in days."""
Text = Mapping[str, str]
FIRST_YEAR, LAST_YEAR = 1970, 2200
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_YEAR = re.compile(r"\d{4}")
_SETTINGS = {
    "name",
    "title",
    "zone",
    "extends",
    "day_zero",
    "pause_begins",
    "office_hours",
    "years",
}


@dataclass(frozen=True)
class Holiday:
    """Days off in a row, both ends included."""

    first: date
    last: date
    name: Text = field(default_factory=dict)

    def days(self) -> Iterator[date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)


@dataclass(frozen=True)
class Year:
    """What is said of one year. Until it is announced, dates that rest on it are provisional."""

    holidays: tuple[Holiday, ...] = ()
    make_up_days: frozenset[date] = frozenset()
    announced: bool = True
    source: Text = field(default_factory=dict)

    def days_off(self) -> dict[date, Text]:
        """Each day off with its name."""
        return {day: holiday.name for holiday in self.holidays for day in holiday.days()}

    def as_mapping(self) -> dict[str, Any]:
        """The JSON-able shape that `read_calendar` reads."""
        return {
            "announced": self.announced,
            "source": dict(self.source),
            "holidays": [
                {"from": each.first.isoformat(), "to": each.last.isoformat()}
                | ({"name": dict(each.name)} if each.name else {})
                for each in sorted(self.holidays, key=lambda each: (each.first, each.last))
            ],
            "make_up_days": sorted(day.isoformat() for day in self.make_up_days),
        }


@dataclass(frozen=True)
class CalendarData:
    """One calendar as it is kept. What is None or empty is taken from the one it `extends`."""

    name: str
    title: Text
    zone: str
    extends: str | None = None
    day_zero: DayZero | None = None
    pause_begins: PauseBegins | None = None
    office_hours: tuple[tuple[time, time], ...] = ()
    years: Mapping[int, Year] = field(default_factory=dict)

    def as_mapping(self) -> dict[str, Any]:
        """The JSON-able shape that `read_calendar` reads."""
        made: dict[str, Any] = {"name": self.name, "title": dict(self.title), "zone": self.zone}
        for key in ("extends", "day_zero", "pause_begins"):
            if getattr(self, key) is not None:
                made[key] = getattr(self, key)
        made["office_hours"] = [
            [opens.isoformat("minutes"), closes.isoformat("minutes")]
            for opens, closes in self.office_hours
        ]
        made["years"] = {str(year): said.as_mapping() for year, said in sorted(self.years.items())}
        return made


def read_calendar(mapping: Any) -> CalendarData:
    """The calendar that `mapping` describes. Raises CalendarRefused(fields) with all that is wrong.

    A holiday may not also be a make-up day nor end before it begins, a day stands under its own
    year, opening hours do not overlap, and the zone is one of the time zone database.
    """
    reader = _Reader()
    data = reader.calendar(mapping)
    if reader.wrong:
        raise CalendarRefused(fields=tuple(reader.wrong))
    return data


class _Reader:
    def __init__(self) -> None:
        self.wrong: list[FieldError] = []

    def refuse(self, where: str, code: str, **params: Any) -> None:
        self.wrong.append(FieldError(where, code, params))

    def calendar(self, raw: Any) -> CalendarData:
        raw = self.table(raw, "calendar")
        for key in sorted(set(raw) - _SETTINGS):
            self.refuse(str(key), "setting_unknown", name=str(key))
        name = raw.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.refuse("name", "name_wrong")
        extends = raw.get("extends")
        if extends is not None and (not isinstance(extends, str) or not _NAME.fullmatch(extends)):
            self.refuse("extends", "name_wrong")
        return CalendarData(
            name=str(name),
            title=self.title(raw.get("title")),
            zone=self.zone(raw.get("zone")),
            extends=extends if isinstance(extends, str) else None,
            day_zero=self.choice(raw, "day_zero", get_args(DayZero)),
            pause_begins=self.choice(raw, "pause_begins", get_args(PauseBegins)),
            office_hours=self.hours(raw.get("office_hours", [])),
            years=self.years(raw.get("years", {})),
        )

    def table(self, raw: Any, where: str) -> Mapping[str, Any]:
        if isinstance(raw, Mapping):
            return raw
        self.refuse(where, "table_wanted")
        return {}

    def rows(self, raw: Any, where: str) -> Sequence[Any]:
        if isinstance(raw, list | tuple):
            return raw
        self.refuse(where, "list_wanted")
        return []

    def title(self, raw: Any) -> Text:
        texts = raw if isinstance(raw, Mapping) else {}
        for locale in LOCALES:
            text = texts.get(locale)
            if not isinstance(text, str) or not text.strip():
                self.refuse(f"title.{locale}", "text_missing")
        return {locale: str(texts.get(locale, "")).strip() for locale in LOCALES}

    def text(self, raw: Any, where: str) -> Text:
        """A text that may be left out, in one language or both."""
        if raw is None:
            return {}
        texts = self.table(raw, where)
        return {key: texts[key] for key in LOCALES if isinstance(texts.get(key), str)}

    def zone(self, raw: Any) -> str:
        try:
            if not isinstance(raw, str):
                raise TypeError
            ZoneInfo(raw)
        except (TypeError, ValueError, OSError, LookupError):
            self.refuse("zone", "zone_unknown", zone=str(raw)[:80])
        return str(raw)

    def choice(self, raw: Mapping[str, Any], name: str, options: Sequence[str]) -> Any:
        value = raw.get(name)
        if value is not None and value not in options:
            self.refuse(name, "option_unknown", options=", ".join(options))
        return value

    def hours(self, raw: Any) -> tuple[tuple[time, time], ...]:
        made: list[tuple[time, time]] = []
        for number, row in enumerate(self.rows(raw, "office_hours")):
            where = f"office_hours.{number}"
            try:
                opens, closes = (time.fromisoformat(each) for each in row)
            except (TypeError, ValueError):
                self.refuse(where, "time_wrong")
                continue
            if opens >= closes:
                self.refuse(where, "closes_before_it_opens")
            elif any(opens < end and begin < closes for begin, end in made):
                self.refuse(where, "hours_overlap")
            made.append((opens, closes))
        return tuple(sorted(made))

    def years(self, raw: Any) -> dict[int, Year]:
        made = {}
        for key, said in self.table(raw, "years").items():
            year = int(key) if _YEAR.fullmatch(str(key)) else 0
            if not FIRST_YEAR <= year <= LAST_YEAR:
                self.refuse(f"years.{key}", "year_wrong", first=FIRST_YEAR, last=LAST_YEAR)
                continue
            made[year] = self.year(year, self.table(said, f"years.{year}"))
        return made

    def year(self, year: int, raw: Mapping[str, Any]) -> Year:
        where = f"years.{year}"
        holidays = [
            holiday
            for number, row in enumerate(self.rows(raw.get("holidays", []), f"{where}.holidays"))
            if (holiday := self.holiday(year, row, f"{where}.holidays.{number}"))
        ]
        off = {day for holiday in holidays for day in holiday.days()}
        make_up_days = set()
        for number, value in enumerate(
            self.rows(raw.get("make_up_days", []), f"{where}.make_up_days")
        ):
            day = self.day(year, value, f"{where}.make_up_days.{number}")
            if day in off:
                self.refuse(f"{where}.make_up_days.{number}", "also_holiday", day=str(day))
            elif day is not None:
                make_up_days.add(day)
        announced = raw.get("announced", True)
        if not isinstance(announced, bool):
            self.refuse(f"{where}.announced", "option_unknown", options="true, false")
        return Year(
            holidays=tuple(holidays),
            make_up_days=frozenset(make_up_days),
            announced=announced is True,
            source=self.text(raw.get("source"), f"{where}.source"),
        )

    def holiday(self, year: int, row: Any, where: str) -> Holiday | None:
        row = self.table(row, where)
        first = self.day(year, row.get("from"), f"{where}.from")
        last = self.day(year, row.get("to", row.get("from")), f"{where}.to")
        name = self.text(row.get("name"), f"{where}.name")
        if first is None or last is None:
            return None
        if last < first:
            self.refuse(f"{where}.to", "ends_before_it_begins", day=str(first))
            return None
        return Holiday(first, last, name)

    def day(self, year: int, raw: Any, where: str) -> date | None:
        try:
            day = date.fromisoformat(raw)
        except (TypeError, ValueError):
            self.refuse(where, "date_wrong", value=str(raw)[:40])
            return None
        if day.year != year:
            self.refuse(where, "other_year", day=str(day), year=str(year))
            return None
        return day


def shipped_names() -> tuple[str, ...]:
    """The calendars that come with the product."""
    folder = files("engine.domain").joinpath("calendars")
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


@lru_cache
def shipped_calendar(name: str) -> CalendarData:
    """The shipped calendar `name`. Raises CalendarUnknown."""
    if name not in shipped_names():
        raise CalendarUnknown(name=name)
    source = files("engine.domain").joinpath("calendars", f"{name}.json")
    return read_calendar(json.loads(source.read_text(encoding="utf-8")))
