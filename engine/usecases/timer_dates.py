"""When a timer of a case is due: by its own text, or by a limit or working days of the calendar."""

from __future__ import annotations

from datetime import datetime

from engine.domain.calendar import WorkingCalendar
from engine.domain.limit import Limit, due
from engine.domain.schedule import timer_instant, working_days
from engine.kernel.errors import ExecutionFailed
from engine.store.tables import Case
from engine.usecases.definition import Definition

LIMIT = "limit:"


def is_counted(value: str) -> bool:
    """Whether a timer is counted on the working calendar, and moves with it."""
    return value.startswith(LIMIT) or working_days(value) is not None


def timer_due(
    made: Definition,
    case: Case,
    value: str,
    since: datetime,
    calendar: WorkingCalendar,
    element: str,
) -> datetime:
    """The instant at which a timer of `value` set at `since` is due. Raises ExecutionFailed."""
    days = working_days(value)
    if days is not None:
        return due(Limit("working_days", days), since, calendar)
    if not value.startswith(LIMIT):
        return timer_instant(value, since, element)
    name = value[len(LIMIT) :]
    try:
        limit = made.manifest.limit(case.service, name)
    except KeyError:
        raise ExecutionFailed(element=element, reason="limit_missing", limit=name) from None
    return due(limit, since, calendar)
