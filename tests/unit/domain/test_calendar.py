"""The working calendar against the announced years, and the laws of counting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.calendar import WorkingCalendar, calendar_from_mapping, load_calendar
from engine.kernel.errors import CalendarUnknown

CN = load_calendar()
DAYS = st.dates(date(2023, 12, 1), date(2027, 3, 1))
COUNTS = st.integers(0, 80)

GOLDEN = [
    (date(2026, 2, 10), 20, date(2026, 3, 16)),
    (date(2026, 2, 13), 20, date(2026, 3, 19)),
    (date(2026, 2, 9), 5, date(2026, 2, 14)),
    (date(2026, 4, 29), 5, date(2026, 5, 9)),
    (date(2026, 9, 30), 3, date(2026, 10, 10)),
]


@pytest.mark.parametrize(("day0", "days", "last"), GOLDEN)
def test_golden_dates_of_2026(day0: date, days: int, last: date) -> None:
    assert CN.add_working_days(day0, days) == last


def working_days_of(year: int, month: int | None = None) -> int:
    day, count = date(year, 1, 1), 0
    while day.year == year:
        count += CN.is_working_day(day) and month in (None, day.month)
        day += timedelta(days=1)
    return count


def test_working_days_of_2026_by_month() -> None:
    by_month = [working_days_of(2026, month) for month in range(1, 13)]
    assert by_month == [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]


@pytest.mark.parametrize(("year", "total"), [(2024, 251), (2025, 248), (2026, 248)])
def test_working_days_of_the_announced_years(year: int, total: int) -> None:
    assert working_days_of(year) == total


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 2, 18), True),  # Sunday, made up for the Spring Festival
        (date(2024, 10, 7), False),
        (date(2025, 1, 26), True),  # Sunday
        (date(2025, 10, 8), False),  # Wednesday, National Day and Mid-Autumn together
        (date(2026, 1, 4), True),  # Sunday
        (date(2026, 2, 23), False),  # Monday
        (date(2026, 11, 7), False),  # an ordinary Saturday
    ],
)
def test_holidays_and_make_up_days(day: date, works: bool) -> None:
    assert CN.is_working_day(day) is works


def test_a_year_not_announced_counts_mondays_to_fridays_provisionally() -> None:
    assert CN.is_working_day(date(2027, 1, 1))
    assert CN.is_provisional(date(2027, 1, 1))
    assert not CN.is_provisional(date(2026, 12, 31))


def test_the_end_of_a_day_is_local_midnight() -> None:
    assert CN.end_of(date(2026, 3, 16)) == datetime(2026, 3, 16, 16, tzinfo=UTC)


def test_the_local_date_of_a_late_evening_in_utc_is_tomorrow() -> None:
    assert CN.local_date(datetime(2026, 3, 16, 16, tzinfo=UTC)) == date(2026, 3, 17)
    with pytest.raises(ValueError, match="aware"):
        CN.local_date(datetime(2026, 3, 16, 16))  # noqa: DTZ001


def test_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        CN.add_working_days(date(2026, 1, 5), -1)
    assert CN.working_days_between(date(2026, 1, 9), date(2026, 1, 5)) == 0


@pytest.mark.parametrize("name", ["xx", "../cn", "", "CN"])
def test_an_unknown_calendar_is_not_found(name: str) -> None:
    with pytest.raises(CalendarUnknown):
        load_calendar(name)


def office(**said: Any) -> WorkingCalendar:
    """The calendar of an office in mainland China with days of its own in 2026."""
    body = {"name": "hall", "title": {"zh-CN": "大厅", "en": "Hall"}, "zone": "Asia/Shanghai"}
    return calendar_from_mapping(body | {"extends": "cn", "years": {"2026": said}})


def test_an_office_closes_and_opens_on_days_of_its_own() -> None:
    flag_day = {"from": "2026-03-10", "to": "2026-03-11", "name": {"en": "Flag day"}}
    hall = office(holidays=[flag_day], make_up_days=["2026-03-14", "2026-02-16"])
    assert not hall.is_working_day(date(2026, 3, 10))
    assert hall.names[date(2026, 3, 11)] == {"en": "Flag day"}
    assert hall.is_working_day(date(2026, 3, 14))  # Saturday
    assert hall.is_working_day(date(2026, 2, 16))  # in the Spring Festival
    assert date(2026, 2, 16) not in hall.names
    # Everything else is as in the whole country, also what is not announced.
    assert not hall.is_working_day(date(2026, 2, 17))
    assert hall.is_working_day(date(2026, 2, 14))
    assert (hall.announced, hall.office_hours) == (CN.announced, CN.office_hours)


def test_an_office_may_close_on_a_make_up_day_of_its_country() -> None:
    hall = office(holidays=[{"from": "2026-02-14", "to": "2026-02-14"}])
    assert CN.is_working_day(date(2026, 2, 14))
    assert not hall.is_working_day(date(2026, 2, 14))


def test_days_of_an_office_do_not_announce_a_year() -> None:
    body = {"name": "hall", "title": {"zh-CN": "大厅", "en": "Hall"}, "zone": "Asia/Shanghai"}
    closed = {"2027": {"holidays": [{"from": "2027-06-01", "to": "2027-06-01"}]}}
    hall = calendar_from_mapping(body | {"extends": "cn", "years": closed})
    assert not hall.is_working_day(date(2027, 6, 1))
    assert hall.is_provisional(date(2027, 6, 1))


def test_the_shipped_years_do_not_contradict_each_other() -> None:
    assert CN.announced == {2024, 2025, 2026}
    assert CN.holidays.isdisjoint(CN.make_up_days)


@given(DAYS, COUNTS)
def test_counting_back_gives_what_was_added(day0: date, n: int) -> None:
    assert CN.working_days_between(day0, CN.add_working_days(day0, n)) == n


@given(DAYS, st.integers(1, 80))
def test_a_count_ends_on_a_working_day(day0: date, n: int) -> None:
    assert CN.is_working_day(CN.add_working_days(day0, n))


@given(DAYS, DAYS, COUNTS, COUNTS)
def test_later_or_longer_never_ends_earlier(a: date, b: date, m: int, n: int) -> None:
    (a, b), (m, n) = sorted((a, b)), sorted((m, n))
    assert CN.add_working_days(a, n) <= CN.add_working_days(b, n)
    assert CN.add_working_days(a, m) <= CN.add_working_days(a, n)


@given(DAYS, COUNTS, COUNTS)
def test_counts_add_up(day0: date, m: int, n: int) -> None:
    assert CN.add_working_days(CN.add_working_days(day0, m), n) == CN.add_working_days(day0, m + n)


@given(DAYS, DAYS, DAYS)
def test_stretches_add_up(a: date, b: date, c: date) -> None:
    a, b, c = sorted((a, b, c))
    whole = CN.working_days_between(a, b) + CN.working_days_between(b, c)
    assert whole == CN.working_days_between(a, c)


@given(DAYS, DAYS, COUNTS)
def test_one_more_holiday_never_ends_a_count_earlier(holiday: date, day0: date, n: int) -> None:
    more = replace(CN, holidays=CN.holidays | {holiday}, make_up_days=CN.make_up_days - {holiday})
    assert more.add_working_days(day0, n) >= CN.add_working_days(day0, n)


@given(DAYS, DAYS, COUNTS)
def test_one_more_make_up_day_never_ends_a_count_later(made_up: date, day0: date, n: int) -> None:
    more = replace(CN, make_up_days=CN.make_up_days | {made_up})
    assert more.add_working_days(day0, n) <= CN.add_working_days(day0, n)
