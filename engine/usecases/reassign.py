"""Reassign a task: to a colleague, back to the queue, or to another department."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor, manages, may_take_task
from engine.domain.dispatch import Dispute, dispute_of, with_dispute
from engine.kernel.errors import HandOverRefused, NotAllowed, NotFound
from engine.kernel.ids import new_id
from engine.store.audit import record
from engine.store.tables import Case, Department, Task, TaskMove
from engine.store.uow import Work
from engine.usecases.case_lock import locked_task, must_be_open
from engine.usecases.definition import definition_for
from engine.usecases.delegate import present_colleague
from engine.usecases.department_clocks import follow_departments
from engine.usecases.parts import ask_nobody_jointly, named


@dataclass(frozen=True)
class ReassignTask:
    """Without `department` it stays where it is; without `assignee_id` it goes to the queue.

    A `trial` checks and changes nothing. `by_rule` is set where a rule of dispatch moves it.
    """

    actor: Actor
    task_id: str
    reason: str
    assignee_id: str | None = None
    department: str | None = None
    trial: bool = False
    by_rule: dict[str, object] | None = None


@dataclass(frozen=True)
class Reassigned:
    """What became of the task, or would."""

    task_id: str
    case_id: str
    department: str | None
    assignee_name: str | None


def reassign(work: Work, command: ReassignTask) -> Reassigned:
    """Give the task to somebody else. Only who looks after the whole office moves it to another
    department; a manager's own department returns it instead.

    Raises NotFound, NotAllowed, TaskNotOpen, HandOverRefused(why).
    """
    actor = command.actor
    case, task = _managed(work, command)
    department = command.department or task.department
    if department != task.department:
        _must_be_movable(work, command, task)
    name = None
    if command.assignee_id is not None:
        target = Task(department=department)
        person = present_colleague(work, command.assignee_id, target)
        if not may_take_task(person, task.audience, department, task.role):
            raise HandOverRefused(why="role", name=person.display_name)
        name = person.display_name
    made = Reassigned(task.id, case.id, department, name)
    if command.trial:
        return made
    if department != task.department:
        _move(work, case, task, actor, command, str(department))
        follow_departments(work, definition_for(work, case.package_version_id), case)
    task.assignee_id = command.assignee_id
    task.claimed_at = work.now if command.assignee_id else None
    task.owner_id = None
    if task.part_of is None:
        task.question = None
    case.revision += 1
    record(
        work,
        case,
        "task_reassigned",
        actor,
        **named(task),
        department=department,
        name=name or "",
        reason=command.reason.strip()[:500],
    )
    return made


def _managed(work: Work, command: ReassignTask) -> tuple[Case, Task]:
    """The task of a department that the actor manages. Raises NotFound for another's."""
    case, task = locked_task(work, command.task_id)
    by_rule = command.by_rule is not None
    if task.audience != "staff" or not (by_rule or manages(command.actor, task.department)):
        raise NotFound(what="task")
    must_be_open(case, task)
    return case, task


def _must_be_movable(work: Work, command: ReassignTask, task: Task) -> None:
    if command.by_rule is None and not command.actor.oversees_office:
        raise NotAllowed
    if work.rows.get(Department, command.department) is None:
        raise HandOverRefused(why="department_unknown", name=command.department)
    if task.part_of is not None:
        raise HandOverRefused(why="serves_another", name="")


def _move(
    work: Work, case: Case, task: Task, actor: Actor, command: ReassignTask, department: str
) -> None:
    work.rows.insert(
        TaskMove,
        {
            "id": new_id(),
            "case_id": case.id,
            "task_id": task.id,
            "kind": "reassign",
            "number": 0,
            "department": task.department,
            "came_at": task.came_at or task.opened_at,
            "left_at": work.now,
            "by_id": actor.user_id,
            "reason": "rule" if command.by_rule else "manager",
            "basis": command.reason.strip()[:2_000],
            "to_department": department,
            "decided_at": work.now,
            "decided_by": actor.user_id,
        },
    )
    dispute: Dispute = dispute_of(case.dispatch, task.element)
    if dispute.department is not None or command.by_rule is None:
        moved = Dispute(department, dispute.returns, dispute.settled)
        case.dispatch = with_dispute(case.dispatch, task.element, moved)
    task.department, task.came_at = department, work.now
    by_hand = {"by": "reassigned", "text": command.reason.strip()[:300]}
    task.dispatch_reason = command.by_rule or by_hand
    case.department = department
    if task.joint is not None and department in (task.joint["waiting"] or ()):
        ask_nobody_jointly(work, task)
        task.joint = None
