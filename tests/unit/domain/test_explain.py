"""Why a date is what it is: the explanation against the count itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.domain import sla
from engine.domain.calendar import WorkingCalendar, load_calendar
from engine.domain.explain import Run, explain
from engine.domain.limit import Limit
from engine.domain.sla import SlaClock

CN, UK = load_calendar("cn"), load_calendar("uk-foi")
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
STRETCHES = st.integers(0, 900).map(lambda hours: timedelta(hours=hours))
CALENDARS = st.sampled_from([CN, UK])


def started(limit: Limit, month: int, day: int, calendar: WorkingCalendar = CN) -> SlaClock:
    at = datetime(2026, month, day, 10, tzinfo=calendar.zone)
    return sla.start(limit, at, calendar)[0]


def told(clock: SlaClock, calendar: WorkingCalendar = CN) -> list[tuple[str, str, Any]]:
    return [
        (f"{run.first:%m%d}-{run.last:%m%d}", run.kind, run.numbers or run.name.get("en"))
        for run in explain(clock, calendar)
    ]


def test_twenty_working_days_over_the_spring_festival() -> None:
    assert told(started(Limit("working_days", 20), 2, 10)) == [
        ("0210-0210", "day_zero", None),
        ("0211-0213", "counted", (1, 3)),
        ("0214-0214", "make_up", (4, 4)),
        ("0215-0223", "holiday", "Spring Festival"),
        ("0224-0227", "counted", (5, 8)),
        ("0228-0228", "make_up", (9, 9)),
        ("0301-0301", "weekend", None),
        ("0302-0306", "counted", (10, 14)),
        ("0307-0308", "weekend", None),
        ("0309-0313", "counted", (15, 19)),
        ("0314-0315", "weekend", None),
        ("0316-0316", "counted", (20, 20)),
    ]


def test_a_pause_and_a_late_arrival_are_told() -> None:
    clock = started(Limit("working_days", 3), 3, 14, UK)
    clock, _ = sla.pause(clock, datetime(2026, 3, 18, 9, tzinfo=UK.zone))
    clock, _ = sla.resume(clock, datetime(2026, 3, 20, 9, tzinfo=UK.zone), UK)
    assert told(clock, UK) == [
        ("0314-0315", "arrived", None),
        ("0316-0316", "day_zero", None),
        ("0317-0317", "holiday", "Saint Patrick's Day"),
        ("0318-0320", "paused", None),
        ("0321-0322", "weekend", None),
        ("0323-0325", "counted", (1, 3)),
    ]


def test_calendar_days_that_end_in_a_holiday_move() -> None:
    assert told(started(Limit("calendar_days", 7), 9, 24)) == [
        ("0924-0924", "day_zero", None),
        ("0925-1001", "counted", (1, 7)),
        ("1002-1007", "holiday", "National Day"),
        ("1008-1008", "moved", None),
    ]


def test_opening_hours_are_told_by_day() -> None:
    runs = explain(started(Limit("hours", 12, office_hours=True), 3, 13), CN)
    assert [(run.first.day, run.last.day, run.kind, run.hours) for run in runs] == [
        (13, 13, "counted", 6.0),
        (14, 15, "weekend", None),
        (16, 16, "counted", 6.0),
    ]


def test_days_of_a_year_that_is_not_announced_are_marked() -> None:
    runs = explain(started(Limit("working_days", 12), 12, 21), CN)
    assert {run.provisional for run in runs if run.first.year == 2027} == {True}
    assert {run.provisional for run in runs if run.last.year == 2026} == {False}


def days_of(run: Run) -> list[date]:
    return [run.first + timedelta(days=n) for n in range((run.last - run.first).days + 1)]


@given(
    st.sampled_from(["working_days", "calendar_days"]),
    st.integers(0, 60),
    INSTANTS,
    STRETCHES,
    STRETCHES,
    CALENDARS,
)
def test_the_days_told_are_all_days_and_as_many_as_the_limit_are_counted(
    unit: Any,
    value: int,
    at: datetime,
    later: timedelta,
    length: timedelta,
    calendar: WorkingCalendar,
) -> None:
    clock, _ = sla.start(Limit(unit, value), at, calendar)
    clock, _ = sla.pause(clock, at + later)
    clock, _ = sla.resume(clock, at + later + length, calendar)
    runs = explain(clock, calendar)
    days = [day for run in runs for day in days_of(run)]
    first, last = calendar.local_date(at), calendar.local_date(clock.due_at)
    assert days == [first + timedelta(days=n) for n in range((last - first).days + 1)]
    numbers = [n for run in runs if run.numbers for n in range(run.numbers[0], run.numbers[1] + 1)]
    assert numbers == list(range(1, value + 1))


@given(st.integers(0, 60), st.booleans(), INSTANTS, CALENDARS)
def test_the_hours_told_are_the_limit(
    value: int, office_hours: bool, at: datetime, calendar: WorkingCalendar
) -> None:
    clock, _ = sla.start(Limit("hours", value, office_hours=office_hours), at, calendar)
    told = sum((run.hours or 0) * len(days_of(run)) for run in explain(clock, calendar))
    assert abs(told - value) < 1e-6
