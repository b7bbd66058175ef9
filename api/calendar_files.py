"""Files with holidays that others publish: iCalendar, holiday-cn's JSON, and our own JSON.

What is wrong is said with the line it stands on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import icalendar
import yaml

from engine.domain.calendar_data import Text, Year, read_calendar
from engine.domain.calendar_import import ImportedDays, in_rows
from engine.domain.field_error import FieldError
from engine.domain.locales import LOCALES
from engine.kernel.errors import CalendarRefused

MOST_BYTES = 1_000_000
LONGEST_EVENT = 366
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_MAKE_UP = re.compile(r"上班|补班|[（(]班[）)]|make-?up (work|day)", re.IGNORECASE)
_QUOTED = re.compile(r"'(.*?)'")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_calendar_file(content: bytes) -> ImportedDays:
    """The days that the file says are off or worked. Raises CalendarRefused(fields)."""
    if len(content) > MOST_BYTES:
        raise _refused("file_too_large", megabytes=MOST_BYTES // 1_000_000)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused("file_not_utf8", line) from error
    beginning = text.lstrip()
    if beginning.startswith("{"):
        return _from_json(text)
    if beginning.upper().startswith("BEGIN:VCALENDAR"):
        return _from_ics(text)
    raise _refused("file_kind_unknown", 1)


def _from_json(text: str) -> ImportedDays:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise _refused("file_unreadable", line, reason=str(error)[:200]) from error
    if "days" in raw:
        return _from_holiday_cn(text, raw)
    if "years" not in raw:
        raise _refused("file_without_days", 1)
    around = {"name": "file", "title": dict.fromkeys(LOCALES, "-"), "zone": "UTC"}
    try:
        data = read_calendar({**around, "years": raw["years"]})
    except CalendarRefused as refused:
        lines = _Lines(text)
        wrong = [
            FieldError("file", each.code, {**each.params, "line": lines.of(each.field)})
            for each in refused.params["fields"]
        ]
        raise CalendarRefused(fields=tuple(wrong)) from refused
    return ImportedDays(data.years)


def _from_holiday_cn(text: str, raw: Mapping[str, Any]) -> ImportedDays:
    """The format of NateScarlet/holiday-cn: ``{year, papers, days: [{name, date, isOffDay}]}``."""
    year, rows = raw.get("year"), raw["days"]
    if not isinstance(year, int) or not isinstance(rows, list):
        raise _refused("file_without_year", _Lines(text).of("year"))
    if not rows:
        raise _refused("year_not_announced", _Lines(text).of("days"), year=str(year))
    off: dict[date, Text] = {}
    on: set[date] = set()
    places: list[tuple[str, int, str]] = []
    for number, row in enumerate(rows):
        try:
            day, name, is_off = date.fromisoformat(row["date"]), str(row["name"]), row["isOffDay"]
        except (TypeError, KeyError, ValueError):
            places.append(("day_wrong", number, ""))
            continue
        if day in off or day in on:
            places.append(("day_twice", number, str(day)))
        elif is_off is True:
            off[day] = _text(name)
        else:
            on.add(day)
    if places:
        lines = _Lines(text)
        raise CalendarRefused(
            fields=tuple(_wrong(c, lines.of(f"days.{n}"), day=day) for c, n, day in places)
        )
    papers = [each for each in raw.get("papers") or [] if isinstance(each, str)]
    beside = _by_year(off, on, dict.fromkeys(LOCALES, " ".join(papers)) if papers else {})
    return ImportedDays({year: beside.pop(year, Year())}, beside)


def _from_ics(text: str) -> ImportedDays:
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError) as error:
        quoted = _QUOTED.search(str(error))
        line = _line_with(text, quoted[1]) if quoted else None
        raise _refused("file_unreadable", line, reason=str(error)[:200]) from error
    starts = [
        number
        for number, each in enumerate(text.splitlines(), start=1)
        if each.strip().upper() == "BEGIN:VEVENT"
    ]
    off: dict[date, Text] = {}
    on: set[date] = set()
    wrong = []
    for number, event in enumerate(calendar.walk("VEVENT")):
        line = starts[number] if number < len(starts) else None
        try:
            days = list(_days_of(event))
        except _EventWrong as error:
            wrong.append(_wrong(str(error), line))
            continue
        made_up = _is_make_up(event)
        for day in days:
            if day in (off if made_up else on):
                wrong.append(_wrong("day_twice", line, day=str(day)))
            elif made_up:
                on.add(day)
            else:
                # Feeds list a day once for each region that has it.
                off.setdefault(day, _text(str(event.get("SUMMARY", ""))))
    if wrong:
        raise CalendarRefused(fields=tuple(wrong))
    if not off and not on:
        raise _refused("file_without_days", 1)
    name = str(calendar.get("X-WR-CALNAME", "")).strip()
    return ImportedDays(_by_year(off, on, dict.fromkeys(LOCALES, name) if name else {}))


class _EventWrong(Exception):
    """An event that cannot be taken over; the message is the code of what is wrong."""


def _days_of(event: Any) -> Iterator[date]:
    """The days of an event. Raises _EventWrong."""
    if event.get("DTSTART") is None:
        raise _EventWrong("event_without_date")
    first, last = _value(event, "DTSTART"), _value(event, "DTEND")
    if not isinstance(first, date):
        raise _EventWrong("event_date_wrong")
    if isinstance(first, datetime) or isinstance(last, datetime):
        raise _EventWrong("event_has_hours")
    if "RRULE" in event or "RDATE" in event:
        raise _EventWrong("event_repeats")
    length = _value(event, "DURATION") or timedelta(days=1)
    if isinstance(last, date):
        length = last - first
    if not 1 <= length.days <= LONGEST_EVENT:
        raise _EventWrong("event_length_wrong")
    for number in range(length.days):
        yield first + timedelta(days=number)


def _value(event: Any, name: str) -> Any:
    try:
        return getattr(event.get(name), "dt", None)
    except ValueError as error:  # the line was there and says nothing that can be read
        raise _EventWrong("event_date_wrong") from error


def _is_make_up(event: Any) -> bool:
    special = str(event.get("X-APPLE-SPECIAL-DAY", ""))
    return special == "ALTERNATE-WORKDAY" or bool(_MAKE_UP.search(str(event.get("SUMMARY", ""))))


def _by_year(off: Mapping[date, Text], on: set[date], source: Text) -> dict[int, Year]:
    return {
        year: Year(
            holidays=in_rows({day: name for day, name in off.items() if day.year == year}),
            make_up_days=frozenset(day for day in on if day.year == year),
            source=source,
        )
        for year in sorted({day.year for day in {*off, *on}})
    }


def _text(name: str) -> Text:
    plain = re.sub(r"假期$|[（(]休[）)]$", "", name.strip()).strip()
    if not plain:
        return {}
    return {"zh-CN" if _CHINESE.search(plain) else "en": plain}


class _Lines:
    """On which lines the values of a JSON text stand; JSON is YAML, whose reader keeps them."""

    def __init__(self, text: str) -> None:
        try:
            self._root = yaml.compose(text, Loader=_LOADER)
        except (yaml.YAMLError, RecursionError):
            self._root = None

    def of(self, path: str) -> int | None:
        """The line of the value at `path`, or of what is nearest to it; None if unknown."""
        node = self._root
        for part in path.split("."):
            found = None
            if isinstance(node, yaml.MappingNode):
                found = next((value for key, value in node.value if key.value == part), None)
            elif isinstance(node, yaml.SequenceNode) and part.isdigit():
                found = node.value[int(part)] if int(part) < len(node.value) else None
            if found is None:
                break
            node = found
        return int(node.start_mark.line) + 1 if node is not None else None


def _line_with(text: str, part: str) -> int | None:
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if line.strip() == part.strip()), None)


def _wrong(code: str, line: int | None, **params: Any) -> FieldError:
    return FieldError("file", code, {**params, "line": line})


def _refused(code: str, line: int | None = None, **params: Any) -> CalendarRefused:
    return CalendarRefused(fields=(_wrong(code, line, **params),))
