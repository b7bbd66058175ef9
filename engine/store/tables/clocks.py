"""The clocks of a case, their ledger, what people are told of them, and their recounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, identifier, long_text


class ClockRow(Base):
    """One SLA clock of a case as `engine.domain.sla` keeps it; `key` as in `clock_terms`."""

    __tablename__ = "sla_clocks"
    __table_args__ = (Index("ix_sla_clocks_state", "state"), Base.__table_args__)

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    key: Mapped[str] = mapped_column(identifier(60), primary_key=True)
    state: Mapped[str] = mapped_column(identifier(12))
    due_at: Mapped[datetime] = mapped_column(Instant)
    body: Mapped[Any] = mapped_column(Json)
    climbed_at: Mapped[datetime | None] = mapped_column(Instant)
    """Up to when the rungs of the ladder were dealt with."""
    next_rung_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the next rung is reached; a job of that instant waits for it."""

    @property
    def is_history(self) -> bool:
        """Whether it counted for a task that is over, so that no step looks at it again."""
        return self.state == "stopped" and self.key.startswith("task:")


class ClockEntry(Base):
    """The ledger: what was done to a clock, why, and what the date became.

    `number` is that of the event of the audit with which it was done.
    """

    __tablename__ = "sla_entries"
    __table_args__ = (UniqueConstraint("case_id", "clock", "number"), Base.__table_args__)

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    number: Mapped[int]
    clock: Mapped[str] = mapped_column(identifier(60))
    verb: Mapped[str] = mapped_column(identifier(12))
    at: Mapped[datetime] = mapped_column(Instant)
    actor_name: Mapped[str | None] = mapped_column(String(100))
    letter_id: Mapped[str | None] = mapped_column(identifier())
    """The letter that told of it."""
    line: Mapped[Any] = mapped_column(Json)


class Notice(Base):
    """What a member of staff, or a department, is told of a case. Who reads it first marks it."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_user_id", "user_id", "read_at", "created_at"),
        Index("ix_notices_department", "department", "read_at", "created_at"),
        Index("ix_notices_case_id", "case_id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    clock: Mapped[str] = mapped_column(identifier(60))
    rung: Mapped[str] = mapped_column(identifier(12))
    """When it was sent, as the ladder says: ``-3wd``."""
    due_at: Mapped[datetime] = mapped_column(Instant)
    user_id: Mapped[str | None] = mapped_column(identifier())
    department: Mapped[str | None] = mapped_column(identifier(20))
    text: Mapped[Any] = mapped_column(Json)
    """The package's own words by locale; empty for the usual ones."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)
    read_by: Mapped[str | None] = mapped_column(identifier())


class Recount(Base):
    """A recount of the clocks of many cases: what for, how far it is, and what it has moved."""

    __tablename__ = "recounts"

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    wanted: Mapped[Any] = mapped_column(Json)
    """Which cases, as `engine.usecases.recount` reads it."""
    reason: Mapped[str] = mapped_column(long_text())
    state: Mapped[str] = mapped_column(identifier(12))
    """``running``, ``stopped`` or ``done``."""
    total: Mapped[int]
    seen: Mapped[int] = mapped_column(default=0)
    moved: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    last_case: Mapped[str] = mapped_column(identifier(), default="")
    """The last case that was seen."""
    started_by: Mapped[str] = mapped_column(identifier())
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
