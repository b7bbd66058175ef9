"""The case, its state and its tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.bpmn import process_data
from engine.store.tables.base import Base, Instant, Json, blob, identifier, long_text

FIRST = "0" * 64
"""What the first event of a case is chained to."""


class Case(Base):
    """The aggregate. Its row is locked before anything else of the case is written."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_applicant_id_received_at", "applicant_id", "received_at"),
        # The undecided ones by their date, past all that only wait to be rated; with all that the
        # office's figures are counted from.
        Index(
            "ix_cases_open",
            "state",
            "decided_at",
            "promised_due_at",
            "legal_due_at",
            "department",
            "service",
            "returns",
        ),
        Index("ix_cases_state_received_at", "state", "received_at"),
        Index("ix_cases_received_at", "received_at"),
        # What a month's figures are counted from, without reading the cases themselves.
        Index(
            "ix_cases_decided",
            "decided_at",
            "department",
            "service",
            "promised_due_at",
            "legal_due_at",
        ),
        Index("ix_cases_closed_at", "closed_at"),
        Index("ix_cases_business_key", "business_key"),
        Index("ix_cases_main_id", "main_id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    reference: Mapped[str] = mapped_column(identifier(40), unique=True)
    service: Mapped[str] = mapped_column(identifier(12))
    package_version_id: Mapped[str] = mapped_column(ForeignKey("package_versions.id"))
    applicant_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    locale: Mapped[str] = mapped_column(String(8))
    channel: Mapped[str] = mapped_column(String(20), default="web")
    state: Mapped[str] = mapped_column(identifier(12))
    stage: Mapped[str] = mapped_column(identifier(12))
    waiting_for: Mapped[str] = mapped_column(identifier(12))
    outcome: Mapped[str | None] = mapped_column(identifier(60))
    department: Mapped[str | None] = mapped_column(identifier(20))
    legal_due_at: Mapped[datetime | None] = mapped_column(Instant)
    promised_due_at: Mapped[datetime | None] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    revision: Mapped[int] = mapped_column(default=1)
    events: Mapped[int] = mapped_column(default=0)
    """How many events the audit of the case has."""
    head: Mapped[str] = mapped_column(identifier(64), default=FIRST)
    """The digest of the newest of them."""
    returns: Mapped[int] = mapped_column(default=0)
    """How often a department has returned a task of it."""
    business_key: Mapped[str | None] = mapped_column(identifier(255))
    """What the program that began the case calls it; for all other cases None."""
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the case's rows were packed away; see `engine.store.archive`."""
    dispatch: Mapped[Any] = mapped_column(Json, nullable=True)
    """Whose the tasks of an element are, where that was contested; see `engine.domain.dispatch`."""
    main_id: Mapped[str | None] = mapped_column(identifier())
    """The case of the same matter that this one follows."""
    followers: Mapped[int] = mapped_column(default=0)
    """How many cases have been merged into this one."""


class CaseState(Base):
    """The engine's compact state, apart from the row that lists read."""

    __tablename__ = "case_states"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    state: Mapped[bytes] = mapped_column(blob())

    @property
    def data(self) -> dict[str, Any]:
        """The variables of the process. Raises StateUnreadable."""
        return process_data(self.state)


class VariableNote(Base):
    """What a program said of a variable that its value does not show: the type, and more of it."""

    __tablename__ = "variable_notes"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    name: Mapped[str] = mapped_column(identifier(255), primary_key=True)
    type: Mapped[str] = mapped_column(identifier(12))
    info: Mapped[Any] = mapped_column(Json)


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("case_id", "key"),
        Index("ix_tasks_queue", "department", "audience", "state", "due_at", "id"),
        Index("ix_tasks_assignee_id_state_due_at", "assignee_id", "state", "due_at"),
        Index("ix_tasks_finished_by_finished_at", "finished_by", "finished_at"),
        # The cases a department has had a task in.
        Index("ix_tasks_department_case_id", "department", "case_id"),
        # Who takes the next task must not read past all that others have taken.
        Index("ix_tasks_free", "department", "audience", "state", "assignee_id", "due_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    key: Mapped[str] = mapped_column(identifier())
    element: Mapped[str] = mapped_column(identifier(120))
    kind: Mapped[str] = mapped_column(identifier(20), default="")
    audience: Mapped[str] = mapped_column(identifier(12))
    department: Mapped[str | None] = mapped_column(identifier(20))
    """Who does it, or for the applicant's tasks who waits for it; nobody waits for a rating."""
    role: Mapped[str] = mapped_column(identifier(20))
    priority: Mapped[int] = mapped_column(default=3)
    form: Mapped[str | None] = mapped_column(identifier(60))
    saves_as: Mapped[str | None] = mapped_column(identifier(60))
    corrects: Mapped[str | None] = mapped_column(identifier(60))
    flagged: Mapped[Any] = mapped_column(Json, default=list)
    state: Mapped[str] = mapped_column(identifier(12))
    assignee_id: Mapped[str | None] = mapped_column(identifier())
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    claimed_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_by: Mapped[str | None] = mapped_column(identifier())
    answers: Mapped[Any] = mapped_column(Json, nullable=True)
    dispatch_reason: Mapped[Any] = mapped_column(Json, nullable=True)
    """Why it is this department's; None for one whose element names the department itself."""
    skill: Mapped[str | None] = mapped_column(identifier(40))
    """What whoever takes it must be able to do."""
    came_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it came to its department, if it was another's before."""
    part_of: Mapped[str | None] = mapped_column(identifier())
    """The key of the task that this one serves: to dispatch it again, or to answer jointly."""
    owner_id: Mapped[str | None] = mapped_column(identifier())
    """To whom it goes back once the assignee has answered the `question`."""
    question: Mapped[str | None] = mapped_column(long_text())
    joint: Mapped[Any] = mapped_column(Json, nullable=True)
    """The co-handlers' answers, and who has not answered; see `engine.domain.joint`."""


class TaskMove(Base):
    """One time that a task left a department: returned by it (``return``) or given to another
    (``reassign``). Until it is decided to whom it goes, `to_department` is None."""

    __tablename__ = "task_moves"
    __table_args__ = (
        Index("ix_task_moves_case_id", "case_id"),
        Index("ix_task_moves_department_case_id", "department", "case_id"),
        Index("ix_task_moves_kind_left_at", "kind", "left_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    task_id: Mapped[str] = mapped_column(identifier())
    kind: Mapped[str] = mapped_column(identifier(12))
    number: Mapped[int]
    """Which return of the case's tasks of this element it is; 0 for a reassignment."""
    department: Mapped[str] = mapped_column(identifier(20))
    came_at: Mapped[datetime] = mapped_column(Instant)
    left_at: Mapped[datetime] = mapped_column(Instant)
    by_id: Mapped[str] = mapped_column(identifier())
    reason: Mapped[str] = mapped_column(identifier(40))
    basis: Mapped[str] = mapped_column(long_text())
    to_department: Mapped[str | None] = mapped_column(identifier(20))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(identifier())
    decision: Mapped[str | None] = mapped_column(long_text())
    final: Mapped[bool] = mapped_column(default=False)
