"""Unclaim a task: give it back to the department."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor
from engine.store.audit import record
from engine.store.tables import Task
from engine.store.uow import Work
from engine.usecases.case_lock import staff_task
from engine.usecases.parts import named
from engine.usecases.substitution import as_holder


@dataclass(frozen=True)
class UnclaimTask:
    """`revision` refuses to act on a case that has changed meanwhile."""

    actor: Actor
    task_id: str
    reason: str = ""
    revision: int | None = None


def unclaim(work: Work, command: UnclaimTask) -> Task:
    """Give the task back. A manager may take it back from a caseworker of the department.

    A question that goes with it is dropped. Raises NotFound, TaskNotOpen, StaleRevision,
    TaskNotYours, or QuestionOpen.
    """
    actor = command.actor
    case, task = staff_task(work, actor, command.task_id, command.revision)
    if task.assignee_id is None:
        return task
    if "manager" not in actor.roles:
        actor = as_holder(work, actor, case, task)
    task.assignee_id = task.claimed_at = task.owner_id = None
    if task.part_of is None:
        task.question = None
    case.revision += 1
    reason = {"reason": command.reason.strip()[:500]} if command.reason.strip() else {}
    record(work, case, "task_unclaimed", actor, **named(task), **reason)
    return task
