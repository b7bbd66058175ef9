"""Write down a step of the process: its effects, the tasks and timers that wait, and the end."""

from __future__ import annotations

from collections import Counter

from engine.domain.access import Actor
from engine.domain.lifecycle import WAITING_STATES, waiting_for
from engine.domain.lifecycle import CaseState as LifecycleState
from engine.domain.process import Step
from engine.kernel.faults import defect
from engine.store import jobs
from engine.store.audit import record
from engine.store.tables import Case, CaseState, Task
from engine.store.uow import Work
from engine.usecases.clock_calendar import service_calendar
from engine.usecases.clock_rows import stop_clocks
from engine.usecases.definition import Definition
from engine.usecases.department_clocks import follow_departments
from engine.usecases.effects import apply_effect
from engine.usecases.follow_jobs import promise_answers
from engine.usecases.opening import open_task
from engine.usecases.task_clocks import stop_task_clocks
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
    if case.followers and (step.finished or _asks_for_rating(step)):
        promise_answers(work, case)
    if step.finished:
        record(work, case, "case_closed", actor, outcome=case.outcome)
        end_case(work, made, case, "closed")


def _asks_for_rating(step: Step) -> bool:
    """Whether the applicant has just been asked to rate: the office has nothing more to say."""
    return any(
        task.key in step.opened.tasks and task.properties.get("kind") == "rating"
        for task in step.tasks
    )


def end_case(work: Work, made: Definition, case: Case, state: LifecycleState) -> None:
    """Close the case: nothing waits any more, and its clocks stop."""
    work.rows.later_for(
        "UPDATE tasks SET state = 'cancelled', finished_at = %s "
        "WHERE state IN %s AND case_id IN %s",
        case.id,
        work.now,
        WAITING_STATES,
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
    done = {row.key for row in work.rows.known_of_case(Task, case.id) if row.state == "done"}
    stop_task_clocks(work, made, case, step.closed.tasks)
    cancelled = sorted(step.closed.tasks - done)
    if cancelled:
        work.rows.later(
            "UPDATE tasks SET state = 'cancelled', finished_at = %s "
            "WHERE case_id = %s AND (`key` IN %s OR part_of IN %s) AND state IN %s",
            work.now,
            case.id,
            cancelled,
            cancelled,
            WAITING_STATES,
        )
    audiences = set()
    given: Counter[str] = Counter()
    for task in step.tasks:
        audience = str(task.properties.get("audience") or "staff")
        if str(task.properties.get("kind") or "") != "rating":
            audiences.add(audience)
        if task.key in step.opened.tasks:
            department = open_task(work, made, case, task, given)
            if audience == "staff":
                case.department = department
    case.waiting_for = waiting_for(audiences)
    follow_departments(work, made, case)


def _sync_timers(work: Work, made: Definition, case: Case, step: Step) -> None:
    if step.closed.timers and not defect("timer_kept"):
        for key in sorted(step.closed.timers):
            work.rows.later_for(
                "DELETE FROM jobs WHERE state IN ('waiting', 'running', 'failed') "
                "AND unique_key IN %s",
                f"{case.id}:{key}",
            )
    for timer in step.timers:
        if timer.key not in step.opened.timers:
            continue
        payload = {"key": timer.key, "element": timer.element}
        if is_counted(timer.value):
            # A recount asks what the timer counts.
            payload["value"] = timer.value
        calendar = service_calendar(work.ports.calendars, made, case.service)
        at = timer_due(made, case, timer.value, work.now, calendar, timer.element)
        key = f"{case.id}:{timer.key}"
        jobs.promise(work, TIMER, key, payload, case_id=case.id, due_at=at)
