"""Merge cases of one matter (并单): the later ones follow the main one, and are answered with it.

Each complainant keeps number, dates, reply and rating. Nobody works on a case that follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor, may_see_case
from engine.domain.joint import joint_from_mapping
from engine.kernel.errors import MergeRefused, NotFound
from engine.store.audit import record
from engine.store.tables import Case, Task
from engine.store.uow import Work
from engine.usecases.case_lock import lock_cases
from engine.usecases.definition import definition_for
from engine.usecases.department_clocks import follow_departments
from engine.usecases.joint_parts import open_joint_parts

_HOLD = (
    "UPDATE tasks SET state = 'held' WHERE case_id = %s AND state = 'open' AND audience = 'staff'"
)
_PARTS = (
    "SELECT COUNT(*) FROM tasks WHERE case_id = %s AND part_of IS NOT NULL "
    "AND state IN ('open', 'held', 'planned')"
)


@dataclass(frozen=True)
class MergeCases:
    """The case is to follow `main_id`."""

    actor: Actor
    case_id: str
    main_id: str


def merge(work: Work, command: MergeCases) -> Case:
    """Let the case follow the main one; the case as it then is.

    Done by the department that has the case, and sees the main one. Raises NotFound, or
    MergeRefused(why): ``itself``, ``elsewhere``, ``service``, ``closed``, ``follows``,
    ``followed``, ``contested`` or ``version``.
    """
    actor = command.actor
    if command.case_id == command.main_id:
        _find(work, actor, command.case_id)
        raise MergeRefused(why="itself", reference="")
    lock_cases(work, [command.case_id, command.main_id])
    case, main = _find(work, actor, command.case_id), _find(work, actor, command.main_id)
    _must_have(actor, case)
    _check(work, case, main)
    case.main_id = main.id
    main.followers += 1
    work.rows.later(_HOLD, case.id)
    for each, other, kind in ((case, main, "case_merged"), (main, case, "case_followed")):
        each.revision += 1
        record(work, each, kind, actor, reference=other.reference)
    return case


def _find(work: Work, actor: Actor, case_id: str) -> Case:
    """A case the actor may see. Raises NotFound."""
    case = work.rows.get(Case, case_id)
    if case is not None:
        found = work.rows.values(
            "SELECT department FROM tasks WHERE case_id = %s AND department IS NOT NULL "
            "UNION SELECT department FROM task_moves WHERE case_id = %s",
            case_id,
            case_id,
        )
        if actor.is_staff and may_see_case(actor, "", {code for (code,) in found}):
            return case
    raise NotFound(what="case")


def _must_have(actor: Actor, case: Case) -> None:
    """The department that has the case decides whether it follows another."""
    if not actor.oversees_office and case.department != actor.department:
        raise MergeRefused(why="elsewhere", reference=case.reference)


def _check(work: Work, case: Case, main: Case) -> None:
    for each in (case, main):
        if each.state != "open" or each.decided_at is not None:
            raise MergeRefused(why="closed", reference=each.reference)
        if each.main_id is not None:
            raise MergeRefused(why="follows", reference=each.reference)
    if case.service != main.service:
        raise MergeRefused(why="service", reference=main.reference)
    if case.followers:
        raise MergeRefused(why="followed", reference=case.reference)
    if work.rows.values(_PARTS, case.id)[0][0]:
        raise MergeRefused(why="contested", reference=case.reference)
    own = definition_for(work, case.package_version_id)
    others = definition_for(work, main.package_version_id)
    if set(others.letters) - set(own.letters):
        raise MergeRefused(why="version", reference=main.reference)


@dataclass(frozen=True)
class UnmergeCase:
    actor: Actor
    case_id: str


def unmerge(work: Work, command: UnmergeCase) -> Case:
    """The case goes its own way again. Raises NotFound, or MergeRefused(why): ``alone``,
    ``elsewhere`` or ``answered``."""
    found = work.rows.values("SELECT main_id FROM cases WHERE id = %s", command.case_id)
    main_id = found[0][0] if found else None
    lock_cases(work, [each for each in (command.case_id, main_id) if each])
    case = _find(work, command.actor, command.case_id)
    if case.main_id is None or case.main_id != main_id:
        raise MergeRefused(why="alone", reference=case.reference)
    _must_have(command.actor, case)
    if case.state != "open" or case.decided_at is not None:
        raise MergeRefused(why="answered", reference=case.reference)
    part(work, case, work.rows.get_one(Case, case.main_id), command.actor)
    return case


def part(work: Work, case: Case, main: Case, actor: Actor, locked: bool = True) -> None:
    """Its tasks may be worked on again. `locked` is whether the main case's row is, too."""
    case.main_id = None
    case.revision += 1
    record(work, case, "case_unmerged", actor, reference=main.reference)
    if locked:
        main.followers -= 1
        main.revision += 1
        record(work, main, "case_unfollowed", actor, reference=case.reference)
    made = definition_for(work, case.package_version_id)
    for task in work.rows.select(Task, "case_id = %s AND state = 'held'", case.id):
        task.state = "open"
        joint = joint_from_mapping(task.joint)
        if joint.waiting:
            open_joint_parts(work, made, case, task, joint, joint.waiting, "")
    follow_departments(work, made, case)
