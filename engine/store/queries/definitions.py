"""Published versions as process definitions, and who has what in a case."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from engine.store.tables import OfferedServiceRow, PackageVersion

MOST = 10_000
_OFFERED = exists().where(OfferedServiceRow.package_version_id == PackageVersion.id)
"""Tells more than the dates: the clock may have been set back between two versions."""


def newest_ids(session: Session) -> dict[str, str]:
    """The id of `newest` of each process."""
    rows = session.execute(
        select(PackageVersion.process, PackageVersion.id)
        .order_by(_OFFERED, PackageVersion.published_at, PackageVersion.version)
        .limit(MOST)
    )
    return {row.process: row.id for row in rows}


def newest(session: Session, process: str) -> PackageVersion | None:
    """The version of the process that takes new cases, else the one published last."""
    return session.scalar(
        select(PackageVersion)
        .where(PackageVersion.process == process)
        .order_by(
            _OFFERED.desc(), PackageVersion.published_at.desc(), PackageVersion.version.desc()
        )
        .limit(1)
    )


def find(
    session: Session,
    processes: Collection[str] | None = None,
    ids: Collection[str] | None = None,
    tag: str | None = None,
) -> list[PackageVersion]:
    """The versions that fit everything given, by process, oldest first."""
    statement = select(PackageVersion).where(*_conditions(processes, ids, tag))
    ordered = statement.order_by(PackageVersion.process, PackageVersion.version)
    return list(session.scalars(ordered.limit(MOST)))


def newest_first(session: Session, first: int, at_most: int) -> list[PackageVersion]:
    """A page of all versions, the one published last first."""
    statement = select(PackageVersion).order_by(
        PackageVersion.published_at.desc(), PackageVersion.id.desc()
    )
    return list(session.scalars(statement.offset(first).limit(at_most)))


def ids_of(
    session: Session,
    processes: Collection[str] | None = None,
    ids: Collection[str] | None = None,
    tag: str | None = None,
) -> frozenset[str] | None:
    """The ids of the versions that fit; None if nothing was asked for."""
    conditions = _conditions(processes, ids, tag)
    if not conditions:
        return None
    return frozenset(session.scalars(select(PackageVersion.id).where(*conditions).limit(MOST)))


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(PackageVersion)) or 0


def _conditions(
    processes: Collection[str] | None, ids: Collection[str] | None, tag: str | None
) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = []
    if processes is not None:
        made.append(PackageVersion.process.in_(list(processes)))
    if ids is not None:
        made.append(PackageVersion.id.in_(list(ids)))
    if tag is not None:
        made.append(PackageVersion.version_tag == tag)
    return made
