"""When the rungs of a ladder are reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import sla
from engine.domain.calendar import load_calendar
from engine.domain.clock_terms import Rung, is_recipient, is_rung_time
from engine.domain.ladder import climb, rung_at
from engine.domain.limit import Limit

CN = load_calendar()
ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 2, 10, 10, tzinfo=ZONE)
LADDER = tuple(
    Rung("legal", at, ("assignee",)) for at in ("+5wd", "half", "-3wd", "0", "75%", "-1wd", "+1wd")
)


def local(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # 20 working days from 10 February end on Monday 16 March; 28 February is worked.
        ("half", local(3, 2)),
        ("75%", local(3, 9)),
        ("-3wd", local(3, 11)),
        ("-1wd", local(3, 13)),
        ("0", local(3, 17, 0)),
        ("+1wd", local(3, 17)),
        ("+5wd", local(3, 23)),
    ],
)
def test_rungs_of_working_days_come_when_the_office_opens(at: str, expected: datetime) -> None:
    clock, _ = sla.start(Limit("working_days", 20), AT, CN)
    assert rung_at(Rung("legal", at, ()), clock, CN) == expected


def test_rungs_of_hours_come_to_the_instant() -> None:
    clock, _ = sla.start(Limit("hours", 24), AT, CN)
    assert rung_at(Rung("legal", "half", ()), clock, CN) == AT + timedelta(hours=12)
    assert rung_at(Rung("legal", "0", ()), clock, CN) == AT + timedelta(hours=24, seconds=1)


def test_what_was_reached_and_what_is_next() -> None:
    clock, _ = sla.start(Limit("working_days", 20), AT, CN)
    first = climb(LADDER, clock, CN, None, AT)
    assert (first.reached, first.next_at) == ((), local(3, 2))
    later = climb(LADDER, clock, CN, local(3, 2), local(3, 16))
    assert [rung.at for _, rung in later.reached] == ["75%", "-3wd", "-1wd"]
    assert later.next_at == local(3, 17, 0)
    assert climb(LADDER, clock, CN, local(3, 23), local(4, 1)) == climb((), clock, CN, None, AT)


def test_a_paused_or_stopped_clock_climbs_nothing() -> None:
    clock, _ = sla.start(Limit("working_days", 20), AT, CN)
    paused, _ = sla.pause(clock, AT)
    stopped, _ = sla.stop(clock, AT, CN)
    for each in (paused, stopped):
        assert climb(LADDER, each, CN, None, local(5, 1)) == climb((), clock, CN, None, AT)


def test_a_short_limit_has_no_rungs_before_it_began() -> None:
    clock, _ = sla.start(Limit("working_days", 2), AT, CN)
    found = climb(LADDER, clock, CN, None, local(2, 12, 8))
    assert [rung.at for _, rung in found.reached] == ["half", "-1wd"]


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 5, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 40),
    st.lists(st.integers(0, 2000), min_size=1, max_size=8),
)
def test_however_often_one_looks_each_rung_is_reached_once(
    at: datetime, days: int, looks: list[int]
) -> None:
    clock, _ = sla.start(Limit("working_days", days), at, CN)
    instants = sorted(at + timedelta(hours=hours) for hours in looks)
    after, seen = None, []
    for now in instants:
        seen += climb(LADDER, clock, CN, after, now).reached
        after = now
    assert tuple(seen) == climb(LADDER, clock, CN, None, instants[-1]).reached


@pytest.mark.parametrize("text", ["half", "0", "5%", "75%", "-3wd", "+10wd"])
def test_rung_times(text: str) -> None:
    assert is_rung_time(text)


@pytest.mark.parametrize("text", ["", "3wd", "-0wd", "100%", "0%", "soon", 3, None, "-3d"])
def test_what_is_no_rung_time(text: object) -> None:
    assert not is_rung_time(text)


def test_recipients() -> None:
    assert all(map(is_recipient, ["assignee", "manager", "department:FOI", "role:caseworker"]))
    assert not any(map(is_recipient, ["", "everybody", "department:", "role:Boss", 1]))
