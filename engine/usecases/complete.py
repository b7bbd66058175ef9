"""Complete a task: check its answers, and let the process go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.domain.access import Actor
from engine.domain.dispatch import dispute_of, with_dispute
from engine.domain.joint import ANSWERS, joint_from_mapping
from engine.kernel.errors import (
    AnswersInvalid,
    ExecutionFailed,
    JointAnswersMissing,
    NotFound,
)
from engine.store.audit import record
from engine.store.tables import Case, Department, Rating, Task
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import (
    lock_cases_of_tasks,
    lock_open_task,
    staff_task,
    state_of,
)
from engine.usecases.clocks import apply_answers
from engine.usecases.definition import Definition, definition_for
from engine.usecases.documents import attach_documents
from engine.usecases.parts import ask_nobody_jointly
from engine.usecases.substitution import as_holder


@dataclass(frozen=True)
class CompleteTask:
    """`answers` by field name. `revision` refuses to act on a case that has changed meanwhile."""

    actor: Actor
    task_id: str
    answers: Mapping[str, Any]
    revision: int | None = None


def complete(work: Work, command: CompleteTask) -> Case:
    """Finish a task one has claimed, or one's own task as the applicant.

    Raises NotFound, TaskNotOpen, TaskNotYours, QuestionOpen, JointAnswersMissing, StaleRevision,
    AnswersInvalid(fields) or ExecutionFailed; nothing is changed then.
    """
    actor = command.actor
    if actor.is_staff:
        case, task = staff_task(work, actor, command.task_id, command.revision)
        actor = as_finisher(work, actor, case, task)
    else:
        case, task = applicant_task(work, actor, command.task_id, command.revision)
        if task.corrects:
            raise NotFound(what="task")
    made = definition_for(work, case.package_version_id)
    answers = dict(command.answers)
    if task.form is not None:
        answers = checked(work, made, case, task.form, answers)
    finish_task(work, made, case, task, actor, answers, task.saves_as or task.form or task.element)
    return case


def as_finisher(work: Work, actor: Actor, case: Case, task: Task) -> Actor:
    """The actor if they may finish the task now, as a substitute if it is another's.

    Raises NotFound for a task that serves another and is not done with a form, TaskNotYours,
    QuestionOpen, JointAnswersMissing.
    """
    if task.part_of is not None:
        raise NotFound(what="task")
    actor = as_holder(work, actor, case, task)
    waiting = joint_from_mapping(task.joint).waiting if task.joint is not None else ()
    if waiting:
        raise JointAnswersMissing(departments=department_names(work, waiting, actor.locale))
    return actor


def department_names(work: Work, codes: Sequence[str], locale: str) -> str:
    """The names of departments, for a sentence."""
    rows = {row.code: row for row in work.rows.select(Department, "code IN %s", list(codes))}
    return ", ".join(rows[code].name[locale] if code in rows else code for code in codes)


def read_tasks(work: Work, commands: Sequence[CompleteTask]) -> None:
    """Lock and read what several completions need, in one round trip."""
    lock_cases_of_tasks(work, [command.task_id for command in commands])


def applicant_task(
    work: Work, actor: Actor, task_id: str, revision: int | None = None
) -> tuple[Case, Task]:
    """An open task of the actor's own case. Raises NotFound for anybody else's."""
    case, task = lock_open_task(work, task_id, revision)
    if task.audience != "applicant" or case.applicant_id != actor.user_id:
        raise NotFound(what="task")
    return case, task


def checked(
    work: Work, made: Definition, case: Case, form: str, answers: Mapping[str, Any]
) -> dict[str, Any]:
    """The answers to keep. Raises AnswersInvalid with every error, in form order."""
    service = made.manifest.services[case.service]
    start_form = made.forms[service.form]
    kept, errors = work.ports.forms.validate(made.forms[form], answers, start_form)
    if errors:
        raise AnswersInvalid(fields=tuple(errors))
    return kept


def finish_task(
    work: Work,
    made: Definition,
    case: Case,
    task: Task,
    actor: Actor,
    answers: Mapping[str, Any],
    saves_as: str,
) -> None:
    """Write the finished task down and let the process take its next step."""
    form = made.forms.get(task.form or "")
    if form is not None:
        attach_documents(work, case, actor, form, answers)
    row = state_of(work, case)
    given = {saves_as: dict(answers), **dispatch_data(case, task)}
    try:
        step = made.process.complete(row.state, task.key, given)
    except ExecutionFailed as failed:
        attempt: dict[str, object] = {
            "key": task.key,
            "saves_as": saves_as,
            "answers": dict(answers),
            "actor_id": actor.user_id,
        }
        failed.attempt = (case.id, "task", attempt)
        raise
    close_task(work, case, task, actor, answers)
    if task.kind == "rating":
        _keep_rating(work, case, answers)
    advance(work, made, case, step, actor)


def dispatch_data(case: Case, task: Task) -> dict[str, Any]:
    """What the process learns of a task's dispatch once it is done: ``joint_answers``, the
    co-handlers' answers, and ``dispatch``, the department and how often it was returned."""
    data: dict[str, Any] = {}
    if task.joint is not None:
        data[ANSWERS] = task.joint["answers"]
    if task.dispatch_reason is not None:
        returns = dispute_of(case.dispatch, task.element).returns
        data["dispatch"] = {"department": task.department, "returns": returns}
    return data


def close_task(
    work: Work, case: Case, task: Task, actor: Actor, answers: Mapping[str, Any]
) -> None:
    """The task is done; its department has thereby accepted that such tasks are its own.

    What its answers ask of clocks is done. Raises ClockVerbRefused for what does not fit them.
    """
    task.state = "done"
    task.finished_at = work.now
    task.finished_by = actor.user_id
    task.answers = dict(answers)
    if task.joint is not None:
        ask_nobody_jointly(work, task)
    if task.dispatch_reason is not None and task.department is not None:
        dispute = dispute_of(case.dispatch, task.element).accepted(task.department)
        case.dispatch = with_dispute(case.dispatch, task.element, dispute)
    record(work, case, "task_completed", actor, element=task.element)
    made = definition_for(work, case.package_version_id)
    apply_answers(work, made, case, task.element, answers, actor)


def _keep_rating(work: Work, case: Case, answers: Mapping[str, Any]) -> None:
    grade = answers.get("grade")
    if grade is not None and work.rows.get(Rating, case.id) is None:
        work.rows.add(
            Rating(case_id=case.id, grade=int(grade), comment=answers.get("comment"), at=work.now)
        )
