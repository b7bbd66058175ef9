"""The shapes of the manager's page."""

from __future__ import annotations

from datetime import datetime

from api.rest.schemas import Shape


class SlaCell(Shape):
    department: str
    department_name: str
    service: str
    service_name: str
    open: int
    due_soon: int
    overdue: int
    paused: int
    returned: int


class SlaRisk(Shape):
    case_id: str
    reference: str
    service_name: str
    department_name: str | None
    task_name: str | None
    assignee_name: str | None
    promised_due_at: datetime | None
    legal_due_at: datetime | None
    remaining_working_days: int | None
    overdue: bool


class SlaMonth(Shape):
    month: str
    closed: int
    on_time_legal: int
    on_time_promised: int


class SlaFigures(Shape):
    """`due_soon` is within 3 working days by the promised date; `overdue` is past it."""

    at: datetime
    open: int
    due_soon: int
    overdue_promised: int
    overdue_legal: int
    closed: int
    on_time_legal: int
    on_time_promised: int
    ratings: list[int]
    """How many ratings of grade 1 to 5, in this order."""
    cells: list[SlaCell]
    at_risk: list[SlaRisk]
    months: list[SlaMonth]
    incidents: int
