"""The jobs of job workers, for those who look at them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from engine.store.tables import Case, ExternalJob
from engine.store.uow import ReadSession


@dataclass(frozen=True)
class JobFilter:
    """Open jobs for which everything given holds; `now` tells which locks still do."""

    now: datetime
    id: str | None = None
    topic: str | None = None
    worker: str | None = None
    case_id: str | None = None
    element: str | None = None
    versions: Collection[str] | None = None
    locked: bool | None = None
    with_retries: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        made: list[ColumnElement[bool]] = [ExternalJob.state == "open"]
        for column, value in (
            (ExternalJob.id, self.id),
            (ExternalJob.topic, self.topic),
            (ExternalJob.worker, self.worker),
            (ExternalJob.case_id, self.case_id),
            (ExternalJob.element, self.element),
        ):
            if value is not None:
                made.append(column == value)
        if self.versions is not None:
            cases = select(Case.id).where(Case.package_version_id.in_(list(self.versions)))
            made.append(ExternalJob.case_id.in_(cases))
        if self.locked is not None:
            holds = and_(ExternalJob.worker.is_not(None), ExternalJob.locked_until > self.now)
            free = or_(
                ExternalJob.worker.is_(None),
                ExternalJob.locked_until.is_(None),
                ExternalJob.locked_until <= self.now,
            )
            made.append(holds if self.locked else free)
        if self.with_retries is not None:
            left = ExternalJob.retries > 0
            made.append(left if self.with_retries else ExternalJob.retries == 0)
        return made


def open_jobs(
    session: ReadSession, wanted: JobFilter, first: int, at_most: int
) -> list[ExternalJob]:
    """The open jobs that fit, oldest first."""
    statement = select(ExternalJob).where(*wanted.conditions()).order_by(ExternalJob.id)
    return list(session.scalars(statement.offset(first).limit(at_most)))


def count_open_jobs(session: ReadSession, wanted: JobFilter) -> int:
    statement = select(func.count()).select_from(ExternalJob).where(*wanted.conditions())
    return session.scalar(statement) or 0


def job(session: ReadSession, id_: str) -> ExternalJob | None:
    return session.get(ExternalJob, id_)
