"""The case's row first: one lock order for every command, so that no two can deadlock."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain.access import Actor, handles_tasks
from engine.kernel.errors import CaseNotOpen, NotFound, StaleRevision, TaskNotOpen
from engine.kernel.faults import crash_point
from engine.store.statements import Join, Query
from engine.store.tables import Case, CaseState, Task
from engine.store.uow import Work


def lock_cases(work: Work, case_ids: Sequence[str]) -> None:
    """Lock cases and read them with their states, in one round trip."""
    ids = sorted(set(case_ids) - work.locked)
    if ids:
        cases, _ = work.rows.fetch(
            Query(Case, "id IN %s ORDER BY id", (ids,), lock=True),
            Query(CaseState, "case_id IN %s", (ids,)),
        )
        work.locked.update(case.id for case in cases)


def lock_cases_of_tasks(work: Work, task_ids: Sequence[str]) -> None:
    """Lock the cases of tasks; read them with their states and these tasks, in one round trip."""
    ids = [task_id for task_id in task_ids if not _recalled(work, task_id)]
    if not ids:
        return
    if len(ids) == 1:
        # The case's row is found, and locked, first.
        found = work.rows.joined(
            Join(
                {"c": Case, "s": CaseState, "t": Task},
                "cases c STRAIGHT_JOIN case_states s ON s.case_id = c.id "
                "STRAIGHT_JOIN tasks t ON t.case_id = c.id "
                "WHERE c.id = (SELECT case_id FROM tasks WHERE id = %s) AND t.id = %s",
                (ids[0], ids[0]),
                lock=True,
            )
        )
        work.locked.update(case.id for case, _, _ in found)
        crash_point("case_locked")
        return
    owners = "(SELECT case_id FROM tasks WHERE id IN %s)"
    cases, _, _ = work.rows.fetch(
        Query(Case, f"id IN {owners} ORDER BY id", (ids,), lock=True),
        Query(CaseState, f"case_id IN {owners}", (ids,)),
        Query(Task, "id IN %s", (ids,)),
    )
    work.locked.update(case.id for case in cases)


def _recalled(work: Work, task_id: str) -> bool:
    """Whether the task's case is one this process has just written; nothing is locked then."""
    case_id = work.recent.recall(work.rows, task_id) if work.recent is not None else None
    if case_id is None:
        return False
    work.locked.add(case_id)
    work.recalled.add(case_id)
    return True


def lock_case(work: Work, case_id: str, revision: int | None = None) -> Case:
    """The case, locked. Raises NotFound, or StaleRevision if `revision` is not its revision."""
    lock_cases(work, [case_id])
    case = work.rows.get(Case, case_id) if case_id in work.locked else None
    if case is None:
        raise NotFound(what="case")
    if revision is not None and revision != case.revision:
        raise StaleRevision(revision=case.revision)
    return case


def lock_open_task(work: Work, task_id: str, revision: int | None = None) -> tuple[Case, Task]:
    """An open task with its case locked.

    Raises NotFound, CaseNotOpen, TaskNotOpen or StaleRevision.
    """
    case, task = locked_task(work, task_id)
    must_be_open(case, task, revision)
    return case, task


def staff_task(
    work: Work, actor: Actor, task_id: str, revision: int | None = None
) -> tuple[Case, Task]:
    """As `lock_open_task`, for a task of the actor's own department; otherwise NotFound."""
    if not handles_tasks(actor):
        raise NotFound(what="task")
    case, task = locked_task(work, task_id)
    if task.audience != "staff" or task.department != actor.department:
        raise NotFound(what="task")
    must_be_open(case, task, revision)
    return case, task


def state_of(work: Work, case: Case) -> CaseState:
    """The state of a locked case."""
    return work.rows.get_one(CaseState, case.id)


def locked_task(work: Work, task_id: str) -> tuple[Case, Task]:
    """A task, open or not, with its case locked. Raises NotFound."""
    task = work.rows.known(Task, task_id)
    if task is None or task.case_id not in work.locked:
        lock_cases_of_tasks(work, [task_id])
        task = work.rows.known(Task, task_id)
    if task is None:
        raise NotFound(what="task")
    return work.rows.get_one(Case, task.case_id), task


def must_be_open(case: Case, task: Task, revision: int | None = None) -> None:
    """Raises StaleRevision, TaskNotOpen or CaseNotOpen."""
    if revision is not None and revision != case.revision:
        raise StaleRevision(revision=case.revision)
    if task.state != "open":
        raise TaskNotOpen
    if case.state != "open":
        raise CaseNotOpen
