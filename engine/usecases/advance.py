"""Write down a step of the process: its effects, the tasks and timers that wait, and the end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.domain.access import Actor
from engine.domain.calendar import WorkingCalendar
from engine.domain.lifecycle import CaseState as LifecycleState
from engine.domain.lifecycle import waiting_for
from engine.domain.limit import due
from engine.domain.process import OpenTask, Step
from engine.domain.schedule import timer_instant
from engine.kernel.errors import ExecutionFailed
from engine.kernel.faults import defect
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.audit import record
from engine.store.tables import Case, CaseState, Task
from engine.store.uow import Work
from engine.usecases.clocks import stop_clocks
from engine.usecases.definition import Definition
from engine.usecases.effects import apply_effect
from engine.usecases.waiting import (
    send_thrown,
    stop_waiting,
    sync_external_jobs,
    sync_subscriptions,
)

TIMER = "timer"


def advance(work: Work, made: Definition, case: Case, step: Step, actor: Actor) -> None:
    """Bring the case's rows to where `step` stands. The case's row is locked by the caller."""
    row = work.rows.known(CaseState, case.id)
    if row is None:
        work.rows.add(CaseState(case_id=case.id, state=step.state))
    elif not defect("state_forgotten"):
        row.state = step.state
    record(work, case, "process_advanced", actor, passed=list(step.passed))
    for effect in step.effects:
        apply_effect(work, made, case, effect, actor)
    _sync_tasks(work, made, case, step)
    _sync_timers(work, made, case, step)
    sync_subscriptions(work, case, step)
    sync_external_jobs(work, case, step)
    send_thrown(work, case, step)
    case.revision += 1
    if step.finished:
        record(work, case, "case_closed", actor, outcome=case.outcome)
        end_case(work, case, "closed")


def end_case(work: Work, case: Case, state: LifecycleState) -> None:
    """Close the case: nothing waits any more, and its clocks stop."""
    work.rows.later(
        "UPDATE tasks SET state = 'cancelled', finished_at = %s "
        "WHERE case_id = %s AND state = 'open'",
        work.now,
        case.id,
    )
    jobs.cancel(work, case.id, TIMER)
    stop_waiting(work, case)
    stop_clocks(work, case)
    case.state = state
    case.stage = "finished"
    case.waiting_for = "nobody"
    case.closed_at = work.now
    case.revision += 1


def _sync_tasks(work: Work, made: Definition, case: Case, step: Step) -> None:
    # The one that was completed has its new state already.
    done = {row.key for row in work.rows.all_known(Task) if row.state != "open"}
    cancelled = step.closed.tasks - done
    if cancelled:
        work.rows.later(
            "UPDATE tasks SET state = 'cancelled', finished_at = %s "
            "WHERE case_id = %s AND `key` IN %s AND state = 'open'",
            work.now,
            case.id,
            sorted(cancelled),
        )
    audiences = set()
    for task in step.tasks:
        audience = str(task.properties.get("audience") or "staff")
        if str(task.properties.get("kind") or "") != "rating":
            audiences.add(audience)
        if task.key in step.opened.tasks:
            department = _open_task(work, made, case, task)
            if audience == "staff":
                case.department = department
    case.waiting_for = waiting_for(audiences)


def _open_task(work: Work, made: Definition, case: Case, task: OpenTask) -> str | None:
    """Write the task down; the department that has it."""
    settings = task.properties
    limit, department = settings.get("limit"), _department(task, case)
    work.rows.insert(
        Task,
        {
            "id": new_id(),
            "case_id": case.id,
            "key": task.key,
            "element": task.element,
            "kind": str(settings.get("kind") or ""),
            "audience": str(settings.get("audience") or "staff"),
            "department": department,
            "role": str(settings.get("role") or "caseworker"),
            "priority": _priority(settings.get("priority")),
            "form": settings.get("form"),
            "saves_as": settings.get("saves_as"),
            "corrects": settings.get("corrects"),
            "flagged": [str(name) for name in settings.get("flagged") or []],
            "state": "open",
            "due_at": _task_due(work, made, case, task, department) if limit else None,
            "opened_at": work.now,
        },
    )
    return department


def _department(task: OpenTask, case: Case) -> str | None:
    if task.properties.get("audience") == "applicant":
        return None if task.properties.get("kind") == "rating" else case.department
    department = task.properties.get("department")
    if not department:
        raise ExecutionFailed(element=task.element, reason="no_department")
    return str(department)


def _priority(value: Any) -> int:
    try:
        return min(4, max(1, int(value)))
    except (TypeError, ValueError):
        return 3


def _task_due(
    work: Work, made: Definition, case: Case, task: OpenTask, department: str | None
) -> datetime:
    """A task of staff is counted on their office's calendar, the applicant's on the service's."""
    calendars = work.ports.calendars
    staff = task.properties.get("audience") != "applicant"
    name = made.manifest.calendar_of(case.service)
    calendar = calendars.of_department(department) if staff else calendars.named(name)
    return limit_due(work, made, case, str(task.properties["limit"]), task.element, calendar)


def limit_due(
    work: Work, made: Definition, case: Case, name: str, element: str, calendar: WorkingCalendar
) -> datetime:
    """The instant at which the limit `name`, counted from now, ends. Raises ExecutionFailed."""
    try:
        limit = made.manifest.limit(case.service, name)
    except KeyError:
        raise ExecutionFailed(element=element, reason="limit_missing", limit=name) from None
    return due(limit, work.now, calendar)


def _sync_timers(work: Work, made: Definition, case: Case, step: Step) -> None:
    if step.closed.timers and not defect("timer_kept"):
        work.rows.later(
            "DELETE FROM jobs WHERE unique_key IN %s AND state IN ('waiting', 'running', 'failed')",
            [f"{case.id}:{key}" for key in sorted(step.closed.timers)],
        )
    for timer in step.timers:
        if timer.key not in step.opened.timers:
            continue
        if timer.value.startswith("limit:"):
            name = timer.value.removeprefix("limit:")
            calendar = work.ports.calendars.named(made.manifest.calendar_of(case.service))
            at = limit_due(work, made, case, name, timer.element, calendar)
        else:
            at = timer_instant(timer.value, work.now, timer.element)
        jobs.promise(
            work,
            TIMER,
            f"{case.id}:{timer.key}",
            {"key": timer.key, "element": timer.element},
            case_id=case.id,
            due_at=at,
        )
