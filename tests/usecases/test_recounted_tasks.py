"""Open tasks move with the calendar of their office: those with a clock, and those without."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select

from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.tables import Case, ClockEntry, ClockRow, Job, Task
from engine.store.uow import Work
from engine.usecases.calendars import AddCalendar, add_calendar
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.invariants import violations
from engine.usecases.joint_answers import AskJointly, ask_jointly
from tests.support.clocks import due_of, events_of
from tests.support.complaints import decided, dispatched, main_task, part, returned
from tests.support.play import actor, filed, open_task
from tests.usecases.test_calendars import close, hall, recounted, recounts_of

CLOSED = {"2026": {"announced": True, "holidays": [{"from": "2026-03-04", "to": "2026-03-05"}]}}


def days_of(wired: Application, case: Case) -> dict[str, date | None]:
    """The dates of the case, and of its task to handle."""
    local = wired.ports.calendar.local_date
    with wired.uow.read() as session:
        row = session.get_one(Case, case.id)
        dates = {
            "legal": row.legal_due_at,
            "promised": row.promised_due_at,
            "task": main_task(wired, case).due_at,
        }
    return {name: local(at) if at else None for name, at in dates.items()}


def test_a_task_moves_with_its_office_and_the_case_does_not(
    office: Application, clock: SettableClock
) -> None:
    hall(office, departments=["ROADS"])
    recounted(office, clock)
    roads, water = dispatched(office), dispatched(office, category="water")
    before, other = days_of(office, roads), days_of(office, water)
    close(office, "2026-03-04", "2026-03-05", name="hall")
    recounted(office, clock)
    after = days_of(office, roads)
    assert before["task"] is not None
    assert after["task"] == office.ports.calendar.add_working_days(before["task"], 2)
    assert (after["legal"], after["promised"]) == (before["legal"], before["promised"])
    assert due_of(office, roads, f"task:{main_task(office, roads).key}") == after["task"]
    assert days_of(office, water) == other
    (made,) = [each for each in recounts_of(office) if each.wanted["calendars"] == ["hall"]]
    # The other is not even looked at.
    assert (made.total, made.moved) == (1, 1)
    assert list(violations(office.uow)) == []


def test_a_department_that_gets_another_calendar_has_its_tasks_counted_on_it(
    office: Application, clock: SettableClock
) -> None:
    case = dispatched(office)
    before = days_of(office, case)["task"]
    said: dict[str, Any] = {
        "name": "hall", "title": {"zh-CN": "大厅", "en": "Hall"}, "zone": "Asia/Shanghai",
        "extends": "cn", "years": CLOSED,
    }  # fmt: skip
    office.uow.run(add_calendar, AddCalendar(actor(office, "admin"), said, "moved", ("ROADS",)))
    recounted(office, clock)
    assert before is not None
    moved = office.ports.calendar.add_working_days(before, 2)
    assert days_of(office, case)["task"] == moved
    assert recounts_of(office)[-1].wanted["offices"] == ["ROADS"]


def test_tasks_beside_a_task_move_and_a_co_handler_has_as_long(
    office: Application, clock: SettableClock
) -> None:
    case, other = dispatched(office), dispatched(office)
    returned(office, case, "roads")
    decided(office, case, "redispatch", "WATER")
    returned(office, case, "water")
    task, who = main_task(office, other), actor(office, "roads")
    office.uow.run(claim, ClaimTask(who, task.id))
    office.uow.run(ask_jointly, AskJointly(who, task.id, ("WATER",), "请协办"))
    close(office, "2026-03-03")
    recounted(office, clock)
    local = office.ports.calendar.local_date
    decision, joint = part(office, case, "adjudicate"), part(office, other, "joint")
    assert local(decision.due_at) == date(2026, 3, 4)  # type: ignore[arg-type]
    assert local(joint.due_at) == date(2026, 3, 6)  # type: ignore[arg-type]
    with office.uow.read() as session:
        lapse = session.scalars(select(Job).where(Job.kind == "joint")).one()
        assert lapse.due_at == joint.due_at
    assert len(events_of(office, case, "task_moved")) == 1
    clock.advance(timedelta(days=3))
    recounted(office, clock)
    assert part(office, other, "joint").state == "open"


def test_a_task_of_before_there_were_clocks_is_counted_again_too(
    office: Application, clock: SettableClock
) -> None:
    case = filed(office)
    key = f"task:{open_task(office, case).key}"

    def forget(work: Work, _: None) -> None:
        for entity, column in ((ClockRow, ClockRow.key), (ClockEntry, ClockEntry.clock)):
            work.session.execute(delete(entity).where(column == key))

    office.uow.run(forget, None)
    before = open_task(office, case).due_at
    close(office, "2026-03-03")
    recounted(office, clock)
    after = open_task(office, case).due_at
    assert before is not None
    assert after is not None
    local = office.ports.calendar.local_date
    assert local(after) == office.ports.calendar.add_working_days(local(before), 1)
    with office.uow.read() as session:
        assert session.scalars(select(Task.due_at).where(Task.due_at.is_not(None))).all() == [after]
    assert list(violations(office.uow)) == []
