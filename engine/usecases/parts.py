"""Tasks that serve another task: dispatching it again, adjudicating it, answering it jointly.

The process does not know them: they stand beside its task, and end with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.domain.dispatch import Desk
from engine.domain.lifecycle import WAITING_STATES
from engine.domain.limit import due
from engine.domain.ports import Calendars
from engine.kernel.ids import new_id
from engine.store.tables import Case, Task
from engine.store.uow import Work
from engine.usecases.definition import Definition

DECISIONS = ("redispatch", "adjudicate")
JOINT = "joint"
_UNASKED = (
    "UPDATE tasks SET state = 'cancelled', finished_at = %s "
    "WHERE case_id = %s AND part_of = %s AND kind = %s AND state IN %s"
)


def open_part(
    work: Work,
    made: Definition,
    case: Case,
    main: Task | Mapping[str, Any],
    kind: str,
    desk: Desk,
    state: str = "open",
    question: str | None = None,
) -> str:
    """A task of `kind` for the `desk` that serves `main`; its id."""
    values = main if isinstance(main, Mapping) else work.rows.values_of(main)
    id_ = new_id()
    work.rows.insert(
        Task,
        {
            "id": id_,
            "case_id": case.id,
            "key": id_,
            "part_of": values["key"],
            "element": values["element"],
            "kind": kind,
            "audience": "staff",
            "department": desk.department,
            "role": desk.role,
            "priority": values["priority"],
            "flagged": [],
            "state": state,
            "question": question,
            "due_at": part_due(work.ports.calendars, made, case, kind, desk.department, work.now)
            if state == "open"
            else None,
            "opened_at": work.now,
        },
    )
    return id_


def part_due(
    calendars: Calendars, made: Definition, case: Case, kind: str, department: str, since: datetime
) -> datetime:
    """When a part of this kind that began at `since` is due: the package's limit of that name."""
    limit = made.manifest.dispatch_limit(case.service, kind)
    return due(limit, since, calendars.of_department(department))


def named(task: Task) -> dict[str, str]:
    """How an event names the task: its element, and for one that serves another its kind."""
    return {"element": task.element, **({"part": task.kind} if task.part_of else {})}


def main_of(work: Work, part: Task) -> Task:
    """The task that a part serves. The case is locked by the caller."""
    found = work.rows.first(Task, "case_id = %s AND `key` = %s", part.case_id, part.part_of)
    if found is None:
        raise LookupError("tasks", part.part_of)
    return found


def ask_nobody_jointly(work: Work, task: Task) -> None:
    """The co-handlers that have not answered need not any more."""
    work.rows.later(_UNASKED, work.now, task.case_id, task.key, JOINT, WAITING_STATES)
