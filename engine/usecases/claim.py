"""Claim a task: exactly one person gets it, the other is told who has it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from engine.domain.access import Actor, handles_tasks, may_take_task
from engine.kernel.errors import NotAllowed, TaskAlreadyClaimed
from engine.store.audit import record
from engine.store.tables import Task, User
from engine.store.uow import Work
from engine.usecases.case_lock import staff_task


@dataclass(frozen=True)
class ClaimTask:
    actor: Actor
    task_id: str


def claim(work: Work, command: ClaimTask) -> Task:
    """Give the task to the actor; claiming one's own task again changes nothing.

    Raises NotFound, NotAllowed, TaskNotOpen, or TaskAlreadyClaimed(holder).
    """
    actor = command.actor
    case, task = staff_task(work, actor, command.task_id)
    if not may_take_task(actor, task.audience, task.department, task.role):
        raise NotAllowed
    if task.assignee_id == actor.user_id:
        return task
    if task.assignee_id is not None:
        holder = work.session.get(User, task.assignee_id)
        raise TaskAlreadyClaimed(holder=holder.display_name if holder else "")
    task.assignee_id = actor.user_id
    task.claimed_at = work.now
    case.revision += 1
    record(work, case.id, "task_claimed", actor, element=task.element)
    return task


@dataclass(frozen=True)
class ClaimNextTask:
    actor: Actor


def claim_next(work: Work, command: ClaimNextTask) -> Task | None:
    """Claim the most urgent task the actor may take, or None when there is none."""
    actor = command.actor
    if not handles_tasks(actor) or actor.department is None:
        raise NotAllowed
    candidates = work.session.execute(
        select(Task.id, Task.role)
        .where(
            Task.department == actor.department,
            Task.state == "open",
            Task.audience == "staff",
            Task.assignee_id.is_(None),
        )
        .order_by(Task.due_at.is_(None), Task.due_at, Task.priority, Task.id)
        .limit(50)
    ).all()
    for candidate in candidates:
        if may_take_task(actor, "staff", actor.department, candidate.role):
            return claim(work, ClaimTask(actor, candidate.id))
    return None
