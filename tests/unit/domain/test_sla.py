"""The SLA clock: the verbs, their ledger lines, and the laws between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import sla
from engine.domain.calendar import calendar_from_mapping, load_calendar
from engine.domain.limit import Interval, Limit
from engine.domain.sla import Cap, SlaClock
from engine.kernel.errors import ClockVerbRefused

CN = load_calendar()
OFFICE = ZoneInfo("Asia/Shanghai")
BASIS = {"zh-CN": "《政府信息公开条例》第三十三条", "en": "art. 33"}
REPLY = Limit("working_days", 20, BASIS)
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
LIMITS = st.builds(
    Limit, st.sampled_from(["working_days", "calendar_days", "hours"]), st.integers(1, 60)
)
STRETCHES = st.integers(0, 900).map(lambda hours: timedelta(hours=hours))


def local(month: int, day: int, hour: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=OFFICE)


def due_on(clock: SlaClock) -> date:
    return CN.local_date(clock.due_at)


def started(limit: Limit = REPLY, at: datetime | None = None) -> SlaClock:
    return sla.start(limit, at or local(2, 10), CN)[0]


def test_an_information_request_with_correction_and_third_party() -> None:
    clock, line = sla.start(REPLY, local(2, 10), CN)
    assert due_on(clock) == date(2026, 3, 16)
    assert (line.verb, line.working_days, line.basis) == ("start", 20, BASIS)

    clock, line = sla.reset(clock, REPLY, local(3, 5), CN, "corrected")
    assert due_on(clock) == date(2026, 4, 2)
    assert CN.local_date(line.previous_due) == date(2026, 3, 16)  # type: ignore[arg-type]

    clock, line = sla.pause(clock, local(3, 10), "third_party")
    assert (clock.state, due_on(clock)) == ("paused", date(2026, 4, 2))
    assert line.new_due == line.previous_due

    clock, line = sla.resume(clock, local(3, 24), CN, "third_party")
    assert (clock.state, due_on(clock)) == ("running", date(2026, 4, 17))
    assert (line.working_days, line.since) == (10, local(3, 10))
    assert line.new_due == clock.due_at

    clock, line = sla.extend(clock, REPLY, local(4, 10), CN)
    assert due_on(clock) == CN.add_working_days(date(2026, 4, 17), 20)

    clock, line = sla.stop(clock, local(4, 20), CN)
    assert (clock.state, line.verb) == ("stopped", "stop")


def test_the_third_partys_own_limit() -> None:
    assert due_on(started(Limit("working_days", 15), local(3, 10))) == date(2026, 3, 31)


def test_a_second_extension_is_refused() -> None:
    clock, _ = sla.extend(started(), REPLY, local(3, 2), CN)
    with pytest.raises(ClockVerbRefused) as refused:
        sla.extend(clock, REPLY, local(3, 3), CN)
    assert refused.value.params["why"] == "extended_before"


def test_an_extension_in_another_unit_is_refused() -> None:
    with pytest.raises(ClockVerbRefused):
        sla.extend(started(), Limit("calendar_days", 30), local(3, 2), CN)


STOPPED: list[Callable[[SlaClock], object]] = [
    lambda clock: sla.reset(clock, REPLY, local(3, 2), CN),
    lambda clock: sla.pause(clock, local(3, 2)),
    lambda clock: sla.resume(clock, local(3, 2), CN),
    lambda clock: sla.extend(clock, REPLY, local(3, 2), CN),
]


@pytest.mark.parametrize("verb", STOPPED)
def test_a_stopped_clock_refuses(verb: Callable[[SlaClock], object]) -> None:
    clock, _ = sla.stop(started(), local(2, 20), CN)
    with pytest.raises(ClockVerbRefused):
        verb(clock)


def test_resume_needs_a_pause_that_began_before() -> None:
    with pytest.raises(ClockVerbRefused):
        sla.resume(started(), local(3, 2), CN)
    paused, _ = sla.pause(started(), local(3, 2, 15))
    with pytest.raises(ClockVerbRefused):
        sla.resume(paused, local(3, 2, 14), CN)


def test_a_pause_of_one_name_is_open_once_and_of_two_names_twice() -> None:
    clock, _ = sla.pause(started(), local(3, 2), name="third_party")
    with pytest.raises(ClockVerbRefused) as refused:
        sla.pause(clock, local(3, 4), name="third_party")
    assert refused.value.params["why"] == "paused_before"
    assert "resume" in refused.value.params["possible"]
    clock, _ = sla.pause(clock, local(3, 4), name="hearing")
    clock, line = sla.resume(clock, local(3, 9), CN, name="third_party")
    assert (clock.state, clock.paused_since) == ("paused", local(3, 4))
    assert (line.pause, line.since) == ("third_party", local(3, 2))
    with pytest.raises(ClockVerbRefused) as refused:
        sla.resume(clock, local(3, 9), CN, name="third_party")
    assert refused.value.params["why"] == "no_such_pause"
    clock, _ = sla.resume(clock, local(3, 11), CN, name="hearing")
    # 3–11 March are left out once: 7 working days.
    assert (clock.state, due_on(clock)) == ("running", date(2026, 3, 25))


@pytest.mark.parametrize(
    ("cap", "extensions", "why"),
    [
        (Cap(1), [10, 5], "extended_before"),
        (Cap(2), [10, 5], None),
        (Cap(0), [1], "extended_before"),
        (Cap(3, Limit("working_days", 14)), [10, 5], "extended_too_long"),
        (Cap(3, Limit("working_days", 15)), [10, 5], None),
        (Cap(3, Limit("hours", 15)), [1], "extended_too_long"),
    ],
)
def test_extensions_end_at_the_cap(cap: Cap, extensions: list[int], why: str | None) -> None:
    clock, told = started(), None
    for days in extensions:
        try:
            clock, _ = sla.extend(clock, Limit("working_days", days), local(3, 2), CN, "", cap)
        except ClockVerbRefused as refused:
            told = refused.params["why"]
    assert told == why
    if why is None:
        assert due_on(clock) == CN.add_working_days(date(2026, 3, 16), sum(extensions))


def test_a_verb_that_does_not_fit_says_what_does() -> None:
    stopped, _ = sla.stop(started(), local(2, 20), CN)
    for clock, verb, fitting in (
        (None, "pause", ("start",)),
        (started(), "resume", ("reset", "pause", "extend", "stop")),
        (started(), "start", ("reset", "pause", "extend", "stop")),
        (stopped, "stop", ("start",)),
    ):
        with pytest.raises(ClockVerbRefused) as refused:
            sla.must_fit(verb, clock)
        assert refused.value.params["possible"] == fitting


def test_stopping_ends_a_pause() -> None:
    clock, _ = sla.pause(started(), local(3, 2))
    clock, line = sla.stop(clock, local(3, 9), CN)
    assert clock.paused_since is None
    assert due_on(clock) == date(2026, 3, 23)
    assert line.new_due == clock.due_at


def test_whoever_pauses_on_the_last_day_is_in_time() -> None:
    clock, _ = sla.pause(started(), local(3, 16))
    clock, _ = sla.resume(clock, local(3, 20), CN)
    assert due_on(clock) == date(2026, 3, 20)


def test_a_pause_after_the_due_date_does_not_rescue_it() -> None:
    clock, _ = sla.pause(started(), local(3, 18))
    clock, _ = sla.resume(clock, local(3, 25), CN)
    assert due_on(clock) == date(2026, 3, 16)


def test_a_clock_begun_before_the_announcement_is_counted_again_after_it() -> None:
    clock, _ = sla.start(REPLY, datetime(2026, 12, 21, 2, tzinfo=UTC), CN)
    assert clock.provisional
    notice = {"holidays": [{"from": "2027-01-01", "to": "2027-01-03"}], "make_up_days": []}
    announced = calendar_from_mapping(
        {
            "name": "cn",
            "title": {"zh-CN": "中国", "en": "China"},
            "zone": "Asia/Shanghai",
            "years": {"2026": notice_of(2026), "2027": notice},
        }
    )
    recounted, line = sla.recount(clock, local(12, 22), announced)
    assert line is not None
    assert not recounted.provisional
    assert recounted.due_at == clock.due_at + timedelta(days=1)
    assert sla.recount(recounted, local(12, 23), announced) == (recounted, None)
    stopped, _ = sla.stop(clock, local(12, 22), CN)
    assert sla.recount(stopped, local(12, 23), announced) == (stopped, None)


def test_every_verb_says_whether_the_date_rests_on_a_year_not_announced() -> None:
    clock = started(at=local(11, 2))
    assert not clock.provisional
    extended, _ = sla.extend(clock, Limit("working_days", 30), local(11, 20), CN)
    assert extended.provisional
    reset, _ = sla.reset(extended, REPLY, local(11, 24), CN)
    assert not reset.provisional
    paused, _ = sla.pause(reset, local(12, 1))
    assert not paused.provisional
    resumed, _ = sla.resume(paused, local(12, 28), CN)
    assert resumed.provisional
    assert sla.stop(resumed, local(12, 29), CN)[0].provisional


def notice_of(year: int) -> dict[str, list[object]]:
    off = sorted(day.isoformat() for day in CN.holidays if day.year == year)
    on = sorted(day.isoformat() for day in CN.make_up_days if day.year == year)
    return {"holidays": [{"from": day, "to": day} for day in off], "make_up_days": list(on)}


@given(LIMITS, INSTANTS, STRETCHES, STRETCHES)
def test_reset_equals_start(
    limit: Limit, at: datetime, before: timedelta, paused: timedelta
) -> None:
    clock, _ = sla.pause(started(limit, at), at + before)
    clock, _ = sla.resume(clock, at + before + paused, CN)
    again = at + before + paused
    assert sla.reset(clock, limit, again, CN)[0] == sla.start(limit, again, CN)[0]


@given(LIMITS, INSTANTS, STRETCHES)
def test_a_pause_of_no_time_changes_no_date(limit: Limit, at: datetime, later: timedelta) -> None:
    clock = started(limit, at)
    paused, _ = sla.pause(clock, at + later)
    resumed, _ = sla.resume(paused, at + later, CN)
    assert (resumed.due_at, resumed.state) == (clock.due_at, "running")


@given(st.integers(1, 60), INSTANTS, STRETCHES, STRETCHES)
def test_a_pause_before_the_due_date_moves_it_by_its_working_days(
    days: int, at: datetime, later: timedelta, length: timedelta
) -> None:
    clock = started(Limit("working_days", days), at)
    if at + later > clock.due_at:
        return
    paused, _ = sla.pause(clock, at + later)
    resumed, line = sla.resume(paused, at + later + length, CN)
    assert line.working_days is not None
    moved = CN.add_working_days(due_on(clock), line.working_days)
    ends = CN.local_date(at + later + length)
    if CN.local_date(at + later) == due_on(clock):
        moved = max(moved, CN.next_working_day(ends))
    assert due_on(resumed) == moved


@given(LIMITS, INSTANTS, STRETCHES, STRETCHES)
def test_no_clock_is_late_at_the_moment_it_goes_on(
    limit: Limit, at: datetime, later: timedelta, length: timedelta
) -> None:
    clock = started(limit, at)
    if at + later >= clock.due_at:
        return
    paused, _ = sla.pause(clock, at + later)
    resumed, _ = sla.resume(paused, at + later + length, CN)
    assert resumed.due_at >= at + later + length


@given(INSTANTS, STRETCHES)
def test_hours_move_by_the_time_that_passed(at: datetime, length: timedelta) -> None:
    paused, _ = sla.pause(started(Limit("hours", 24), at), at + timedelta(hours=3))
    resumed, _ = sla.resume(paused, at + timedelta(hours=3) + length, CN)
    assert resumed.due_at == at + timedelta(hours=24) + length


@given(INSTANTS, st.lists(st.tuples(STRETCHES, STRETCHES), max_size=4))
def test_overlapping_intervals_are_left_out_once(
    at: datetime, stretches: list[tuple[timedelta, timedelta]]
) -> None:
    intervals = tuple(Interval(at + a, at + a + b) for a, b in stretches)
    clock = replace(started(at=at), excluded=intervals)
    twice = replace(clock, excluded=(*intervals, *intervals))
    assert sla.recount(clock, at, CN)[0].due_at == sla.recount(twice, at, CN)[0].due_at


@given(LIMITS, INSTANTS, STRETCHES, STRETCHES)
def test_a_stored_clock_is_read_back(
    limit: Limit, at: datetime, later: timedelta, length: timedelta
) -> None:
    clock, _ = sla.pause(started(limit, at), at + later)
    assert sla.clock_from_mapping(sla.clock_as_mapping(clock)) == clock
    clock, _ = sla.resume(clock, at + later + length, CN)
    clock, _ = sla.extend(clock, limit, at, CN)
    assert sla.clock_from_mapping(sla.clock_as_mapping(clock)) == clock
