"""A calendar's data: what is refused, at which field, and that nothing is lost in between."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.calendar_data import read_calendar, shipped_calendar, shipped_names
from engine.domain.calendar_set import CalendarSet
from engine.kernel.errors import CalendarRefused, CalendarUnknown

BODY: dict[str, Any] = {
    "name": "hall",
    "title": {"zh-CN": "办事大厅", "en": "Service hall"},
    "zone": "Asia/Shanghai",
}


def year(**said: Any) -> dict[str, Any]:
    return {"years": {"2026": said}}


def wrong(body: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(CalendarRefused) as refused:
        read_calendar(body)
    return [(each.field, each.code) for each in refused.value.params["fields"]]


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"name": "Hall 1"}, "name", "name_wrong"),
        ({"title": {"zh-CN": "大厅", "en": " "}}, "title.en", "text_missing"),
        ({"zone": "Mars/Olympus"}, "zone", "zone_unknown"),
        ({"zone": "../etc/passwd"}, "zone", "zone_unknown"),
        ({"zone": None}, "zone", "zone_unknown"),
        ({"extends": 7}, "extends", "name_wrong"),
        ({"day_zero": "yesterday"}, "day_zero", "option_unknown"),
        ({"pause_begins": "never"}, "pause_begins", "option_unknown"),
        ({"holidays": []}, "holidays", "setting_unknown"),
        ({"office_hours": [["17:00", "09:00"]]}, "office_hours.0", "closes_before_it_opens"),
        ({"office_hours": [["09:00", "12:30"], ["12:00", "17:00"]]}, "office_hours.1",
         "hours_overlap"),
        ({"office_hours": [["nine", "17:00"]]}, "office_hours.0", "time_wrong"),
        ({"office_hours": [["09:00"]]}, "office_hours.0", "time_wrong"),
        ({"office_hours": "always"}, "office_hours", "list_wanted"),
        ({"years": []}, "years", "table_wanted"),
        ({"years": {"26": {}}}, "years.26", "year_wrong"),
        ({"years": {"9999": {}}}, "years.9999", "year_wrong"),
        (year(announced="yes"), "years.2026.announced", "option_unknown"),
        (year(holidays=[{"from": "2026-03-03", "to": "2026-03-01"}]), "years.2026.holidays.0.to",
         "ends_before_it_begins"),
        (year(holidays=[{"from": "2026-12-31", "to": "2027-01-01"}]), "years.2026.holidays.0.to",
         "other_year"),
        (year(holidays=[{"from": "1 May", "to": "2026-05-01"}]), "years.2026.holidays.0.from",
         "date_wrong"),
        (year(holidays=["2026-05-01"]), "years.2026.holidays.0", "table_wanted"),
        (year(make_up_days=["2025-05-09"]), "years.2026.make_up_days.0", "other_year"),
        (year(make_up_days=[20260509]), "years.2026.make_up_days.0", "date_wrong"),
        (year(holidays=[{"from": "2026-05-01", "to": "2026-05-05"}], make_up_days=["2026-05-03"]),
         "years.2026.make_up_days.0", "also_holiday"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_at_its_field(
    said: dict[str, Any], field: str, code: str
) -> None:
    assert (field, code) in wrong(BODY | said)


def test_all_that_is_wrong_is_said_at_once() -> None:
    body = {"name": "", "title": {}, "zone": "", **year(make_up_days=["x", "2025-01-01"])}
    assert len(wrong(body)) >= 6


@pytest.mark.parametrize("name", shipped_names())
def test_what_is_kept_is_read_back(name: str) -> None:
    data = shipped_calendar(name)
    assert read_calendar(data.as_mapping()) == data


WORDS = st.sampled_from(["", "x", "en", "2026", "2026-05-01", "from", "holidays", "make_up_days"])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
KEYS = ["title", "zone", "extends", "day_zero", "office_hours", "years"]


@given(st.dictionaries(st.sampled_from(KEYS), PLAIN))
def test_whatever_is_sent_is_read_or_refused_in_words(said: dict[str, Any]) -> None:
    wrong: Any = None
    try:
        data = read_calendar(BODY | said)
    except CalendarRefused as refused:
        wrong = refused.params["fields"]
    assert wrong or read_calendar(data.as_mapping()) == data


def calendars(**extends: str | None) -> list[Any]:
    return [
        read_calendar(BODY | {"name": name} | ({"extends": base} if base else {}))
        for name, base in extends.items()
    ]


def test_an_office_takes_its_country_and_its_department_takes_the_office() -> None:
    data = [*calendars(cn=None, city="cn", hall="city")]
    known = CalendarSet(data, "city", {"HALL": "hall"})
    assert known.main().name == "city"
    assert known.of_department("HALL").name == "hall"
    assert known.of_department("ROADS").name == "city"
    assert known.of_department(None).name == "city"
    assert known.named("cn").name == "cn"
    assert known.resting_on("cn") == {"cn", "city", "hall"}
    assert known.resting_on("hall") == {"hall"}


def test_a_calendar_that_is_not_there_is_said_so() -> None:
    known = CalendarSet(calendars(cn=None), "de")
    for call in (known.main, lambda: known.named("fr"), lambda: known.of_department("X")):
        with pytest.raises(CalendarUnknown):
            call()


@pytest.mark.parametrize("chain", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "nothing"}])
def test_a_calendar_extends_another_that_exists_and_not_itself(chain: dict[str, str]) -> None:
    with pytest.raises(CalendarRefused):
        CalendarSet(calendars(**chain), "a")


def test_days_off_have_their_names() -> None:
    off = shipped_calendar("cn").years[2026].days_off()
    assert off[date(2026, 10, 1)]["zh-CN"] == "国庆节"
    assert len(off) == 33
