"""Complete a task at a program's request: variables instead of a form filled in."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor
from engine.domain.variables import NONE, Variables
from engine.kernel.errors import ExecutionFailed
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import staff_task, state_of
from engine.usecases.complete import (
    as_finisher,
    checked,
    close_task,
    dispatch_data,
    finish_task,
)
from engine.usecases.definition import definition_for
from engine.usecases.variables import plain_values, remember


@dataclass(frozen=True)
class CompleteWithVariables:
    """For a task with a form the variables are its answers; else they become the case's."""

    actor: Actor
    task_id: str
    variables: Variables = NONE


def complete_with_variables(work: Work, command: CompleteWithVariables) -> Case:
    """Finish a task the actor has claimed.

    Raises NotFound, TaskNotOpen, CaseNotOpen, TaskNotYours, QuestionOpen,
    JointAnswersMissing, VariableRefused, AnswersInvalid(fields) or ExecutionFailed.
    """
    actor = command.actor
    case, task = staff_task(work, actor, command.task_id)
    actor = as_finisher(work, actor, case, task)
    made = definition_for(work, case.package_version_id)
    kept = plain_values(work, actor, command.variables)
    if task.form is not None:
        answers = checked(work, made, case, task.form, kept)
        finish_task(work, made, case, task, actor, answers, task.saves_as or task.form)
        return case
    try:
        given = {**kept, **dispatch_data(case, task)}
        step = made.process.complete(state_of(work, case).state, task.key, given)
    except ExecutionFailed as failed:
        attempt: dict[str, object] = {
            "key": task.key,
            "variables": kept,
            "actor_id": actor.user_id,
        }
        failed.attempt = (case.id, "task", attempt)
        raise
    close_task(work, case, task, actor, kept)
    remember(work, case, command.variables, kept)
    advance(work, made, case, step, actor)
    return case
