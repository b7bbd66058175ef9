"""The case's row first: one lock order for every command, so that no two can deadlock."""

from __future__ import annotations

from sqlalchemy import select

from engine.domain.access import Actor, handles_tasks
from engine.kernel.errors import CaseNotOpen, NotFound, StaleRevision, TaskNotOpen
from engine.store.tables import Case, Task
from engine.store.uow import Work


def lock_case(work: Work, case_id: str, revision: int | None = None) -> Case:
    """The case, locked. Raises NotFound, or StaleRevision if `revision` is not its revision."""
    case = work.session.scalar(
        select(Case)
        .where(Case.id == case_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if case is None:
        raise NotFound(what="case")
    if revision is not None and revision != case.revision:
        raise StaleRevision(revision=case.revision)
    return case


def lock_open_task(work: Work, task_id: str, revision: int | None = None) -> tuple[Case, Task]:
    """An open task with its case locked.

    Raises NotFound, CaseNotOpen, TaskNotOpen or StaleRevision.
    """
    case_id = work.session.scalar(select(Task.case_id).where(Task.id == task_id))
    if case_id is None:
        raise NotFound(what="task")
    case = lock_case(work, case_id, revision)
    task = work.session.get_one(Task, task_id, populate_existing=True)
    if task.state != "open":
        raise TaskNotOpen
    if case.state != "open":
        raise CaseNotOpen
    return case, task


def staff_task(
    work: Work, actor: Actor, task_id: str, revision: int | None = None
) -> tuple[Case, Task]:
    """As `lock_open_task`, for a task of the actor's own department; otherwise NotFound."""
    row = work.session.execute(
        select(Task.department, Task.audience).where(Task.id == task_id)
    ).first()
    mine = row is not None and row.audience == "staff" and row.department == actor.department
    if not (mine and handles_tasks(actor)):
        raise NotFound(what="task")
    return lock_open_task(work, task_id, revision)
