"""What was asked for with a key of the caller's, so that asking again does nothing twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, identifier


class IdempotencyKey(Base):
    """One command that was carried out. `key` is a digest; `result` says how to find its result."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_at", "at"), Base.__table_args__)

    key: Mapped[str] = mapped_column(identifier(64), primary_key=True)
    result: Mapped[Any] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Instant)
