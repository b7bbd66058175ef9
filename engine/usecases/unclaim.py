"""Unclaim a task: give it back to the department."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor
from engine.kernel.errors import TaskNotYours
from engine.store.audit import record
from engine.store.tables import Task
from engine.store.uow import Work
from engine.usecases.case_lock import staff_task


@dataclass(frozen=True)
class UnclaimTask:
    """`revision` refuses to act on a case that has changed meanwhile."""

    actor: Actor
    task_id: str
    revision: int | None = None


def unclaim(work: Work, command: UnclaimTask) -> Task:
    """Give the task back. A manager may take it back from a caseworker of the department.

    Raises NotFound, TaskNotOpen, StaleRevision, or TaskNotYours.
    """
    case, task = staff_task(work, command.actor, command.task_id, command.revision)
    if task.assignee_id is None:
        return task
    if task.assignee_id != command.actor.user_id and "manager" not in command.actor.roles:
        raise TaskNotYours
    task.assignee_id = None
    task.claimed_at = None
    case.revision += 1
    record(work, case, "task_unclaimed", command.actor, element=task.element)
    return task
