"""Files with holidays as others publish them, and what is said of broken ones."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.calendar_files import MOST_BYTES, read_calendar_file
from api.calendar_words import calendar_errors
from engine.domain.calendar_data import shipped_calendar
from engine.domain.calendar_import import ImportedDays
from engine.kernel.errors import CalendarRefused

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:中国法定节假日\r\n"


def event(summary: str, *lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"SUMMARY:{summary}", *lines, "END:VEVENT", ""])


def ics(*events: str) -> ImportedDays:
    return read_calendar_file((HEAD + "".join(events) + "END:VCALENDAR\r\n").encode())


def days(first: str, end: str | None = None) -> tuple[str, ...]:
    made = [f"DTSTART;VALUE=DATE:{first}"]
    return tuple(made + ([f"DTEND;VALUE=DATE:{end}"] if end else []))


def wrong(content: bytes | str) -> list[tuple[str, Any]]:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(CalendarRefused) as refused:
        read_calendar_file(raw)
    fields = refused.value.params["fields"]
    for locale in ("zh-CN", "en"):
        for each in calendar_errors(fields, locale):
            assert not each["message"].startswith("calendar.")
    return [(each.code, each.params.get("line")) for each in fields]


def test_the_feed_of_holiday_cn() -> None:
    made = ics(
        event("春节假期", *days("20240210", "20240218")),
        event("上班(补春节假期)", *days("20240204", "20240205")),
        event("上班(补春节假期)", *days("20240218")),
    )
    year = made.years[2024]
    assert [(each.first, each.last, each.name) for each in year.holidays] == [
        (date(2024, 2, 10), date(2024, 2, 17), {"zh-CN": "春节"})
    ]
    assert year.make_up_days == {date(2024, 2, 4), date(2024, 2, 18)}
    assert year.source["zh-CN"] == "中国法定节假日"


def test_the_feed_of_bank_holidays_and_apples_marks() -> None:
    made = ics(
        event("Good Friday", *days("20260403", "20260404")),
        event("Easter Monday", *days("20260406")),
        event("Summer Bank Holiday", "DTSTART;VALUE=DATE:20260803", "DURATION:P1D"),
        event("春节（班）", *days("20260214"), "X-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY"),
    )
    year = made.years[2026]
    assert [each.name["en"] for each in year.holidays] == [
        "Good Friday",
        "Easter Monday",
        "Summer Bank Holiday",
    ]
    assert year.make_up_days == {date(2026, 2, 14)}


def test_a_day_listed_for_each_region_is_one_day_and_years_stay_apart() -> None:
    made = ics(
        event("Bank holiday", *days("20261231", "20270102")),
        event("Bank holiday", *days("20261231", "20270101")),
    )
    assert {year: len(said.days_off()) for year, said in made.years.items()} == {2026: 1, 2027: 1}


def broken(*events: str) -> str:
    return HEAD + "".join(events) + "END:VCALENDAR\r\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", [("file_not_utf8", 1)]),
        (b'{"years": \n "\xff"}', [("file_not_utf8", 2)]),
        ("hello", [("file_kind_unknown", 1)]),
        ("", [("file_kind_unknown", 1)]),
        ('{"year": 2027,\n oops}', [("file_unreadable", 2)]),
        ('{"title": 1}', [("file_without_days", 1)]),
        ('{\n"year": "x",\n"days": []}', [("file_without_year", 2)]),
        ('{"year": 2027,\n"days": []}', [("year_not_announced", 2)]),
        ('{"year": 2027, "days": [\n7,\n{"name": "x", "date": "2027-01-01"}]}',
         [("day_wrong", 2), ("day_wrong", 3)]),
        ('{"years":\n{"2027":\n{"make_up_days":\n["2026-01-01"]}}}', [("other_year", 4)]),
        (HEAD + "nonsense\r\nEND:VCALENDAR\r\n", [("file_unreadable", 4)]),
        (broken(), [("file_without_days", 1)]),
        (broken(event("a", *days("20260101")), event("b")), [("event_without_date", 8)]),
        (broken(event("a", "DTSTART;VALUE=DATE:2026-13-99")), [("event_date_wrong", 4)]),
        (broken(event("a", "DTSTART:20260101T090000Z")), [("event_has_hours", 4)]),
        (broken(event("a", *days("20260101"), "RRULE:FREQ=YEARLY")), [("event_repeats", 4)]),
        (broken(event("a", *days("20260102", "20260101"))), [("event_length_wrong", 4)]),
        (broken(event("a", *days("20260101", "20290101"))), [("event_length_wrong", 4)]),
        (broken(event("a", *days("20260101")), event("上班", *days("20260101"))),
         [("day_twice", 8)]),
        ("{" + " " * MOST_BYTES, [("file_too_large", None)]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(
    content: bytes | str, said: list[tuple[str, Any]]
) -> None:
    assert wrong(content) == said


def test_a_day_twice_in_a_years_json_is_refused() -> None:
    row = {"name": "x", "date": "2027-01-01", "isOffDay": True}
    text = json.dumps({"year": 2027, "days": [row, row | {"isOffDay": False}]}, indent=1)
    assert wrong(text) == [("day_twice", 9)]


@pytest.mark.parametrize("name", ["cn", "uk-foi"])
def test_our_own_files_come_back_as_they_are(name: str) -> None:
    data = shipped_calendar(name)
    text = json.dumps(data.as_mapping(), indent="\t")
    assert read_calendar_file(text.encode()).years == data.years


PARTS = ["BEGIN:VEVENT", "END:VEVENT", "DTSTART;VALUE=DATE:20260101", "DTSTART:x", "SUMMARY:上班",
         "RRULE:FREQ=DAILY", "DTEND;VALUE=DATE:20250101", "DURATION:P1D", "x", ""]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_any_mixture_of_lines_is_read_or_refused_in_words(lines: list[str]) -> None:
    text = "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""])
    refused = False
    try:
        made = read_calendar_file(text.encode())
    except CalendarRefused:
        refused = True
    assert refused or made.years
