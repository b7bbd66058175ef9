"""The clock jumps: forty days ahead, an hour back, over summer time and a leap day."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.wiring import Application
from engine.domain.schedule import ZONE, next_instant
from engine.kernel.clock import SettableClock
from engine.store import jobs
from engine.store.audit import first_broken_event
from engine.store.queries.definitions import newest, newest_ids
from engine.store.tables import Case, Event, Job
from engine.usecases.invariants import violations
from engine.usecases.job_runner import run_due
from tests.faults.test_delivered_twice import _passed as passed
from tests.support.play import done, drain, filed, open_task
from tests.support.small_package import begun, person, published
from tests.unit.bpmn.coverage.play import boundary, catch, end, start, straight, timer
from tests.unit.bpmn.models import node, path, script_task

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAITS = straight(start(), catch("wait", timer("PT2H")), person("b"), end())
# Reminded every day for as long as the task waits.
DAILY = (
    node("startEvent", "s")
    + person("a")
    + boundary("remind", "a", timer("R/P1D", "timeCycle"), interrupting=False)
    + script_task("c", "n = 1")
    + node("endEvent", "d")
    + node("endEvent", "e")
    + path("s", "a", "e")
    + path("remind", "c", "d")
)


def in_order(wired: Application, case: Case) -> None:
    """The events are numbered without a gap, whatever the clock said."""
    with wired.uow.read() as session:
        rows = session.scalars(select(Event.number).where(Event.case_id == case.id)).all()
        assert sorted(rows) == list(range(1, len(rows) + 1))
        assert first_broken_event(session, case.id) is None


def test_forty_days_ahead(office: Application, clock: SettableClock) -> None:
    """What fell due fires once; a cycle that missed forty turns makes one of them up."""
    published(office, WAITS)
    waiting = begun(office)
    published(office, DAILY)
    reminded = begun(office)
    clock.advance(40 * DAY)
    drain(office)
    assert passed(office, waiting, "wait") == 1
    assert open_task(office, waiting).element == "b"
    assert passed(office, reminded, "c") == 1
    clock.advance(DAY)
    drain(office)
    assert passed(office, reminded, "c") == 2
    done(office, reminded, "a", "foi_officer")
    for case in (waiting, reminded):
        in_order(office, case)
    assert list(violations(office.uow)) == []


def test_an_hour_back(office: Application, clock: SettableClock) -> None:
    """No timer fires early, none is lost, and the audit goes on by number."""
    published(office, WAITS)
    case = begun(office)
    due = clock.now() + 2 * HOUR
    clock.advance(1.5 * HOUR)
    clock.advance(-HOUR)
    other = begun(office)
    while clock.now() < due + 2 * HOUR:
        drain(office)
        assert passed(office, case, "wait") == (clock.now() >= due)
        clock.advance(HOUR / 4)
    drain(office)
    assert (passed(office, case, "wait"), passed(office, other, "wait")) == (1, 1)
    done(office, case, "b", "foi_officer")
    in_order(office, case)
    assert list(violations(office.uow)) == []


def test_the_audit_is_in_the_order_of_what_happened(
    office: Application, clock: SettableClock
) -> None:
    case = filed(office)
    done(office, case, "check_request", "foi_officer", outcome="accept")
    clock.advance(-HOUR)
    done(
        office, case, "search", "planning",
        outcome="prepared", decision="disclosed", reply="予以公开",
    )  # fmt: skip
    drain(office)
    in_order(office, case)
    with office.uow.read() as session:
        rows = session.execute(
            select(Event.number, Event.at, Event.kind)
            .where(Event.case_id == case.id)
            .order_by(Event.number)
        ).all()
    assert any(later.at < earlier.at for earlier, later in pairwise(rows))
    claims = [row.number for row in rows if row.kind == "task_claimed"]
    assert len(claims) == 2
    assert list(violations(office.uow)) == []


def test_a_dead_workers_lease_ends_although_the_clock_was_set_back(
    office: Application, clock: SettableClock
) -> None:
    filed(office)
    (leased,) = office.uow.run(jobs.lease_due, jobs.LeaseDue("died", ["letters"], 5))
    clock.advance(-HOUR)
    (again,) = office.uow.run(jobs.lease_due, jobs.LeaseDue("lives", ["letters"], 5))
    assert (again.id, again.leased_by) == (leased.id, "lives")


def test_a_living_workers_lease_outlasts_a_clock_set_back(
    office: Application, clock: SettableClock
) -> None:
    """It is renewed by the new clock; a small step back does not even touch it."""
    filed(office)
    (leased,) = office.uow.run(jobs.lease_due, jobs.LeaseDue("busy", ["letters"], 5))
    clock.advance(-timedelta(minutes=1))
    assert office.uow.run(jobs.lease_due, jobs.LeaseDue("other", ["letters"], 5)) == []
    clock.advance(-HOUR)
    office.uow.run(jobs.renew, jobs.Leases("busy", [leased.id]))
    assert office.uow.run(jobs.lease_due, jobs.LeaseDue("other", ["letters"], 5)) == []
    clock.advance(jobs.LEASE + timedelta(seconds=1))
    (taken,) = office.uow.run(jobs.lease_due, jobs.LeaseDue("other", ["letters"], 5))
    assert taken.id == leased.id


def test_the_version_that_takes_new_cases_is_the_newest_whatever_the_clock_said(
    office: Application, clock: SettableClock
) -> None:
    published(office, WAITS)
    clock.advance(-HOUR)
    second = published(office, straight(start(), person("a"), end()))
    with office.uow.read() as session:
        found = newest(session, "p")
        assert found is not None
        assert found.id == newest_ids(session)["p"] == second


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine itself keeps a summer time."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("change", ["2026-03-29T00:45:00+00:00", "2026-10-25T00:15:00+00:00"])
def test_summer_time_of_the_machine_moves_no_timer(
    office: Application, clock: SettableClock, berlin: None, change: str
) -> None:
    clock.set(datetime.fromisoformat(change))
    assert datetime.fromtimestamp(clock.now().timestamp()).astimezone().tzname() in ("CET", "CEST")
    published(office, WAITS)
    case = begun(office)
    with office.uow.read() as session:
        due = session.scalars(select(Job.due_at).where(Job.kind == "timer")).one()
    assert due == clock.now() + 2 * HOUR
    clock.advance(2 * HOUR - timedelta(seconds=1))
    assert run_due(office.uow, queues=["timers"]) == 0
    clock.advance(timedelta(seconds=1))
    assert run_due(office.uow, queues=["timers"]) == 1
    assert passed(office, case, "wait") == 1
    in_order(office, case)


@pytest.mark.parametrize(
    ("text", "at", "due"),
    [
        ("P1Y", "2028-02-29T10:00:00+08:00", "2029-02-28T10:00:00+08:00"),
        ("P4Y", "2028-02-29T10:00:00+08:00", "2032-02-29T10:00:00+08:00"),
        ("P1M", "2028-01-31T10:00:00+08:00", "2028-02-29T10:00:00+08:00"),
        ("P1D", "2028-02-28T10:00:00+08:00", "2028-02-29T10:00:00+08:00"),
        ("R/2028-02-29T10:00:00+08:00/P1Y", "2031-03-01T00:00:00+08:00", "2032-02-29T10:00+08:00"),
        ("R/2028-01-31T10:00:00+08:00/P1M", "2028-02-29T11:00:00+08:00", "2028-03-31T10:00+08:00"),
        ("0 9 29 2 *", "2026-03-01T00:00:00+08:00", "2028-02-29T09:00:00+08:00"),
    ],
)
def test_leap_days(
    small_office: Application, clock: SettableClock, text: str, at: str, due: str
) -> None:
    office = small_office
    clock.set(datetime.fromisoformat(at))
    cycle = "timeCycle" if text[0] in "R0" else "timeDuration"
    body = DAILY.replace("R/P1D", text).replace("bpmn:timeCycle", f"bpmn:{cycle}")
    published(office, body)
    case = begun(office)
    clock.set(datetime.fromisoformat(due) - timedelta(seconds=1))
    drain(office)
    assert passed(office, case, "c") == 0
    clock.advance(timedelta(seconds=1))
    drain(office)
    assert passed(office, case, "c") == 1


INSTANTS = st.integers(0, 20 * 365 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@settings(deadline=None)
@given(start=INSTANTS, now=INSTANTS, months=st.integers(0, 25), days=st.integers(0, 40))
def test_a_cycles_next_turn_is_the_first_one_ahead(
    start: datetime, now: datetime, months: int, days: int
) -> None:
    """Never early, never one too far: the turn before it is not ahead any more."""
    if not months and not days:
        return
    every = f"P{months}M{days}D"
    at = next_instant(f"R/{start.isoformat()}/{every}", now)
    assert at > now or at == start > now
    longest = timedelta(days=31 * months + days)
    assert at - max(now, start - longest) <= longest
    if months and not days and start <= now:
        local, began = at.astimezone(ZONE), start.astimezone(ZONE)
        assert local.day == began.day or (local + DAY).day == 1
