"""The shapes of the JSON interface. Instants are ISO 8601 with zone; texts are in the reader's
language unless they are a pair of both."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

TaskView = Literal["department", "mine", "waiting_applicant", "done"]


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SignIn(Shape):
    user_name: str = Field(max_length=60)
    password: str = Field(max_length=128)


class Me(Shape):
    user_name: str
    display_name: str
    roles: list[str]
    department: str | None
    department_name: str | None
    locale: str
    zone: str
    """The time zone of the office's calendar, in which dates are shown."""
    csrf_token: str


class TaskRow(Shape):
    """One line of the inbox. `remaining_working_days` is negative once the date has passed."""

    id: str
    case_id: str
    reference: str
    service: str
    service_name: str
    applicant_name: str
    element: str
    name: str
    state: str
    role: str
    priority: int
    department: str | None
    department_name: str | None
    assignee_id: str | None
    assignee_name: str | None
    mine: bool
    may_claim: bool
    opened_at: datetime
    due_at: datetime | None
    promised_due_at: datetime | None
    legal_due_at: datetime | None
    remaining_working_days: int | None
    flags: list[str]
    """Of: corrected, extended, paused, returned, low_rating, merged, co_handled, delegated."""
    for_name: str | None
    """For whom the reader, as a substitute, does it."""


class TaskPage(Shape):
    items: list[TaskRow]
    next: str | None
    counts: dict[str, int]


class TaskForm(Shape):
    """The task's form as HTML of the one renderer, to be put in place; posted back by name."""

    task_id: str
    revision: int
    html: str
    css: str


class FieldProblem(Shape):
    field: str
    code: str
    message: str


class Problem(Shape):
    """RFC 9457 problem+json. `title` is the sentence in the reader's language."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: list[FieldProblem] | None = None
    findings: list[FindingView] | None = None
    html: str | None = None
    params: dict[str, Any] | None = None


class FindingView(Shape):
    severity: str
    code: str
    file: str
    element: str | None
    line: int | None
    message: str


class Answer(Shape):
    field: str
    label: str
    value: str
    documents: list[DocumentView] = []
    flagged: bool = False


class AnswerGroup(Shape):
    title: str
    by: str | None
    at: datetime | None
    rows: list[Answer]


class DocumentView(Shape):
    id: str
    name: str
    media_type: str
    size: int
    uploaded_at: datetime


class LetterView(Shape):
    id: str
    name: str
    state: str
    subject: str | None
    body: str | None
    to: str
    created_at: datetime
    sent_at: datetime | None


class EventView(Shape):
    number: int
    kind: str
    text: str
    actor: str
    at: datetime


class ClockLine(Shape):
    clock: str
    verb: str
    at: datetime
    text: str
    previous_due: date | None
    new_due: date | None
    working_days: int | None
    basis: str
    reason: str
    actor_name: str
    letter_id: str | None


class ClockView(Shape):
    """`why` leads to the date in sentences; `buttons` are the verbs the reader may use now."""

    key: str
    kind: str
    name: str
    state: str
    due_at: datetime
    provisional: bool
    remaining_working_days: int | None
    why: list[str]
    lines: list[ClockLine]
    buttons: list[str]
    pauses: dict[str, str]
    open_pauses: list[str]
    extensions: list[str]


class CaseTask(Shape):
    id: str
    element: str
    name: str
    audience: str
    department_name: str | None
    assignee_name: str | None
    state: str
    due_at: datetime | None
    finished_at: datetime | None
    mine: bool
    may_claim: bool
    has_form: bool

    kind: str
    priority: int
    dispatch_reason: str | None
    """Why it is this department's."""
    owner_name: str | None
    question: str | None
    for_name: str | None
    """For whom the reader, as a substitute, does it."""
    joint: list[JointAnswerView]
    may_return: bool
    may_reassign: bool
    asked: bool
    """Whether the reader is to answer a question, and somebody else finishes it."""
    may_take_back: bool
    part: bool
    """Whether it serves another task: to dispatch it again, or to answer jointly."""


class JointAnswerView(Shape):
    """A co-handler's answer; of one who has not answered `position` is null."""

    department_name: str | None
    position: str | None
    position_name: str | None
    text: str
    by: str
    on: str


class ReasonView(Shape):
    code: str
    title: str
    needs_basis: bool


class CaseLink(Shape):
    id: str
    reference: str


class StageView(Shape):
    key: str
    name: str
    state: Literal["done", "current", "ahead"]


class CaseView(Shape):
    id: str
    reference: str
    service: str
    service_name: str
    package: str
    version: int
    state: str
    stage: str
    stages: list[StageView]
    waiting_for: str
    outcome: str | None
    outcome_name: str | None
    applicant_name: str
    applicant_contact: dict[str, str]
    department: str | None
    department_name: str | None
    received_at: datetime
    legal_due_at: datetime | None
    promised_due_at: datetime | None
    closed_at: datetime | None
    revision: int
    clocks: list[ClockView]
    tasks: list[CaseTask]
    answers: list[AnswerGroup]
    documents: list[DocumentView]
    letters: list[LetterView]
    events: list[EventView]
    rating: int | None
    active_elements: list[str]
    passed_elements: list[str]
    return_reasons: list[ReasonView]
    """Why a task of this package may be returned; empty where none may."""
    main: CaseLink | None
    """The case that this one follows."""
    followers: list[CaseLink]
    may_merge: bool
    may_correct_receipt: bool
    department_hours: dict[str, float]
    """How long each department, by name, has had the case's tasks."""


class CaseRow(Shape):
    id: str
    reference: str
    service_name: str
    applicant_name: str
    state: str
    stage_name: str
    department_name: str | None
    received_at: datetime
    legal_due_at: datetime | None
    promised_due_at: datetime | None


class Filing(Shape):
    """Answers to the start form of a service, by field name."""

    service: str = Field(max_length=12)
    answers: dict[str, Any]


class FiledCase(Shape):
    id: str
    reference: str
    received_at: datetime
    legal_due_at: datetime | None
    promised_due_at: datetime | None


class CasePage(Shape):
    items: list[CaseRow]


class VersionView(Shape):
    id: str
    key: str
    version: int
    title: str
    services: list[str]
    published_by: str
    published_at: datetime
    current: bool
    warnings: int
    open_cases: int


class PackageList(Shape):
    items: list[VersionView]


class PublishReport(Shape):
    """`published` is false for a trial run or when nothing changed; `version` is then the running
    one, if any. A package with errors answers 422 with the same findings."""

    published: bool
    unchanged: bool
    key: str
    version: int | None
    title: str
    services: list[str]
    findings: list[FindingView]


class Diagram(Shape):
    """The BPMN document of a version, with the names of its elements in the reader's language."""

    xml: str
    labels: dict[str, str]


Problem.model_rebuild()
Answer.model_rebuild()
