"""Open a task of the process: whose it is and why, how urgent, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.domain.access import SYSTEM
from engine.domain.dispatch import dispute_of
from engine.domain.joint import Joint, departments_named
from engine.domain.process import OpenTask
from engine.kernel.errors import ExecutionFailed
from engine.kernel.ids import new_id
from engine.store.audit import record
from engine.store.tables import Case, Task
from engine.store.uow import Work
from engine.usecases.assignment import least_loaded
from engine.usecases.definition import Contents, Definition
from engine.usecases.joint_parts import open_joint_parts
from engine.usecases.task_clocks import start_task_clock


@dataclass(frozen=True)
class Placement:
    """Whose a task is. `reason` is None where its element names the department itself."""

    department: str | None
    role: str
    priority: int
    skill: str | None = None
    reason: Mapping[str, Any] | None = None
    assign: str = "queue"
    co_handlers: tuple[str, ...] = ()


def open_task(
    work: Work, made: Definition, case: Case, task: OpenTask, given: Counter[str]
) -> str | None:
    """Write the task down; the department that has it. `given` as for `least_loaded`."""
    settings = task.properties
    limit, place = settings.get("limit"), placement(made, case, task)
    audience = str(settings.get("audience") or "staff")
    held = audience == "staff" and case.main_id is not None and case.decided_at is None
    assignee = None
    if place.assign == "least_loaded" and place.department is not None and not held:
        assignee = least_loaded(work, place.department, place.role, place.skill, given)
    due_at = (
        start_task_clock(work, made, case, task, str(limit), place.department) if limit else None
    )
    joint = Joint().with_more(place.co_handlers, "parallel") if place.co_handlers else None
    values = {
        "id": new_id(),
        "case_id": case.id,
        "key": task.key,
        "element": task.element,
        "kind": str(settings.get("kind") or ""),
        "audience": audience,
        "department": place.department,
        "role": place.role,
        "priority": place.priority,
        "skill": place.skill,
        "dispatch_reason": place.reason,
        "form": settings.get("form"),
        "saves_as": settings.get("saves_as"),
        "corrects": settings.get("corrects"),
        "flagged": [str(name) for name in settings.get("flagged") or []],
        "state": "held" if held else "open",
        "assignee_id": assignee.user_id if assignee else None,
        "claimed_at": work.now if assignee else None,
        "due_at": due_at,
        "opened_at": work.now,
        "joint": joint.as_mapping() if joint else None,
    }
    work.rows.insert(Task, values)
    if assignee is not None:
        name = assignee.display_name
        record(work, case, "task_assigned", SYSTEM, element=task.element, name=name)
    if joint is not None and not held:
        open_joint_parts(work, made, case, values, joint, place.co_handlers, "")
    return place.department


def placement(made: Definition, case: Case, task: OpenTask) -> Placement:
    """Whose the task is: what its element says, what was decided before, or the table's rule.

    Raises ExecutionFailed if none of them names a department.
    """
    settings = task.properties
    role = str(settings.get("role") or "caseworker")
    priority = _priority(settings.get("priority"), 3)
    if settings.get("audience") == "applicant":
        waits = None if settings.get("kind") == "rating" else case.department
        return Placement(waits, role, priority)
    if settings.get("department"):
        return Placement(str(settings["department"]), role, priority)
    rules = made.manifest.dispatch
    table = settings.get("dispatch_table") or rules.table
    if not table:
        raise ExecutionFailed(element=task.element, reason="no_department")
    dispute = dispute_of(case.dispatch, task.element)
    if dispute.department is not None:
        by = dispute.settled or "redispatched"
        return Placement(dispute.department, role, priority, reason={"by": by}, assign=rules.assign)
    return ruled(made, str(table), task.data, task.element, role, priority)


def ruled(
    made: Contents,
    table: str,
    data: Mapping[str, Any],
    element: str,
    role: str = "caseworker",
    priority: int = 3,
) -> Placement:
    """What the table says. Raises ExecutionFailed."""
    found = made.process.rule(table, data, element)
    given = found.outputs
    if not given.get("department"):
        raise ExecutionFailed(element=element, reason="no_department")
    reason = {
        "by": "rule",
        "table": table,
        "rule": found.rule,
        "text": str(given.get("reason") or found.description)[:300],
    }
    department = str(given["department"])
    return Placement(
        department,
        str(given.get("role") or role),
        _priority(given.get("priority"), priority),
        str(given["skill"])[:40] if given.get("skill") else None,
        reason,
        str(given.get("assign") or made.manifest.dispatch.assign),
        tuple(each for each in departments_named(given.get("co_handlers")) if each != department),
    )


def _priority(value: Any, otherwise: int) -> int:
    try:
        return min(4, max(1, int(value)))
    except (TypeError, ValueError):
        return otherwise
