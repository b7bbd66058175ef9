"""What a changed rule of dispatch would move: told beforehand, and carried out when wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from engine.domain.access import Actor, may_preview_dispatch
from engine.domain.ports import Ports
from engine.kernel.errors import ExecutionFailed, NotAllowed, NotFound
from engine.store.tables import Case, CaseState, PackageVersion, Task
from engine.store.uow import ReadSession, Work
from engine.usecases.case_lock import locked_task, must_be_open, state_of
from engine.usecases.definition import (
    Contents,
    Definition,
    definition,
    definition_for,
    offered_for,
)
from engine.usecases.opening import Placement, ruled
from engine.usecases.reassign import Reassigned, ReassignTask, reassign

MOST = 2_000
"""Open tasks that are looked at."""


@dataclass(frozen=True)
class WouldMove:
    """An open task, and where the rule takes it; `to` is None where no rule fits, and `text` is
    then the reason's code."""

    task: Task
    case: Case
    to: str | None
    rule: int | None
    text: str


def would_move(
    session: ReadSession, ports: Ports, key: str, candidate: Contents
) -> Iterator[WouldMove]:
    """The open tasks of the package `key` that would go elsewhere by the candidate's rules.

    Left out are those whose department was decided by a person.
    """
    rows = session.execute(
        select(Task, Case)
        .join(Case, Case.id == Task.case_id)
        .join(PackageVersion, PackageVersion.id == Case.package_version_id)
        .where(
            Case.state == "open",
            PackageVersion.key == key,
            Task.state == "open",
            Task.part_of.is_(None),
            Task.dispatch_reason.is_not(None),
        )
        .order_by(Task.opened_at, Task.id)
        .limit(MOST)
    )
    for task, case in rows:
        if task.dispatch_reason.get("by") != "rule":
            continue
        made = definition(session, case.package_version_id, ports)
        state = session.get_one(CaseState, case.id).state
        try:
            place = _place(made, candidate, task, state)
        except ExecutionFailed as failed:
            yield WouldMove(task, case, None, None, str(failed.params.get("reason")))
            continue
        if place is not None and place.department != task.department:
            reason = place.reason or {}
            rule, text = reason.get("rule"), str(reason.get("text") or "")
            yield WouldMove(task, case, place.department, rule, text)


def _place(made: Definition, candidate: Contents, task: Task, state: bytes) -> Placement | None:
    """Where the candidate's rules would have the task; None if they do not know its element."""
    element = candidate.process.elements.get(task.element)
    if element is None:
        return None
    fixed = element.properties.get("department")
    if fixed:
        # An expression holds for tasks that open from now on.
        return None if fixed.startswith("=") else Placement(fixed, task.role, task.priority)
    table = element.properties.get("dispatch_table") or candidate.manifest.dispatch.table
    if not table:
        return None
    data = made.process.seen_by(state, task.key).data
    return ruled(candidate, table, data, task.element, task.role, task.priority)


@dataclass(frozen=True)
class MoveByRule:
    actor: Actor
    task_id: str
    reason: str = ""


def move_by_rule(work: Work, command: MoveByRule) -> Reassigned | None:
    """Give the task to the department that the rules in force name; None if it is there.

    Raises NotAllowed, NotFound, TaskNotOpen, ExecutionFailed if no rule fits.
    """
    if not may_preview_dispatch(command.actor):
        raise NotAllowed
    case, task = locked_task(work, command.task_id)
    if (task.dispatch_reason or {}).get("by") != "rule":
        raise NotFound(what="task")
    must_be_open(case, task)
    made = definition_for(work, case.package_version_id)
    place = _place(made, offered_for(work, case.service), task, state_of(work, case).state)
    if place is None or place.department == task.department:
        return None
    by_rule = dict(place.reason or {"by": "rule"})
    reason = command.reason.strip() or str(by_rule.get("text") or "")
    wanted = ReassignTask(
        command.actor, task.id, reason, department=place.department, by_rule=by_rule
    )
    return reassign(work, wanted)
