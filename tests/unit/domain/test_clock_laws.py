"""Laws of the clock that hold whatever is done to it, and clocks stored by earlier versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import sla
from engine.domain.calendar import WorkingCalendar, load_calendar
from engine.domain.ledger import LedgerLine, line_from_mapping
from engine.domain.limit import Limit, excluded_days
from engine.domain.replay import replay
from engine.domain.sla import Cap, SlaClock
from engine.kernel.errors import ClockVerbRefused

CN = load_calendar()
CALENDARS = [CN, load_calendar("uk-foi"), load_calendar("uk-scotland")]
on_each_calendar = pytest.mark.parametrize("calendar", CALENDARS, ids=lambda each: each.name)
BASIS = {"zh-CN": "第三十三条", "en": "art. 33"}
NAMES = ("third_party", "hearing", "testing")
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
LIMITS = st.builds(
    lambda unit, value: Limit(unit, value, BASIS),
    st.sampled_from(["working_days", "calendar_days", "hours"]),
    st.integers(1, 40),
)
HOURS = st.integers(0, 400).map(lambda hours: timedelta(hours=hours))
VERBS = st.lists(
    st.tuples(
        st.sampled_from(["pause", "resume", "extend", "stop", "reset", "start", "recount"]),
        st.sampled_from(NAMES),
        HOURS,
    ),
    max_size=12,
)


def done(
    clock: SlaClock | None,
    verb: str,
    name: str,
    at: datetime,
    limit: Limit,
    calendar: WorkingCalendar = CN,
) -> tuple[SlaClock, LedgerLine | None]:
    """The verb as a use case would have it done. Raises ClockVerbRefused."""
    sla.must_fit(verb, clock)
    if clock is None or verb == "start":
        return sla.start(limit, at, calendar, limit_name="reply", begun_by="a")
    if verb == "pause":
        return sla.pause(clock, at, "why", name)
    if verb == "resume":
        return sla.resume(clock, at, calendar, "why", name)
    if verb == "extend":
        return sla.extend(clock, replace(limit, value=3), at, calendar, cap=Cap(2))
    if verb == "reset":
        return sla.reset(clock, limit, at, calendar, limit_name="reply", begun_by="b")
    if verb == "recount":
        return sla.recount(
            clock, at, calendar, limit=replace(limit, value=limit.value + 1), limit_name="other"
        )
    return sla.stop(clock, at, calendar)


@on_each_calendar
@given(LIMITS, INSTANTS, VERBS)
def test_the_ledger_gives_the_clock(
    calendar: WorkingCalendar,
    limit: Limit,
    at: datetime,
    verbs: Sequence[tuple[str, str, timedelta]],
) -> None:
    clock, line = sla.start(limit, at, calendar, limit_name="reply", begun_by="a")
    ledger = [line]
    for verb, name, later in verbs:
        at += later
        try:
            clock, written = done(clock, verb, name, at, limit, calendar)
        except ClockVerbRefused:
            continue
        if written is not None:
            ledger.append(written)
    stored = [
        line_from_mapping(each.verb, each.at, json.loads(json.dumps(each.as_mapping())))
        for each in ledger
    ]
    assert replay(stored) == clock
    assert ledger[-1].new_due == clock.due_at
    assert sla.clock_from_mapping(json.loads(json.dumps(sla.clock_as_mapping(clock)))) == clock


@on_each_calendar
@given(st.integers(1, 30), INSTANTS, st.lists(st.tuples(HOURS, HOURS), min_size=1, max_size=3))
def test_pauses_move_the_date_by_exactly_the_working_days_left_out(
    calendar: WorkingCalendar, days: int, at: datetime, stretches: list[tuple[timedelta, timedelta]]
) -> None:
    clock, _ = sla.start(Limit("working_days", days), at, calendar)
    plain = clock.due_at
    # Several at once, each begun while the clock has not run out.
    begun = [(name, at + a, at + a + b) for name, (a, b) in zip(NAMES, stretches, strict=False)]
    events = sorted(
        [(since, 0, name) for name, since, _ in begun if since <= plain]
        + [(until, 1, name) for name, since, until in begun if since <= plain]
    )
    for when, ends, name in events:
        if ends:
            clock, _ = sla.resume(clock, when, calendar, name=name)
        else:
            clock, _ = sla.pause(clock, when, name=name)
    left_out = sum(
        calendar.is_working_day(day)
        for day in excluded_days(clock.excluded, calendar)
        if day > calendar.day_zero_of(at)
    )
    expected = calendar.add_working_days(calendar.local_date(plain), left_out)
    # It never lies in a pause: of one that begins on the last day, the end is the last day.
    latest = [
        calendar.next_working_day(calendar.local_date(until))
        for since, until in clock.excluded
        if calendar.local_date(since) <= expected < calendar.local_date(until)
    ]
    assert clock.state == "running"
    assert calendar.local_date(clock.due_at) == max([expected, *latest])


@on_each_calendar
@given(LIMITS, INSTANTS, HOURS, HOURS, HOURS, HOURS)
def test_independent_verbs_give_the_same_clock_in_any_order(
    calendar: WorkingCalendar,
    limit: Limit,
    at: datetime,
    a: timedelta,
    b: timedelta,
    c: timedelta,
    d: timedelta,
) -> None:
    clock, _ = sla.start(limit, at, calendar)
    by = replace(limit, value=2)

    def both(first: str, other: str, last: str) -> SlaClock:
        made, _ = sla.pause(clock, at + a, name="hearing")
        made, _ = sla.pause(made, at + b, name="testing")
        for verb in (first, other, last):
            if verb == "extend":
                made, _ = sla.extend(made, by, at + c, calendar)
            else:
                end = max(at + a + c, at + b) if verb == "hearing" else max(at + b + d, at + b)
                made, _ = sla.resume(made, end, calendar, name=verb)
        return made

    made = both("hearing", "testing", "extend")
    assert both("testing", "hearing", "extend") == made
    assert both("extend", "testing", "hearing") == made
    assert both("hearing", "extend", "testing") == made


@on_each_calendar
@given(INSTANTS, HOURS, HOURS, st.integers(1, 4))
def test_a_pause_within_another_leaves_out_nothing_more(
    calendar: WorkingCalendar, at: datetime, later: timedelta, length: timedelta, parts: int
) -> None:
    clock, _ = sla.start(Limit("working_days", 10), at, calendar)
    outer, _ = sla.pause(clock, at + later, name="hearing")
    alone, _ = sla.resume(outer, at + later + length, calendar, name="hearing")
    inner = outer
    for part in range(parts):
        begin = at + later + length * part / parts
        inner, _ = sla.pause(inner, begin, name=NAMES[0])
        inner, _ = sla.resume(inner, begin + length / parts, calendar, name=NAMES[0])
    assert sla.resume(inner, at + later + length, calendar, name="hearing")[0] == alone


@on_each_calendar
@given(LIMITS, INSTANTS, st.dates(date(2025, 1, 1), date(2026, 12, 31)), HOURS, HOURS)
@settings(max_examples=200)
def test_another_holiday_never_makes_a_date_earlier(
    calendar: WorkingCalendar,
    limit: Limit,
    at: datetime,
    holiday: date,
    later: timedelta,
    length: timedelta,
) -> None:
    clock, _ = sla.start(limit, at, calendar)
    if at + later <= clock.due_at:
        clock, _ = sla.pause(clock, at + later, name="hearing")
        clock, _ = sla.resume(clock, at + later + length, calendar, name="hearing")
    more = replace(
        calendar,
        holidays=calendar.holidays | {holiday},
        make_up_days=calendar.make_up_days - {holiday},
    )
    recounted, line = sla.recount(clock, at, more)
    assert recounted.due_at >= clock.due_at
    assert (line is None) == (recounted == clock)


@given(LIMITS, INSTANTS, HOURS, HOURS)
def test_what_is_stopped_stays_as_it_is(
    limit: Limit, at: datetime, later: timedelta, more: timedelta
) -> None:
    clock, _ = sla.start(limit, at, CN)
    stopped, _ = sla.stop(clock, at + later, CN)
    assert stopped.due_at == clock.due_at
    fewer: WorkingCalendar = replace(CN, holidays=frozenset(), make_up_days=frozenset())
    assert sla.recount(stopped, at + later + more, fewer) == (stopped, None)
    for verb in ("pause", "resume", "extend", "reset", "stop"):
        with pytest.raises(ClockVerbRefused):
            done(stopped, verb, NAMES[0], at + later + more, limit)


def test_a_new_limit_or_receipt_keeps_pauses_and_extensions() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    clock, _ = sla.start(Limit("working_days", 20), datetime(2026, 2, 10, 9, tzinfo=zone), CN)
    clock, _ = sla.pause(clock, datetime(2026, 3, 10, 9, tzinfo=zone))
    clock, _ = sla.resume(clock, datetime(2026, 3, 24, 9, tzinfo=zone), CN)
    clock, _ = sla.extend(clock, Limit("working_days", 5), datetime(2026, 3, 25, tzinfo=zone), CN)
    at = datetime(2026, 3, 26, tzinfo=zone)
    longer, line = sla.recount(clock, at, CN, limit=Limit("working_days", 22), limit_name="hard")
    assert CN.local_date(longer.due_at) == CN.add_working_days(CN.local_date(clock.due_at), 2)
    assert line is not None
    assert (line.limit_name, line.received) == ("hard", None)
    later, line = sla.recount(clock, at, CN, received=datetime(2026, 2, 12, 9, tzinfo=zone))
    assert CN.local_date(later.due_at) == CN.add_working_days(CN.local_date(clock.due_at), 2)
    assert line is not None
    assert line.limit is None


OLD_CLOCK = """
{"due_at":"2026-04-02T15:59:59+00:00","excluded":[["2026-03-10T03:00:00+00:00",
"2026-03-12T08:00:00+00:00"]],"extensions":[{"basis":{"en":"art. 33"},"working_days":20}],
"limit":{"basis":{"en":"art. 33","zh-CN":"第三十三条"},"working_days":20},
"paused_since":"2026-03-24T08:00:00+00:00","provisional":false,
"received":"2026-03-05T02:00:00+00:00","state":"paused"}
"""
OLD_LINE = """
{"basis":{"en":"art. 33"},"new_due":"2026-03-16T15:59:59+00:00","previous_due":null,"reason":"",
"since":null,"working_days":20}
"""


def test_a_clock_of_an_earlier_version_is_read_and_goes_on() -> None:
    clock = sla.clock_from_mapping(json.loads(OLD_CLOCK))
    assert (clock.state, [pause.name for pause in clock.pauses]) == ("paused", [""])
    assert clock.paused_since == datetime(2026, 3, 24, 8, tzinfo=UTC)
    resumed, line = sla.resume(clock, datetime(2026, 3, 26, 8, tzinfo=UTC), CN)
    assert (resumed.state, line.working_days) == ("running", 2)
    assert CN.local_date(resumed.due_at) == date(2026, 5, 11)
    running = json.loads(OLD_CLOCK) | {"state": "running", "paused_since": None}
    assert sla.clock_from_mapping(running).pauses == ()
    stored = json.loads(json.dumps(sla.clock_as_mapping(resumed)))
    assert sla.clock_from_mapping(stored) == resumed


def test_a_ledger_of_an_earlier_version_is_read_and_not_replayed() -> None:
    at = datetime(2026, 2, 10, tzinfo=UTC)
    line = line_from_mapping("start", at, json.loads(OLD_LINE))
    assert line.working_days == 20
    assert replay([line]) is None
    clock, again = sla.start(Limit("working_days", 20, BASIS), at, CN)
    assert replay([line, replace(again, verb="reset")]) == clock
