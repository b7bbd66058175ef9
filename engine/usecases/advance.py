"""Write down a step of the process: its effects, the tasks and timers that wait, and the end."""

from __future__ import annotations

from typing import Any

from engine.domain.access import Actor
from engine.domain.lifecycle import CaseState as LifecycleState
from engine.domain.lifecycle import waiting_for
from engine.domain.process import OpenTask, Step
from engine.kernel.errors import ExecutionFailed
from engine.kernel.faults import defect
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.audit import record
from engine.store.tables import Case, CaseState, Task
from engine.store.uow import Work
from engine.usecases.clock_rows import stop_clocks
from engine.usecases.definition import Definition
from engine.usecases.department_clocks import KIND, follow_departments
from engine.usecases.effects import apply_effect
from engine.usecases.task_clocks import start_task_clock, stop_task_clocks
from engine.usecases.timer_dates import is_counted, timer_due
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
        end_case(work, made, case, "closed")


def end_case(work: Work, made: Definition, case: Case, state: LifecycleState) -> None:
    """Close the case: nothing waits any more, and its clocks stop."""
    work.rows.later(
        "UPDATE tasks SET state = 'cancelled', finished_at = %s "
        "WHERE case_id = %s AND state = 'open'",
        work.now,
        case.id,
    )
    jobs.cancel(work, case.id, TIMER)
    stop_waiting(work, case)
    stop_clocks(work, made, case)
    case.state = state
    case.stage = "finished"
    case.waiting_for = "nobody"
    case.closed_at = work.now
    case.revision += 1


def _sync_tasks(work: Work, made: Definition, case: Case, step: Step) -> None:
    # The one that was completed has its new state already.
    done = {row.key for row in work.rows.all_known(Task) if row.state != "open"}
    stop_task_clocks(work, made, case, step.closed.tasks)
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
    if KIND in made.manifest.clocks:
        follow_departments(work, made, case, _holding(work, case, step))


def _holding(work: Work, case: Case, step: Step) -> set[str]:
    """The departments with an open task after this step, wherever their tasks went meanwhile."""
    sql = (
        "SELECT `key`, department FROM tasks "
        "WHERE case_id = %s AND state = 'open' AND audience = 'staff'"
    )
    before = dict(work.rows.values(sql, case.id))
    opened = {
        task.key: str(task.properties["department"])
        for task in step.tasks
        if task.key in step.opened.tasks and task.properties.get("department")
        if task.properties.get("audience") != "applicant"
    }
    waiting = {task.key for task in step.tasks}
    return {code for key, code in (before | opened).items() if key in waiting and code}


def _open_task(work: Work, made: Definition, case: Case, task: OpenTask) -> str | None:
    """Write the task down; the department that has it."""
    settings = task.properties
    limit, department = settings.get("limit"), _department(task, case)
    due_at = start_task_clock(work, made, case, task, str(limit)) if limit else None
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
            "due_at": due_at,
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


def _sync_timers(work: Work, made: Definition, case: Case, step: Step) -> None:
    if step.closed.timers and not defect("timer_kept"):
        work.rows.later(
            "DELETE FROM jobs WHERE unique_key IN %s AND state IN ('waiting', 'running')",
            [f"{case.id}:{key}" for key in sorted(step.closed.timers)],
        )
    for timer in step.timers:
        if timer.key not in step.opened.timers:
            continue
        payload = {"key": timer.key, "element": timer.element}
        if is_counted(timer.value):
            # A recount asks what the timer counts.
            payload["value"] = timer.value
        at = timer_due(made, case, timer.value, work.now, work.ports.calendar, timer.element)
        key = f"{case.id}:{timer.key}"
        jobs.promise(work, TIMER, key, payload, case_id=case.id, due_at=at)
