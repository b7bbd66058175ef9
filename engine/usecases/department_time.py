"""How long each department has had a case's tasks.

A department's clock starts when a task of staff is opened for it or comes to it, and stops when
the task is finished, given up, returned or moved. The applicant's clocks do not know of it.
`stays` alone says so: for the time that is shown, and for the limit that a package may set its
departments (`engine.usecases.department_clocks`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from engine.domain.lifecycle import WAITING_STATES
from engine.store.statements import Query
from engine.store.tables import Task, TaskMove
from engine.store.uow import ReadSession, Work


@dataclass(frozen=True)
class Stay:
    """A department had a task from `since` to `until`; None while it still has it."""

    department: str
    task_id: str
    since: datetime
    until: datetime | None
    returned: bool = False


def stays(tasks: Iterable[Task], moves: Iterable[TaskMove]) -> Iterator[Stay]:
    """Every stay of the tasks with a department: this alone says when its clock starts and stops.

    Who decides a return has a task of their own meanwhile, whose stay is counted like any other.
    """
    left: dict[str, list[TaskMove]] = defaultdict(list)
    for move in moves:
        left[move.task_id].append(move)
    for task in tasks:
        if task.audience != "staff" or task.department is None or task.state == "planned":
            continue
        for move in left[task.id]:
            returned = move.kind == "return"
            yield Stay(move.department, task.id, move.came_at, move.left_at, returned)
        if all(move.decided_at is not None for move in left[task.id]):
            since = task.came_at or task.opened_at
            yield Stay(task.department, task.id, since, task.finished_at)


def time_by_department(found: Iterable[Stay], now: datetime) -> dict[str, timedelta]:
    """How long each department had something of the case to do; at once is counted once."""
    periods: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for stay in found:
        periods[stay.department].append((stay.since, stay.until or now))
    return {department: _together(each) for department, each in sorted(periods.items())}


def _together(periods: Sequence[tuple[datetime, datetime]]) -> timedelta:
    total, end = timedelta(), None
    for since, until in sorted(periods):
        begin = since if end is None else max(since, end)
        total += max(until - begin, timedelta())
        end = until if end is None else max(end, until)
    return total


def holding_now(work: Work, case_id: str) -> set[str]:
    """The departments that have something of the case to do now. What was changed is flushed."""
    tasks, moves = work.rows.fetch(
        Query(
            Task, "case_id = %s AND audience = 'staff' AND state IN %s", (case_id, WAITING_STATES)
        ),
        Query(TaskMove, "case_id = %s AND decided_at IS NULL", (case_id,)),
    )
    return {stay.department for stay in stays(tasks, moves) if stay.until is None}


def department_time(session: ReadSession, case_id: str, now: datetime) -> dict[str, timedelta]:
    """As `time_by_department`, of a case."""
    tasks = session.scalars(select(Task).where(Task.case_id == case_id)).all()
    moves = session.scalars(select(TaskMove).where(TaskMove.case_id == case_id)).all()
    return time_by_department(stays(tasks, moves), now)
