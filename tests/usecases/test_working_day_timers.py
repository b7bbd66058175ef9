"""Timers of a model in working days: counted on the case's calendar, and moved with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.kernel.clock import SettableClock
from engine.store.tables import Case, Job
from engine.store.uow import UnitOfWork
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.recount_case import RecountCase, recount_case
from tests.support.clocks import calendars_without, clerk, events_of, with_clocks
from tests.support.play import drain
from tests.support.small_package import begun
from tests.unit.bpmn.models import flow, node, timer

HOLIDAY = date(2026, 3, 4)


def waiting(text: str) -> str:
    """A task, and an event at its edge that leads to the end after `text`."""
    return (
        node("startEvent", "s") + clerk("a") + timer("late", "a", text) + node("endEvent", "e")
        + node("endEvent", "gone") + flow("s", "a") + flow("a", "e") + flow("late", "gone")
    )  # fmt: skip


def filed_with(wired: Application, text: str, calendar: str = "cn") -> Case:
    files = with_clocks(waiting(text), "")
    manifest = files["package.toml"].decode()
    manifest = manifest.replace("[package]", f'[package]\ncalendar = "{calendar}"', 1)
    wired.uow.run(publish, PublishPackage(SYSTEM, files | {"package.toml": manifest.encode()}))
    return begun(wired)


def timer_of(wired: Application, case: Case) -> Job:
    with wired.uow.read() as session:
        return session.scalars(select(Job).where(Job.case_id == case.id, Job.kind == "timer")).one()


def last_day(wired: Application, case: Case, calendar: str = "cn") -> date:
    return wired.ports.calendars.named(calendar).local_date(timer_of(wired, case).due_at)


@pytest.fixture
def closed(office: Application) -> Iterator[Application]:
    """The same office on a calendar with another holiday, Wednesday 4 March."""
    ports = replace(office.ports, calendars=calendars_without(HOLIDAY))
    made = replace(office, ports=ports, uow=UnitOfWork(office.engine, ports))
    yield made
    made.uow.close()


@pytest.mark.parametrize(
    ("filed_at", "text", "last"),
    [
        (datetime(2026, 3, 2, 1, tzinfo=UTC), "3wd", date(2026, 3, 5)),
        # The weekend of 28 February is worked on Saturday.
        (datetime(2026, 2, 27, 1, tzinfo=UTC), "1wd", date(2026, 2, 28)),
        # The Spring Festival lies between.
        (datetime(2026, 2, 13, 1, tzinfo=UTC), "2wd", date(2026, 2, 24)),
        (datetime(2026, 3, 2, 1, tzinfo=UTC), "limit:step", date(2026, 3, 5)),
    ],
)
def test_a_timer_of_working_days_fires_at_the_end_of_the_last(
    office: Application, clock: SettableClock, filed_at: datetime, text: str, last: date
) -> None:
    clock.set(filed_at)
    case = filed_with(office, text)
    assert last_day(office, case) == last
    clock.set(datetime(last.year, last.month, last.day, 15, 59, tzinfo=UTC))
    drain(office)
    with office.uow.read() as session:
        assert session.get_one(Case, case.id).state == "open"
    clock.set(datetime(last.year, last.month, last.day, 16, 0, tzinfo=UTC))
    drain(office)
    with office.uow.read() as session:
        assert session.get_one(Case, case.id).state == "closed"


def test_it_is_counted_on_the_calendar_of_its_service(
    small_office: Application, clock: SettableClock
) -> None:
    clock.set(datetime(2026, 4, 2, 1, tzinfo=UTC))
    # Good Friday and Easter Monday are no working days there; the Qingming festival is of China.
    name = "uk-england-and-wales"
    british = filed_with(small_office, "2wd", name)
    assert last_day(small_office, british, name) == date(2026, 4, 8)
    chinese = filed_with(small_office, "2wd")
    assert last_day(small_office, chinese) == date(2026, 4, 7)


def test_it_moves_when_the_calendar_changes_and_other_timers_do_not(
    office: Application, closed: Application
) -> None:
    counted, plain = filed_with(office, "3wd"), filed_with(office, "P3D")
    before = timer_of(office, plain).due_at
    for case in (counted, plain):
        closed.uow.run(recount_case, RecountCase(SYSTEM, case.id, "calendar_changed"))
    assert last_day(office, counted) == date(2026, 3, 6)
    assert timer_of(office, plain).due_at == before
    (event,) = events_of(office, counted, "timer_moved")
    assert event["element"] == "late"
    assert events_of(office, plain, "timer_moved") == []
