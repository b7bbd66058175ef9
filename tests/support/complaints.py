"""Complaints: the package in which tasks are contested, answered jointly and merged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from api.wiring import Application
from engine.store.tables import Case, Task
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.dispatch_again import DispatchAgain, dispatch_again
from engine.usecases.return_task import ReturnTask, return_task
from engine.usecases.start_case import StartCase, start_case
from tests.support.play import actor, done

COMPLAINT: dict[str, Any] = {
    "category": "road",
    "title": "河滨路路灯不亮",
    "description": "河滨路18号门前三盏路灯一周不亮",
    "danger": False,
    "place": "河滨路18号门前",
    "contact_name": "张先生",
    "phone": "13800138000",
}
SOLVED: dict[str, Any] = {"outcome": "done", "result": "resolved", "reply": "已更换灯具。"}


def complained(wired: Application, by: str = "citizen", **more: Any) -> Case:
    """A complaint, just filed."""
    return wired.uow.run(start_case, StartCase(actor(wired, by), "C001", COMPLAINT | more))


def dispatched(wired: Application, by: str = "citizen", **more: Any) -> Case:
    """A complaint that the hotline has accepted: a department is to handle it."""
    case = complained(wired, by, **more)
    return done(wired, case, "accept", "hotline", outcome="accept")


def part(wired: Application, case: Case, kind: str, department: str | None = None) -> Task:
    """The open task of this kind that stands beside one of the process."""
    with wired.uow.read() as session:
        found = select(Task).where(Task.case_id == case.id, Task.kind == kind, Task.state == "open")
        if department:
            found = found.where(Task.department == department)
        return session.scalars(found).one()


def main_task(wired: Application, case: Case, element: str = "handle") -> Task:
    """The newest task of the process at the element, whatever its state."""
    with wired.uow.read() as session:
        found = select(Task).where(
            Task.case_id == case.id, Task.element == element, Task.part_of.is_(None)
        )
        return session.scalars(found.order_by(Task.opened_at.desc(), Task.id.desc())).first()  # type: ignore[return-value]


def returned(wired: Application, case: Case, by: str) -> Task:
    """The department of `by` returns the task to handle."""
    command = ReturnTask(actor(wired, by), main_task(wired, case).id, "not_our_area", "图")
    return wired.uow.run(return_task, command)


def decided(wired: Application, case: Case, kind: str, department: str, **more: Any) -> Task:
    """The dispatcher or the adjudicator names the department."""
    who = actor(wired, "hotline" if kind == "redispatch" else "hotline_lead")
    task = part(wired, case, kind)
    wired.uow.run(claim, ClaimTask(who, task.id))
    return wired.uow.run(dispatch_again, DispatchAgain(who, task.id, department, "说明", **more))


def handled(wired: Application, case: Case, by: str, **answers: Any) -> Case:
    """Claim and complete the task to handle, which may have others beside it."""
    task, who = main_task(wired, case), actor(wired, by)
    wired.uow.run(claim, ClaimTask(who, task.id))
    return wired.uow.run(complete, CompleteTask(who, task.id, SOLVED | answers))


def closed(wired: Application, case: Case) -> Case:
    """The department solves it, and the hotline's call finds the complainant content."""
    handled(wired, case, "roads")
    return done(wired, case, "follow_up", "hotline", outcome="content", note="满意")
