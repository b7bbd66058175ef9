"""When an open task without a clock is due, counted again from when it began."""

from __future__ import annotations

from datetime import datetime

from engine.domain.connector import is_expression
from engine.domain.limit import due
from engine.domain.ports import Calendars
from engine.store.tables import Case, Task
from engine.usecases.clock_calendar import clock_calendar
from engine.usecases.definition import Definition
from engine.usecases.parts import part_due


def task_due(calendars: Calendars, made: Definition, case: Case, task: Task) -> datetime | None:
    """The date of a task that serves another, or of one whose element names its limit.

    None where the limit was worked out from data that may have changed since, or is gone.
    """
    if task.part_of is not None:
        return part_due(calendars, made, case, task.kind, task.department or "", task.opened_at)
    element = made.process.elements.get(task.element)
    name = element.properties.get("limit", "") if element is not None else ""
    if not name or is_expression(name):
        return None
    try:
        limit = made.manifest.limit(case.service, name)
    except KeyError:
        return None
    department = task.department or "" if task.audience == "staff" else ""
    return due(limit, task.opened_at, clock_calendar(calendars, made, case, department))
