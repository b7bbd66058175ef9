"""What was said, sent, uploaded, suggested and done: the record of a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, identifier, long_text


class Event(Base):
    """The business audit: append-only, each row hashed together with the one before it."""

    __tablename__ = "events"

    case_id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(identifier(40))
    actor_id: Mapped[str] = mapped_column(identifier())
    actor_name: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Instant)
    details: Mapped[Any] = mapped_column(Json)
    digest: Mapped[str] = mapped_column(identifier(64))


class AccessRecord(Base):
    """Who looked at whose case; written apart from the business transaction."""

    __tablename__ = "access_log"
    __table_args__ = (Index("ix_access_log_case_id_at", "case_id", "at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(identifier())
    user_id: Mapped[str] = mapped_column(identifier())
    at: Mapped[datetime] = mapped_column(Instant)
    what: Mapped[str] = mapped_column(identifier(60))


class Letter(Base):
    """A letter of the case. It is rendered and sent by a job; `state` says how far it is."""

    __tablename__ = "letters"
    __table_args__ = (Index("ix_letters_case_id", "case_id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    letter: Mapped[str] = mapped_column(identifier(60))
    element: Mapped[str] = mapped_column(identifier(120))
    to_applicant: Mapped[bool]
    address: Mapped[str | None] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(8))
    context: Mapped[Any] = mapped_column(Json)
    subject: Mapped[str | None] = mapped_column(String(300))
    body: Mapped[str | None] = mapped_column(long_text())
    state: Mapped[str] = mapped_column(identifier(12))
    created_at: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)


class Document(Base):
    """An uploaded file. The content is outside the database under `storage_key`."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_case_id", "case_id"),
        Index("ix_documents_owner_id", "owner_id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id"))
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(identifier(64))
    storage_key: Mapped[str] = mapped_column(identifier(64))
    uploaded_at: Mapped[datetime] = mapped_column(Instant)


class Draft(Base):
    """An application somebody has begun; every page is saved."""

    __tablename__ = "drafts"
    __table_args__ = (Index("ix_drafts_owner_id", "owner_id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    service: Mapped[str] = mapped_column(identifier(12))
    package_version_id: Mapped[str] = mapped_column(ForeignKey("package_versions.id"))
    answers: Mapped[Any] = mapped_column(Json)
    case_id: Mapped[str | None] = mapped_column(identifier())
    updated_at: Mapped[datetime] = mapped_column(Instant)


class Suggestion(Base):
    """What the recommender advised at closure, with its model's version and its reason."""

    __tablename__ = "suggestions"
    __table_args__ = (UniqueConstraint("case_id", "position"), Base.__table_args__)

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    position: Mapped[int]
    service: Mapped[str] = mapped_column(identifier(12))
    score: Mapped[float]
    reason: Mapped[str] = mapped_column(identifier(40))
    params: Mapped[Any] = mapped_column(Json)
    model_version: Mapped[str] = mapped_column(identifier(64))
    created_at: Mapped[datetime] = mapped_column(Instant)


class Rating(Base):
    """One rating a case: five grades, 5 is very satisfied (好差评)."""

    __tablename__ = "ratings"
    __table_args__ = (Index("ix_ratings_at_grade", "at", "grade"), Base.__table_args__)

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    grade: Mapped[int]
    comment: Mapped[str | None] = mapped_column(long_text())
    at: Mapped[datetime] = mapped_column(Instant)


class FigureSnapshot(Base):
    """Figures of the office as they were counted at an instant; `name` says which."""

    __tablename__ = "figure_snapshots"

    name: Mapped[str] = mapped_column(identifier(20), primary_key=True)
    body: Mapped[Any] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Instant)
