"""Closed cases whose rows have been packed: one row a case, and who handled it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, blob, identifier


class ArchivedCase(Base):
    """All rows of a closed case as one compressed `body`, in a `format` of `engine.store.archive`.

    No foreign keys: the table may be split into partitions by its key.
    """

    __tablename__ = "archived_cases"

    case_id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(Instant)
    format: Mapped[int]
    body: Mapped[bytes] = mapped_column(blob())
    sha256: Mapped[str] = mapped_column(identifier(64))


class ArchivedDepartment(Base):
    """A department that had a task in an archived case, so that it still finds the case."""

    __tablename__ = "archived_departments"
    __table_args__ = (
        Index("ix_archived_departments_department_case_id", "department", "case_id"),
        Base.__table_args__,
    )

    case_id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    department: Mapped[str] = mapped_column(identifier(20), primary_key=True)
