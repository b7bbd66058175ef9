"""What cases wait for from outside: messages, signals, job workers; and what went wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, identifier, long_text


class Subscription(Base):
    """An event of a case that waits for a message or signal."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("case_id", "key"),
        Index("ix_subscriptions_kind_name_correlation", "kind", "name", "correlation"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    key: Mapped[str] = mapped_column(identifier(60))
    element: Mapped[str] = mapped_column(identifier(120))
    kind: Mapped[str] = mapped_column(identifier(12))
    name: Mapped[str] = mapped_column(identifier(160))
    correlation: Mapped[str | None] = mapped_column(identifier(200))
    opened_at: Mapped[datetime] = mapped_column(Instant)


class Message(Base):
    """The inbox: each message is delivered once, now or while it lives."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_state_name", "state", "name"),
        Index("ix_messages_state_expires_at", "state", "expires_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    name: Mapped[str] = mapped_column(identifier(160))
    correlation: Mapped[str | None] = mapped_column(identifier(200))
    unique_key: Mapped[str] = mapped_column(identifier(160), unique=True)
    data: Mapped[Any] = mapped_column(Json)
    state: Mapped[str] = mapped_column(identifier(12))
    sender: Mapped[str] = mapped_column(identifier())
    received_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    case_id: Mapped[str | None] = mapped_column(identifier())
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)


class ExternalJob(Base):
    """Work of a topic that a job worker fetches, locks for a while, and reports.

    A lock without a `worker` is a pause before the next try. The larger the `priority`, the sooner.
    """

    __tablename__ = "external_jobs"
    __table_args__ = (
        UniqueConstraint("case_id", "key"),
        # Fetching reads this index alone to find what is free.
        Index(
            "ix_external_jobs_free", "state", "topic", "locked_until", "id", "retries", "priority"
        ),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    key: Mapped[str] = mapped_column(identifier(60))
    element: Mapped[str] = mapped_column(identifier(120))
    topic: Mapped[str] = mapped_column(identifier(160))
    retries: Mapped[int]
    settings: Mapped[Any] = mapped_column(Json)
    state: Mapped[str] = mapped_column(identifier(12))
    worker: Mapped[str | None] = mapped_column(identifier(120))
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    error: Mapped[str | None] = mapped_column(long_text())
    error_details: Mapped[str | None] = mapped_column(long_text())
    priority: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class Incident(Base):
    """A step that failed and was rolled back: where, why, and what was being done."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("ix_incidents_state_created_at", "state", "created_at"),
        Index("ix_incidents_case_id", "case_id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    element: Mapped[str | None] = mapped_column(identifier(120))
    reason: Mapped[str] = mapped_column(identifier(60))
    detail: Mapped[str] = mapped_column(long_text())
    source: Mapped[str] = mapped_column(identifier(20))
    payload: Mapped[Any] = mapped_column(Json)
    state: Mapped[str] = mapped_column(identifier(12))
    created_at: Mapped[datetime] = mapped_column(Instant)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_by: Mapped[str | None] = mapped_column(identifier())
    resolution: Mapped[str | None] = mapped_column(identifier(20))
    note: Mapped[str | None] = mapped_column(long_text())
