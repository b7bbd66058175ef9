"""Shapes of the JSON interface: dispatch, returns, co-handlers, absences and merged cases."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.rest.schemas import Shape

Text = str


class Release(Shape):
    reason: Text = Field(default="", max_length=500)


class Return(Shape):
    """`reason` is a code of the package; whether it needs a basis is told with the task."""

    reason: str = Field(max_length=40)
    basis: Text = Field(default="", max_length=2000)


class Decision(Shape):
    """Whose a returned task is. `co_handlers` answer the department, which leads."""

    department: str = Field(max_length=20)
    reason: Text = Field(max_length=2000)
    co_handlers: list[str] = Field(default=[], max_length=20)
    order: Literal["parallel", "sequence"] = "parallel"


class JointRequest(Shape):
    departments: list[str] = Field(max_length=20)
    question: Text = Field(max_length=2000)
    order: Literal["parallel", "sequence"] = "parallel"


class TaskAnswer(Shape):
    """What was asked: of a co-handler, whose `position` counts, or of a colleague."""

    text: Text = Field(default="", max_length=4000)
    position: Literal["agree", "disagree", "answer"] = "answer"


class Delegation(Shape):
    to_id: str = Field(max_length=32)
    question: Text = Field(max_length=2000)


class Reassignment(Shape):
    """Without `assignee_id` to the queue; a `preview` changes nothing."""

    task_ids: list[str] = Field(min_length=1, max_length=200)
    assignee_id: str | None = Field(default=None, max_length=32)
    department: str | None = Field(default=None, max_length=20)
    reason: Text = Field(default="", max_length=500)
    preview: bool = False


class ReassignedRow(Shape):
    """What became of one task, or would; `problem` says why it stays."""

    task_id: str
    reference: str | None
    done: bool
    department_name: str | None
    assignee_name: str | None
    problem: str | None


class ReassignedPage(Shape):
    items: list[ReassignedRow]


class WouldMoveRow(Shape):
    """An open task that the rules would have elsewhere; `to_name` is null where none fits."""

    task_id: str
    case_id: str
    reference: str
    name: str
    from_name: str | None
    to_name: str | None
    why: str


class WouldMovePage(Shape):
    items: list[WouldMoveRow]


class RuleMoves(Shape):
    task_ids: list[str] = Field(min_length=1, max_length=200)
    reason: Text = Field(default="", max_length=500)


class ReturnView(Shape):
    """`hours` the department had the task before it returned it; `undecided_hours` until it was
    decided whose it is, so far if it is not. `outcome` is waiting, redispatched, adjudicated or
    overtaken."""

    case_id: str
    reference: str
    service_name: str
    task_name: str
    number: int
    department: str
    department_name: str | None
    by: str | None
    returned_at: datetime
    reason_name: str
    basis: str
    hours: float
    undecided_hours: float
    outcome: str
    to_name: str | None
    decided_by: str | None
    decision: str | None


class ReturnPage(Shape):
    items: list[ReturnView]


class Merging(Shape):
    """`into` is the number of the main case."""

    into: str = Field(max_length=40)


class NewAbsence(Shape):
    """Both days are away. Without `user_id` it is the reader who is; no services means all."""

    first_day: date
    last_day: date
    user_id: str | None = Field(default=None, max_length=32)
    substitute_id: str | None = Field(default=None, max_length=32)
    services: list[str] = Field(default=[], max_length=100)


class AbsenceView(Shape):
    id: str
    user_id: str
    name: str
    substitute_name: str | None
    first_day: date
    last_day: date
    services: list[str]
    now: bool
    may_end: bool


class AbsenceList(Shape):
    items: list[AbsenceView]


class ColleagueView(Shape):
    """`absent_until` is the last day away of somebody who is away now."""

    id: str
    display_name: str
    department: str | None
    roles: list[str]
    skills: list[str]
    daily_capacity: int | None
    open: int
    absent_until: date | None


class ColleagueList(Shape):
    items: list[ColleagueView]
