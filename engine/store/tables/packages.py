"""Published packages. A version is never changed once written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base, Instant, Json, blob, identifier


class PackageVersion(Base):
    __tablename__ = "package_versions"
    __table_args__ = (
        UniqueConstraint("key", "version"),
        Index("ix_package_versions_process", "process"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(identifier(), primary_key=True)
    key: Mapped[str] = mapped_column(identifier(40))
    version: Mapped[int]
    title: Mapped[Any] = mapped_column(Json)
    services: Mapped[Any] = mapped_column(Json)
    digest: Mapped[str] = mapped_column(identifier(64))
    archive: Mapped[bytes] = mapped_column(blob(), deferred=True)
    findings: Mapped[Any] = mapped_column(Json)
    process: Mapped[str] = mapped_column(identifier(120))
    version_tag: Mapped[str | None] = mapped_column(identifier(120))
    published_by: Mapped[str] = mapped_column(identifier())
    published_at: Mapped[datetime] = mapped_column(Instant)


class OfferedServiceRow(Base):
    """Which package version takes new cases of a service now."""

    __tablename__ = "offered_services"

    service: Mapped[str] = mapped_column(identifier(12), primary_key=True)
    package_version_id: Mapped[str] = mapped_column(identifier())
