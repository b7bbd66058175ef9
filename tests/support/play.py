"""Short ways to get a case to where a test begins."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from api.wiring import Application
from engine.domain.access import Actor
from engine.store.tables import Case, Task, User
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.job_runner import run_due
from engine.usecases.people import actor_of
from engine.usecases.start_case import StartCase, start_case

REQUEST: dict[str, Any] = {
    "title": "规划许可",
    "subject": "planning",
    "description": "2025年人民路改造工程的规划许可文件",
    "medium": "electronic",
    "delivery": "portal",
    "applicant_name": "张伟",
    "id_number": "11010519491231002X",
    "phone": "13800138000",
    "declaration": True,
}


def actor(wired: Application, user_name: str) -> Actor:
    with wired.uow.read() as session:
        user = session.scalar(select(User).where(User.user_name == user_name))
        assert user is not None, user_name
        return actor_of(user)


def filed(wired: Application, by: str = "citizen") -> Case:
    """An information request, just filed."""
    return wired.uow.run(start_case, StartCase(actor(wired, by), "F001", REQUEST))


def open_task(wired: Application, case: Case, element: str | None = None) -> Task:
    """The case's open task, or the one of `element`."""
    with wired.uow.read() as session:
        statement = select(Task).where(Task.case_id == case.id, Task.state == "open")
        if element:
            statement = statement.where(Task.element == element)
        return session.scalars(statement).one()


def done(wired: Application, case: Case, element: str, by: str, **answers: Any) -> Case:
    """Claim and complete the task `element`."""
    task, who = open_task(wired, case, element), actor(wired, by)
    wired.uow.run(claim, ClaimTask(who, task.id))
    return wired.uow.run(complete, CompleteTask(who, task.id, answers))


def drain(wired: Application) -> None:
    while run_due(wired.uow):
        pass
