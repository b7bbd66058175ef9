"""Dates worked out by hand from the rules of mainland China and the United Kingdom."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from engine.domain import sla
from engine.domain.calendar import WorkingCalendar, load_calendar
from engine.domain.limit import Limit, Unit, due

CN, FOI = load_calendar("cn"), load_calendar("uk-foi")
ENGLAND, SCOTLAND = load_calendar("uk-england-and-wales"), load_calendar("uk-scotland")
ULSTER = load_calendar("uk-northern-ireland")


def at(calendar: WorkingCalendar, day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=calendar.zone)


def last_day(calendar: WorkingCalendar, received: date, value: int, unit: Unit) -> date:
    return calendar.local_date(due(Limit(unit, value), at(calendar, received), calendar))


@pytest.mark.parametrize(
    ("received", "days", "last"),
    [
        (date(2026, 2, 10), 20, date(2026, 3, 16)),
        (date(2026, 2, 13), 20, date(2026, 3, 19)),
        (date(2026, 2, 9), 5, date(2026, 2, 14)),  # Saturday, a make-up day
        (date(2026, 4, 29), 5, date(2026, 5, 9)),  # Saturday, a make-up day
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # Saturday, a make-up day
        (date(2026, 2, 20), 1, date(2026, 2, 24)),  # received in the Spring Festival
        (date(2026, 3, 10), 15, date(2026, 3, 31)),  # the third party's own limit
        (date(2026, 4, 29), 20, date(2026, 5, 29)),  # a licence
        (date(2026, 4, 29), 30, date(2026, 6, 12)),  # the licence, extended by ten
    ],
)
def test_working_days_in_china(received: date, days: int, last: date) -> None:
    assert last_day(CN, received, days, "working_days") == last


@pytest.mark.parametrize(
    ("received", "days", "last"),
    [
        (date(2026, 3, 2), 15, date(2026, 3, 17)),
        (date(2026, 9, 17), 15, date(2026, 10, 8)),  # 2 October is a holiday
        (date(2026, 8, 8), 60, date(2026, 10, 8)),  # 7 October is a holiday
        (date(2026, 1, 30), 15, date(2026, 2, 14)),  # Saturday, but a make-up day
    ],
)
def test_calendar_days_of_a_petition(received: date, days: int, last: date) -> None:
    assert last_day(CN, received, days, "calendar_days") == last


@pytest.mark.parametrize(
    ("calendar", "received", "days", "last"),
    [
        (FOI, date(2026, 3, 10), 20, date(2026, 4, 10)),
        # 17 March is a holiday in Northern Ireland, Easter Monday is none in Scotland.
        (ENGLAND, date(2026, 3, 10), 20, date(2026, 4, 9)),
        (SCOTLAND, date(2026, 3, 10), 20, date(2026, 4, 8)),
        (ULSTER, date(2026, 3, 10), 20, date(2026, 4, 10)),
        # What arrives on a day without work is received on the next working day.
        (FOI, date(2026, 3, 14), 20, date(2026, 4, 16)),
        (FOI, date(2026, 4, 3), 20, date(2026, 5, 6)),
        # Over Christmas, New Year, and 2 January on its substitute day in Scotland.
        (FOI, date(2026, 12, 23), 20, date(2027, 1, 26)),
        # An internal review in an exceptional case.
        (FOI, date(2026, 7, 1), 40, date(2026, 8, 28)),
    ],
)
def test_working_days_in_the_united_kingdom(
    calendar: WorkingCalendar, received: date, days: int, last: date
) -> None:
    assert last_day(calendar, received, days, "working_days") == last


def test_the_days_of_a_fees_notice_are_left_out_with_both_ends() -> None:
    clock, _ = sla.start(Limit("working_days", 20), at(FOI, date(2026, 3, 10)), FOI)
    clock, _ = sla.pause(clock, at(FOI, date(2026, 3, 16)))
    clock, line = sla.resume(clock, at(FOI, date(2026, 3, 23)), FOI)
    assert line.working_days == 5
    assert FOI.local_date(clock.due_at) == date(2026, 4, 17)


def test_a_clarification_begins_the_count_again() -> None:
    limit = Limit("working_days", 20)
    clock, _ = sla.start(limit, at(FOI, date(2026, 3, 10)), FOI)
    clock, _ = sla.reset(clock, limit, at(FOI, date(2026, 3, 28)), FOI)
    assert FOI.local_date(clock.due_at) == date(2026, 4, 29)


@pytest.mark.parametrize("calendar", [CN, FOI])
def test_the_last_day_runs_to_24_oclock_local_time_in_winter_and_summer(
    calendar: WorkingCalendar,
) -> None:
    for received in (date(2026, 1, 12), date(2026, 7, 6)):
        ends = due(Limit("working_days", 5), at(calendar, received), calendar)
        local = ends.astimezone(calendar.zone)
        assert (local.hour, local.minute, local.second) == (23, 59, 59)
        midnight = ends + timedelta(seconds=1)
        assert calendar.local_date(midnight) == calendar.local_date(ends) + timedelta(days=1)


def test_opening_hours_in_british_summer_time() -> None:
    received = at(FOI, date(2026, 3, 27), 16)  # Friday; the clocks change on Sunday
    ends = due(Limit("hours", 2, office_hours=True), received, FOI)
    assert ends.astimezone(FOI.zone) == at(FOI, date(2026, 3, 30), 10)
