"""Claim a task: exactly one person gets it, the other is told who has it."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass

from engine.domain.access import Actor, handles_tasks, may_take_task
from engine.domain.lifecycle import STAFF_ROLES
from engine.kernel.errors import NotAllowed, TaskAlreadyClaimed
from engine.store.audit import record
from engine.store.statements import Join, Query
from engine.store.tables import Case, Task, User
from engine.store.uow import Work
from engine.usecases.case_lock import staff_task
from engine.usecases.parts import named
from engine.usecases.substitution import NOW, Substituted, as_taker, substituted

LOOKED_AT = 50
"""How many of the most urgent tasks are tried before more are read."""


@dataclass(frozen=True)
class ClaimTask:
    """`revision` refuses to act on a case that has changed meanwhile."""

    actor: Actor
    task_id: str
    revision: int | None = None


def claim(work: Work, command: ClaimTask) -> Task:
    """Give the task to the actor; claiming one's own task again changes nothing.

    A substitute takes it for the one who is away, whose task it then is. Raises NotFound,
    NotAllowed, SkillMissing, TaskNotOpen, StaleRevision, or TaskAlreadyClaimed(holder).
    """
    actor = command.actor
    case, task = staff_task(work, actor, command.task_id, command.revision)
    if task.assignee_id == actor.user_id:
        return task
    if task.assignee_id is not None:
        if task.assignee_id in {each.actor.user_id for each in substituted(work, actor)}:
            return task
        holder = work.rows.get(User, task.assignee_id)
        raise TaskAlreadyClaimed(holder=holder.display_name if holder else "")
    actor = as_taker(work, actor, case, task)
    task.assignee_id = actor.holder_id
    task.claimed_at = work.now
    case.revision += 1
    record(work, case, "task_claimed", actor, **named(task))
    return task


@dataclass(frozen=True)
class ClaimNextTask:
    actor: Actor


def claim_next(work: Work, command: ClaimNextTask) -> Task | None:
    """Claim the most urgent task the actor may take, or None when there is none."""
    actor = command.actor
    if not handles_tasks(actor) or actor.department is None:
        raise NotAllowed
    takers = _Takers([Substituted(actor, frozenset())])
    first = _first_free(work, actor, takers)
    if first is not None:
        return claim(work, ClaimTask(actor, first))
    with _asking as others:
        return _take_next(work, actor, takers, others)


@dataclass
class _Takers:
    """The one who asks, and once they are known those for whom they act."""

    all: list[Substituted]
    complete: bool = False

    def condition(self) -> tuple[str, list[object]]:
        """What a task must be so that one of them may take it."""
        parts, params = [], []
        for each in self.all:
            department = each.actor.department
            roles = [r for r in STAFF_ROLES if may_take_task(each.actor, "staff", department, r)]
            part = "role IN %s AND (skill IS NULL OR skill IN %s)"
            params += [roles or [""], sorted(each.actor.skills) or [""]]
            if each.services:
                part += " AND case_id IN (SELECT id FROM cases WHERE service IN %s)"
                params.append(sorted(each.services))
            parts.append(f"({part})")
        return f"({' OR '.join(parts)})", list(params)


class _Asking:
    """How many others ask for their next task in this process at the same time."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0

    def __enter__(self) -> int:
        with self._lock:
            self._count += 1
            return self._count - 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1


_asking = _Asking()


def _spread(ids: list[str], others: int) -> list[str]:
    """The order in which to try the tasks: many who ask at once must not all try the first."""
    first = random.sample(ids[: 1 + 4 * others], min(len(ids), 1 + 4 * others))
    rest = ids[len(first) :]
    return first + random.sample(rest, len(rest))


def _take_next(work: Work, actor: Actor, takers: _Takers, others: int) -> Task | None:
    passed: list[str] = []
    while True:
        ids = _most_urgent(work, actor, takers, passed)
        for task_id in _spread(ids, others):
            # Somebody else's step on that case goes first: ours is another task.
            if not _free_to_lock(work, task_id):
                continue
            task = work.rows.get_one(Task, task_id)
            if task.state == "open" and task.assignee_id is None:
                return claim(work, ClaimTask(actor, task_id))
        if len(ids) < LOOKED_AT:
            return None
        passed += ids


def _first_free(work: Work, actor: Actor, takers: _Takers) -> str | None:
    """The most urgent task with a date, locked with its case; None for one who acts for others.

    Passes over what others have locked, if only for a look: None does not mean that there is none.
    """
    condition, params = takers.condition()
    found = work.rows.joined(
        Join(
            {"t": Task, "c": Case},
            "tasks t USE INDEX (ix_tasks_free) STRAIGHT_JOIN cases c ON c.id = t.case_id "  # noqa: S608
            "WHERE t.department = %s AND t.audience = 'staff' AND t.state = 'open' "
            f"AND t.assignee_id IS NULL AND t.due_at IS NOT NULL AND {condition} "
            f"AND NOT EXISTS (SELECT a.id FROM absences a WHERE {NOW}) "
            "ORDER BY t.due_at, t.id LIMIT 1",
            (actor.department, *params, actor.user_id, work.now, work.now),
            skip_locked=True,
        )
    )
    for task, case in found:
        work.locked.add(case.id)
        return str(task.id)
    return None


def _most_urgent(work: Work, actor: Actor, takers: _Takers, passed: list[str]) -> list[str]:
    condition, params = takers.condition()
    where = (
        "department = %s AND audience = 'staff' AND state = 'open' AND assignee_id IS NULL "
        f"AND {condition}"
    )
    params = [actor.department, *params]
    if passed:
        where += " AND id NOT IN %s"
        params.append(passed)
    dated, undated, away = work.rows.values_of_each(
        *(
            (
                f"SELECT id FROM tasks USE INDEX (ix_tasks_free) "  # noqa: S608
                f"WHERE {where} AND {due} ORDER BY due_at, id LIMIT %s",
                (*params, LOOKED_AT),
            )
            for due in ("due_at IS NOT NULL", "due_at IS NULL")
        ),
        # Asked in the same round trip: hardly anybody acts for another.
        (
            f"SELECT a.id FROM absences a WHERE {NOW} LIMIT 1",  # noqa: S608
            (actor.user_id, work.now, work.now),
        ),
    )
    if away and not takers.complete:
        takers.all += substituted(work, actor)
        takers.complete = True
        return _most_urgent(work, actor, takers, passed)
    return [id_ for (id_,) in dated + undated][:LOOKED_AT]


def _free_to_lock(work: Work, task_id: str) -> bool:
    """Lock the task's case unless somebody has it locked, and read the task."""
    cases, _ = work.rows.fetch(
        Query(Case, "id = (SELECT case_id FROM tasks WHERE id = %s)", (task_id,), skip_locked=True),
        Query(Task, "id = %s", (task_id,)),
    )
    work.locked.update(case.id for case in cases)
    return bool(cases)
