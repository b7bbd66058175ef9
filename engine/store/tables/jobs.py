"""Background work as rows: what is promised with a change is written with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, identifier, long_text


class Job(Base):
    """Outbox message and timer in one: due at an instant, leased by a worker, run at least once.

    `unique_key` makes writing it twice harmless; handlers make running it twice harmless. `queue`
    keeps slow kinds from delaying the others; of those due, `priority` 1 goes before 2 and 3.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_queue_state_priority_due_at", "queue", "state", "priority", "due_at"),
        Index("ix_jobs_state_leased_until", "state", "leased_until"),
        Index("ix_jobs_case_id_kind_state", "case_id", "kind", "state"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    kind: Mapped[str] = mapped_column(identifier(20))
    queue: Mapped[str] = mapped_column(identifier(20))
    priority: Mapped[int] = mapped_column(default=2)
    unique_key: Mapped[str] = mapped_column(identifier(160), unique=True)
    case_id: Mapped[str | None] = mapped_column(identifier())
    payload: Mapped[Any] = mapped_column(Json)
    due_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(identifier(12))
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    leased_by: Mapped[str | None] = mapped_column(identifier(32))
    error: Mapped[str | None] = mapped_column(long_text())
    created_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class Counter(Base):
    """The last number given out, for example of references in one year."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(identifier(40), primary_key=True)
    last: Mapped[int]


class ModelRow(Base):
    """A trained recommender model, as plain data."""

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    kind: Mapped[str] = mapped_column(identifier(20))
    version: Mapped[str] = mapped_column(identifier(64))
    body: Mapped[Any] = mapped_column(Json)
    figures: Mapped[Any] = mapped_column(Json)
    trained_at: Mapped[datetime] = mapped_column(Instant)
