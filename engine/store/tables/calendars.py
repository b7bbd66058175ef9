"""Working calendars as they are edited, and what was changed in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, identifier


class CalendarRow(Base):
    """One calendar. `body` is the rest of `engine.domain.calendar_data.CalendarData`."""

    __tablename__ = "calendars"

    name: Mapped[str] = mapped_column(identifier(40), primary_key=True)
    extends: Mapped[str | None] = mapped_column(ForeignKey("calendars.name"))
    title: Mapped[Any] = mapped_column(Json)
    zone: Mapped[str] = mapped_column(String(60))
    body: Mapped[Any] = mapped_column(Json)
    departments: Mapped[Any] = mapped_column(Json, default=list)
    """The codes of the departments whose office it is."""
    revision: Mapped[int]
    edited_by: Mapped[str] = mapped_column(identifier())
    edited_at: Mapped[datetime] = mapped_column(Instant)


class CalendarChange(Base):
    """Who changed which days and settings of a calendar, and why: append-only, one a revision."""

    __tablename__ = "calendar_changes"

    calendar: Mapped[str] = mapped_column(ForeignKey("calendars.name"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(String(500))
    changes: Mapped[Any] = mapped_column(Json)
    actor_id: Mapped[str] = mapped_column(identifier())
    actor_name: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Instant)
