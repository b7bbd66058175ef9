"""Decide whose a returned task is: dispatch it again, or adjudicate once and for all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from engine.domain.access import Actor
from engine.domain.dispatch import dispute_of, with_dispute
from engine.domain.field_error import FieldError
from engine.domain.joint import ORDERS, Joint, Order
from engine.kernel.errors import AnswersInvalid, NotFound
from engine.store.audit import record
from engine.store.tables import Case, Department, Task, TaskMove
from engine.store.uow import Work
from engine.usecases.assignment import least_loaded
from engine.usecases.case_lock import staff_task
from engine.usecases.definition import definition_for
from engine.usecases.department_clocks import follow_departments
from engine.usecases.joint_parts import open_joint_parts
from engine.usecases.parts import DECISIONS, main_of
from engine.usecases.substitution import as_holder


@dataclass(frozen=True)
class DispatchAgain:
    """`task_id` is the task to decide. The `co_handlers` answer the `department`, which leads."""

    actor: Actor
    task_id: str
    department: str
    reason: str
    co_handlers: tuple[str, ...] = ()
    order: Order = "parallel"
    revision: int | None = None


def dispatch_again(work: Work, command: DispatchAgain) -> Task:
    """Give the returned task to a department; the task as it then is.

    Raises NotFound, TaskNotOpen, TaskNotYours, QuestionOpen, StaleRevision, AnswersInvalid(fields).
    """
    case, part = staff_task(work, command.actor, command.task_id, command.revision)
    if part.kind not in DECISIONS or part.part_of is None:
        raise NotFound(what="task")
    actor = as_holder(work, command.actor, case, part)
    _check(work, command)
    task = main_of(work, part)
    final = part.kind == "adjudicate"
    dispute = dispute_of(case.dispatch, task.element).dispatched(command.department)
    case.dispatch = with_dispute(case.dispatch, task.element, dispute)
    _decide(work, task, actor, command, final)
    part.state, part.finished_at, part.finished_by = "done", work.now, actor.user_id
    part.answers = {"department": command.department, "reason": command.reason.strip()}
    _arrive(work, case, task, command, final)
    follow_departments(work, definition_for(work, case.package_version_id), case)
    case.department = command.department
    case.revision += 1
    record(
        work,
        case,
        "task_adjudicated" if final else "task_redispatched",
        actor,
        element=task.element,
        department=command.department,
        reason=command.reason.strip()[:500],
    )
    return task


def _check(work: Work, command: DispatchAgain) -> None:
    wrong = []
    named = {command.department, *command.co_handlers}
    known = {row.code for row in work.rows.select(Department, "code IN %s", sorted(named))}
    if command.department not in known:
        wrong.append(FieldError("department", "not_an_option", {}))
    if not command.reason.strip():
        wrong.append(FieldError("reason", "required", {}))
    others = set(command.co_handlers)
    if others - known or command.department in others or len(others) < len(command.co_handlers):
        wrong.append(FieldError("co_handlers", "not_an_option", {}))
    if command.order not in ORDERS:
        wrong.append(FieldError("order", "not_an_option", {}))
    if wrong:
        raise AnswersInvalid(fields=tuple(wrong))


def _decide(work: Work, task: Task, actor: Actor, command: DispatchAgain, final: bool) -> None:
    """Write into the return what became of it."""
    move = work.rows.first(
        TaskMove,
        "case_id = %s AND task_id = %s AND decided_at IS NULL",
        task.case_id,
        task.id,
    )
    if move is not None:
        move.to_department, move.decided_at = command.department, work.now
        move.decided_by, move.decision = actor.user_id, command.reason.strip()[:2_000]
        move.final = final


def _arrive(work: Work, case: Case, task: Task, command: DispatchAgain, final: bool) -> None:
    """The task is the department's from now on, and may be worked on."""
    made = definition_for(work, case.package_version_id)
    task.department, task.came_at, task.state = command.department, work.now, "open"
    task.dispatch_reason = {
        "by": "adjudicated" if final else "redispatched",
        "text": command.reason.strip()[:300],
    }
    task.assignee_id = task.claimed_at = None
    if made.manifest.dispatch.assign == "least_loaded":
        chosen = least_loaded(work, command.department, task.role, task.skill, Counter())
        if chosen is not None:
            task.assignee_id, task.claimed_at = chosen.user_id, work.now
    if command.co_handlers:
        joint = replace(Joint(), order=command.order).with_more(command.co_handlers, command.order)
        task.joint = joint.as_mapping()
        open_joint_parts(work, made, case, task, joint, command.co_handlers, command.reason.strip())
