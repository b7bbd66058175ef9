"""The clock of a task that has a limit: begun when the task opens, stopped when it closes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from engine.domain import sla
from engine.domain.access import SYSTEM
from engine.domain.clock_terms import UNDECLARED
from engine.domain.process import OpenTask
from engine.kernel.errors import ExecutionFailed
from engine.store.tables import Case, Task
from engine.store.uow import Work
from engine.usecases.clock_calendar import clock_calendar
from engine.usecases.clock_rows import clocks_of, keep_clock
from engine.usecases.definition import Definition


def task_clock(key: str) -> str:
    """The key of the clock of the task with this key."""
    return f"task:{key}"


def start_task_clock(
    work: Work, made: Definition, case: Case, task: OpenTask, limit: str, department: str | None
) -> datetime:
    """Begin to count the task's limit; when it ends. Raises ExecutionFailed for an unknown one.

    A task of staff is counted where their `department` works, the applicant's on the service's
    calendar.
    """
    try:
        counted = made.manifest.limit(case.service, limit)
    except KeyError:
        raise ExecutionFailed(element=task.element, reason="limit_missing", limit=limit) from None
    staff = task.properties.get("audience") != "applicant"
    office = (department or "") if staff else ""
    calendar = clock_calendar(work.ports.calendars, made, case, office)
    clock, line = sla.start(
        counted, work.now, calendar, limit_name=limit, begun_by=task.element, department=office
    )
    terms = made.manifest.terms("task") or UNDECLARED["task"]
    keep_clock(work, made, case, terms, task_clock(task.key), clock, line, SYSTEM, audited=False)
    return clock.due_at


def stop_task_clocks(work: Work, made: Definition, case: Case, closed: Collection[str]) -> None:
    """Stop the clocks of the tasks that closed in this step; reads nothing if none had a limit."""
    known = {task.key: task for task in work.rows.known_of_case(Task, case.id)}
    limited = {key for key in closed if key not in known or known[key].due_at is not None}
    if not limited or not made.tasks_have_limits:
        return
    clocks, terms = clocks_of(work, case), made.manifest.terms("task") or UNDECLARED["task"]
    for key in sorted(limited):
        row = clocks.get(task_clock(key))
        if row is not None and row.state != "stopped":
            before = sla.clock_from_mapping(row.body)
            calendar = clock_calendar(work.ports.calendars, made, case, before)
            clock, line = sla.stop(before, work.now, calendar)
            keep_clock(work, made, case, terms, row.key, clock, line, SYSTEM, audited=False)
