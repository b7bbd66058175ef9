"""Return a task (退单): the department says that it is not its own, why, and on what basis.

The process stays where it is, and so do the applicant's dates. The task is held until whoever has
to has named a department: the dispatcher the first time, the adjudicator the second.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor, may_take_task
from engine.domain.dispatch import DispatchRules, dispute_of, with_dispute
from engine.domain.field_error import FieldError
from engine.domain.limit import due
from engine.kernel.errors import AnswersInvalid, NotAllowed, ReturnRefused, TaskNotYours
from engine.kernel.ids import new_id
from engine.store.audit import record
from engine.store.tables import Case, Task, TaskMove
from engine.store.uow import Work
from engine.usecases.case_lock import staff_task
from engine.usecases.definition import Definition, definition_for
from engine.usecases.department_clocks import follow_departments
from engine.usecases.parts import ask_nobody_jointly, open_part
from engine.usecases.substitution import as_holder

LONGEST = 2_000


@dataclass(frozen=True)
class ReturnTask:
    """`reason` is a code of the package's ``[[returns]]``; `basis` a rule, or other evidence."""

    actor: Actor
    task_id: str
    reason: str
    basis: str = ""
    revision: int | None = None


def return_task(work: Work, command: ReturnTask) -> Task:
    """Return the task; the task that is now to be decided is opened.

    Raises NotFound, NotAllowed, TaskNotOpen, TaskNotYours, QuestionOpen, StaleRevision,
    ReturnRefused(why) with ``not_offered``, ``final``, ``accepted`` or ``too_late``, or
    AnswersInvalid(fields).
    """
    actor = command.actor
    case, task = staff_task(work, actor, command.task_id, command.revision)
    actor = _as_returner(work, actor, case, task)
    made = definition_for(work, case.package_version_id)
    rules = made.manifest.dispatch
    _must_be_returnable(work, made, case, task)
    title = _checked(rules, command)
    dispute = dispute_of(case.dispatch, task.element).returned()
    kind = dispute.decider
    desk = rules.dispatcher if kind == "redispatch" else rules.adjudicator
    case.dispatch = with_dispute(case.dispatch, task.element, dispute)
    _leave(work, task, command, actor, dispute.returns)
    if task.joint is not None:
        ask_nobody_jointly(work, task)
        task.joint = None
    assert desk is not None  # noqa: S101 - publishing a package with returns sees to it
    open_part(work, made, case, task, kind, desk)
    follow_departments(work, made, case)
    case.returns += 1
    case.department = desk.department
    case.revision += 1
    record(
        work,
        case,
        "task_returned",
        actor,
        element=task.element,
        department=task.department,
        number=dispute.returns,
        reason=title,
        basis=command.basis.strip()[:LONGEST],
    )
    return task


def _as_returner(work: Work, actor: Actor, case: Case, task: Task) -> Actor:
    if task.assignee_id is not None and "manager" not in actor.roles:
        return as_holder(work, actor, case, task)
    if not may_take_task(actor, task.audience, task.department, task.role):
        raise TaskNotYours if task.assignee_id is not None else NotAllowed
    return actor


def may_be_returned(made: Definition, task: Task) -> bool:
    """Whether the package lets departments return such a task at all."""
    element = made.process.elements.get(task.element)
    marked = element is not None and element.properties.get("returnable") == "true"
    dispatched = task.dispatch_reason is not None or marked
    return made.manifest.dispatch.returns and task.part_of is None and dispatched


def _must_be_returnable(work: Work, made: Definition, case: Case, task: Task) -> None:
    if not may_be_returned(made, task):
        raise ReturnRefused(why="not_offered")
    refusal = dispute_of(case.dispatch, task.element).refusal()
    if refusal is not None:
        raise ReturnRefused(why=refusal)
    calendar = work.ports.calendars.of_department(task.department)
    limit = made.manifest.dispatch_limit(case.service, "return")
    until = due(limit, task.came_at or task.opened_at, calendar)
    if until < work.now:
        raise ReturnRefused(why="too_late", until=calendar.local_date(until).isoformat())


def _checked(rules: DispatchRules, command: ReturnTask) -> str:
    """The reason in Chinese and English. Raises AnswersInvalid."""
    reason = rules.reasons.get(command.reason)
    if reason is None:
        raise AnswersInvalid(fields=(FieldError("reason", "not_an_option", {}),))
    if reason.needs_basis and not command.basis.strip():
        raise AnswersInvalid(fields=(FieldError("basis", "required", {}),))
    return reason.code


def _leave(work: Work, task: Task, command: ReturnTask, actor: Actor, number: int) -> None:
    work.rows.insert(
        TaskMove,
        {
            "id": new_id(),
            "case_id": task.case_id,
            "task_id": task.id,
            "kind": "return",
            "number": number,
            "department": task.department,
            "came_at": task.came_at or task.opened_at,
            "left_at": work.now,
            "by_id": actor.user_id,
            "reason": command.reason,
            "basis": command.basis.strip()[:LONGEST],
        },
    )
    task.state = "held"
    task.assignee_id = task.claimed_at = task.owner_id = task.question = None
