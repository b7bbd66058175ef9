"""People, departments and how they sign in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, identifier


class Department(Base):
    __tablename__ = "departments"

    code: Mapped[str] = mapped_column(identifier(20), primary_key=True)
    name: Mapped[Any] = mapped_column(Json)
    phone: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[Any] = mapped_column(Json, default=dict)


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_display_name", "display_name"),
        Index("ix_users_phone", "phone"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    user_name: Mapped[str] = mapped_column(identifier(60), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(40))
    password_hash: Mapped[str] = mapped_column(String(255))
    roles: Mapped[Any] = mapped_column(Json)
    department: Mapped[str | None] = mapped_column(ForeignKey("departments.code"))
    locale: Mapped[str] = mapped_column(String(8), default="zh-CN")
    audience: Mapped[str] = mapped_column(String(20), default="person")
    suggestions_wanted: Mapped[bool] = mapped_column(default=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    skills: Mapped[Any] = mapped_column(Json, nullable=True, default=list)
    """Codes of what a member of staff can do."""
    daily_capacity: Mapped[int | None]
    """How many tasks a day may be assigned to them; None for any number."""


class Absence(Base):
    """A member of staff is away from `begins_at` up to, not including, `ends_at`; meanwhile the
    substitute may do their tasks, those of `services` only if there are any."""

    __tablename__ = "absences"
    __table_args__ = (
        Index("ix_absences_user_id_ends_at", "user_id", "ends_at"),
        Index("ix_absences_substitute_id_ends_at", "substitute_id", "ends_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    substitute_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    begins_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    services: Mapped[Any] = mapped_column(Json, default=list)
    entered_by: Mapped[str] = mapped_column(identifier())
    entered_at: Mapped[datetime] = mapped_column(Instant)


class UserSession(Base):
    """A signed-in browser. The cookie's secret is kept only as a SHA-256 digest."""

    __tablename__ = "user_sessions"
    __table_args__ = (Index("ix_user_sessions_user_id", "user_id"), Base.__table_args__)

    digest: Mapped[str] = mapped_column(identifier(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    csrf_token: Mapped[str] = mapped_column(identifier(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class SignInAttempt(Base):
    """Failed sign-ins in a row for one user name or one address."""

    __tablename__ = "sign_in_attempts"

    subject: Mapped[str] = mapped_column(identifier(120), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    blocked_until: Mapped[datetime | None] = mapped_column(Instant)
