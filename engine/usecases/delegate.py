"""Delegate a task to a colleague with a question; once it is answered the owner has it back."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor
from engine.domain.field_error import FieldError
from engine.kernel.errors import AnswersInvalid, HandOverRefused, TaskNotYours
from engine.store.audit import record
from engine.store.tables import Absence, Case, Task, User
from engine.store.uow import Work
from engine.usecases.case_lock import staff_task
from engine.usecases.parts import named
from engine.usecases.people import actor_of
from engine.usecases.substitution import as_holder, substituted

LONGEST = 2_000


@dataclass(frozen=True)
class DelegateTask:
    """`to_id` is a colleague of the same department."""

    actor: Actor
    task_id: str
    to_id: str
    question: str


def delegate(work: Work, command: DelegateTask) -> Task:
    """Let a colleague answer a question about the task, which stays one's own.

    Raises NotFound, TaskNotOpen, TaskNotYours, QuestionOpen, HandOverRefused(why),
    AnswersInvalid(fields).
    """
    case, task = staff_task(work, command.actor, command.task_id)
    actor = as_holder(work, command.actor, case, task)
    if not command.question.strip():
        raise AnswersInvalid(fields=(FieldError("question", "required", {}),))
    colleague = present_colleague(work, command.to_id, task)
    if colleague.user_id in (actor.user_id, task.assignee_id):
        raise HandOverRefused(why="same_person", name=colleague.display_name)
    task.owner_id, task.assignee_id = task.assignee_id, colleague.user_id
    task.question = command.question.strip()[:LONGEST]
    case.revision += 1
    record(
        work,
        case,
        "task_delegated",
        actor,
        **named(task),
        name=colleague.display_name,
        reason=task.question[:500],
    )
    return task


def present_colleague(work: Work, user_id: str, task: Task) -> Actor:
    """Somebody of the task's department who is here now. Raises HandOverRefused(why)."""
    user = work.rows.get(User, user_id)
    if user is None or not user.active or user.department != task.department:
        raise HandOverRefused(why="not_of_department", name=user.display_name if user else "")
    away = work.rows.first(
        Absence,
        "user_id = %s AND begins_at <= %s AND ends_at > %s",
        user.id,
        work.now,
        work.now,
    )
    if away is not None:
        raise HandOverRefused(why="absent", name=user.display_name)
    return actor_of(user)


@dataclass(frozen=True)
class AnswerQuestion:
    actor: Actor
    task_id: str
    answer: str


def answer_question(work: Work, command: AnswerQuestion) -> Task:
    """Answer what one was asked; the task goes back to its owner.

    Raises NotFound, TaskNotOpen, TaskNotYours, AnswersInvalid(fields).
    """
    case, task = staff_task(work, command.actor, command.task_id)
    if task.owner_id is None:
        raise TaskNotYours
    actor = as_holder(work, command.actor, case, task, only_asked=True)
    text = command.answer.strip()[:LONGEST]
    if not text:
        raise AnswersInvalid(fields=(FieldError("answer", "required", {}),))
    _give_back(task)
    case.revision += 1
    record(work, case, "question_answered", actor, **named(task), reason=text)
    return task


@dataclass(frozen=True)
class TakeBack:
    actor: Actor
    task_id: str


def take_back(work: Work, command: TakeBack) -> Task:
    """The owner takes the task back, answered or not.

    Raises NotFound, TaskNotOpen, TaskNotYours.
    """
    case, task = staff_task(work, command.actor, command.task_id)
    if task.owner_id is None:
        raise TaskNotYours
    _must_own(work, command.actor, case, task)
    _give_back(task)
    case.revision += 1
    record(work, case, "task_taken_back", command.actor, **named(task))
    return task


def _must_own(work: Work, actor: Actor, case: Case, task: Task) -> None:
    if task.owner_id == actor.user_id:
        return
    for each in substituted(work, actor):
        if each.actor.user_id == task.owner_id and each.covers(case.service):
            return
    raise TaskNotYours


def _give_back(task: Task) -> None:
    task.assignee_id, task.owner_id, task.question = task.owner_id, None, None
