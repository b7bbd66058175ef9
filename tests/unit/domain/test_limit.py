"""Limits: how they are written, and the instant at which they end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.calendar import WorkingCalendar, load_calendar
from engine.domain.limit import Interval, Limit, due, is_provisional, limit_from_mapping
from engine.kernel.errors import ClockVerbRefused

CN = load_calendar()
UK = load_calendar("uk-foi")
OFFICE = ZoneInfo("Asia/Shanghai")
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001


def local(month: int, day: int, hour: int = 10, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=OFFICE)


def test_working_days_end_at_the_last_second_of_the_last_day() -> None:
    ends = due(Limit("working_days", 20), local(2, 10), CN)
    assert ends == local(3, 16, 23, 59, 59)
    assert ends.tzinfo is UTC


def test_the_hour_of_receipt_does_not_matter_to_whole_days() -> None:
    limit = Limit("working_days", 20)
    assert due(limit, local(2, 10, 0), CN) == due(limit, local(2, 10, 23, 59), CN)


@pytest.mark.parametrize(
    ("received", "days", "last"),
    [
        (local(3, 2), 15, (3, 17)),
        (local(3, 2), 12, (3, 16)),  # the twelfth day is Saturday 14 March
        (local(9, 24), 7, (10, 8)),  # the seventh day is in the National Day holiday
        (local(4, 30), 9, (5, 9)),  # Saturday, but a make-up day
    ],
)
def test_calendar_days_move_off_a_day_without_work(
    received: datetime, days: int, last: tuple[int, int]
) -> None:
    ends = due(Limit("calendar_days", days), received, CN)
    assert ends == local(*last, 23, 59, 59)


def test_at_once_means_the_same_day_or_the_next_working_day() -> None:
    at_once = Limit("working_days", 0)
    assert due(at_once, local(3, 13), CN) == local(3, 13, 23, 59, 59)
    assert due(at_once, local(3, 14), CN) == local(3, 16, 23, 59, 59)


def test_hours_are_elapsed_hours_through_night_and_holiday() -> None:
    assert due(Limit("hours", 24), local(2, 15, 22), CN) == local(2, 16, 22)


@pytest.mark.parametrize(
    ("received", "hours", "ends"),
    [
        (local(3, 9, 10), 2, local(3, 9, 12)),
        (local(3, 9, 11), 2, local(3, 9, 14, 30)),  # over lunch
        (local(3, 13, 17), 2, local(3, 16, 10, 30)),  # over the weekend
        (local(3, 14, 3), 7, local(3, 16, 17, 30)),
    ],
)
def test_office_hours_only_where_asked(received: datetime, hours: int, ends: datetime) -> None:
    assert due(Limit("hours", hours, office_hours=True), received, CN) == ends


def test_hours_skip_what_is_excluded() -> None:
    excluded = [
        Interval(local(3, 9, 11), local(3, 9, 12)),
        Interval(local(3, 9, 11, 30), local(3, 9, 14)),
        Interval(local(3, 8), local(3, 8, 12)),
    ]
    assert due(Limit("hours", 4), local(3, 9, 10), CN, excluded) == local(3, 9, 17)


def test_an_interval_that_ends_before_it_begins_changes_nothing() -> None:
    wrong = [Interval(local(3, 9, 14), local(3, 9, 11))]
    for limit in (Limit("hours", 6), Limit("working_days", 2)):
        assert due(limit, local(3, 9, 10), CN, wrong) == due(limit, local(3, 9, 10), CN)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        due(Limit("hours", 1), datetime(2026, 3, 9), CN)  # noqa: DTZ001


def test_dates_that_rest_on_an_unannounced_year_are_provisional() -> None:
    received = local(12, 21)
    short, long = Limit("working_days", 5), Limit("working_days", 20)
    assert not is_provisional(short, received, due(short, received, CN), CN)
    assert is_provisional(long, received, due(long, received, CN), CN)
    hours = Limit("hours", 1000)
    assert not is_provisional(hours, received, due(hours, received, CN), CN)


@pytest.mark.parametrize(
    "written",
    [
        {"working_days": 20, "basis": {"zh-CN": "第三十三条", "en": "art. 33"}},
        {"calendar_days": 15, "basis": {}},
        {"hours": 2, "basis": {}, "office_hours": True},
    ],
)
def test_a_limit_is_written_as_it_was_read(written: dict[str, Any]) -> None:
    assert limit_from_mapping(written).as_mapping() == written


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({}, "exactly one"),
        ({"working_days": 1, "hours": 1}, "exactly one"),
        ({"working_days": -1}, "whole number"),
        ({"working_days": 1.5}, "whole number"),
        ({"working_days": True}, "whole number"),
        ({"hours": 10_001}, "whole number"),
        ({"days": 3}, "no setting 'days'"),
        ({"working_days": 3, "office_hours": True}, "hours only"),
        ({"hours": 3, "basis": "art. 33"}, "table of texts"),
    ],
)
def test_a_limit_written_wrongly_is_refused(written: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        limit_from_mapping(written)


def test_limits_in_different_units_do_not_add_up() -> None:
    assert Limit("working_days", 20).plus(Limit("working_days", 10)).value == 30
    with pytest.raises(ClockVerbRefused):
        Limit("working_days", 20).plus(Limit("calendar_days", 10))


@st.composite
def intervals(draw: st.DrawFn) -> list[Interval]:
    made = []
    for since in draw(st.lists(INSTANTS, max_size=4)):
        made.append(Interval(since, since + timedelta(hours=draw(st.integers(0, 900)))))
    return made


LIMITS = st.one_of(
    st.builds(
        Limit, st.sampled_from(["working_days", "calendar_days", "hours"]), st.integers(0, 60)
    ),
    st.builds(Limit, st.just("hours"), st.integers(0, 60), office_hours=st.booleans()),
)


@given(LIMITS, INSTANTS, intervals())
def test_exclusions_only_ever_move_the_end_later(
    limit: Limit, received: datetime, excluded: list[Interval]
) -> None:
    assert due(limit, received, CN, excluded) >= due(limit, received, CN)


@given(LIMITS, INSTANTS, intervals())
def test_what_is_excluded_twice_is_left_out_once(
    limit: Limit, received: datetime, excluded: list[Interval]
) -> None:
    once = due(limit, received, CN, excluded)
    assert due(limit, received, CN, [*excluded, *reversed(excluded)]) == once


@given(st.integers(1, 60), INSTANTS, intervals())
def test_as_many_counted_days_remain_as_the_limit_gives(
    days: int, received: datetime, excluded: list[Interval]
) -> None:
    last = CN.local_date(due(Limit("working_days", days), received, CN, excluded))
    out = set()
    for since, until in excluded:
        day = CN.local_date(since)
        while day < CN.local_date(until):
            day += timedelta(days=1)
            out.add(day)
    counted, day = 0, CN.local_date(received)
    while counted < days:
        day += timedelta(days=1)
        counted += CN.is_working_day(day) and day not in out
    assert CN.is_working_day(last)
    # Whoever pauses on the last day has until the pause ends.
    ends = {CN.next_working_day(CN.local_date(until)) for _, until in excluded}
    assert last == day or (last > day and last in ends)


ON_MORE_DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@given(LIMITS, INSTANTS, intervals(), ON_MORE_DAYS, st.sampled_from([CN, UK]))
def test_one_more_holiday_never_makes_a_date_earlier(
    limit: Limit,
    received: datetime,
    excluded: list[Interval],
    holiday: date,
    calendar: WorkingCalendar,
) -> None:
    holidays, made_up = calendar.holidays | {holiday}, calendar.make_up_days - {holiday}
    more = replace(calendar, holidays=holidays, make_up_days=made_up)
    assert due(limit, received, more, excluded) >= due(limit, received, calendar, excluded)


@given(LIMITS, INSTANTS, intervals(), ON_MORE_DAYS, st.sampled_from([CN, UK]))
def test_one_more_make_up_day_never_makes_a_date_later(
    limit: Limit,
    received: datetime,
    excluded: list[Interval],
    made_up: date,
    calendar: WorkingCalendar,
) -> None:
    more = replace(calendar, make_up_days=calendar.make_up_days | {made_up})
    assert due(limit, received, more, excluded) <= due(limit, received, calendar, excluded)
