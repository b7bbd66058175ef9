"""Cases for programs: found by id, key, version and state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select

from engine.store.tables import Case, PackageVersion
from engine.store.uow import ReadSession


@dataclass(frozen=True)
class CaseFilter:
    """Cases for which everything given holds; `business_key` may be the reference."""

    id: str | None = None
    business_key: str | None = None
    versions: Collection[str] | None = None
    open: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        made: list[ColumnElement[bool]] = []
        if self.id is not None:
            made.append(Case.id == self.id)
        if self.business_key is not None:
            key = self.business_key
            made.append(or_(Case.business_key == key, Case.reference == key))
        if self.versions is not None:
            made.append(Case.package_version_id.in_(list(self.versions)))
        if self.open is not None:
            made.append(Case.state == "open" if self.open else Case.state != "open")
        return made


def find(
    session: ReadSession, wanted: CaseFilter, first: int, at_most: int
) -> list[tuple[Case, PackageVersion]]:
    """The cases that fit, newest first, each with its version."""
    rows = session.execute(
        select(Case, PackageVersion)
        .join(PackageVersion, PackageVersion.id == Case.package_version_id)
        .where(*wanted.conditions())
        .order_by(Case.id.desc())
        .offset(first)
        .limit(at_most)
    )
    return [(case, version) for case, version in rows]


def count(session: ReadSession, wanted: CaseFilter) -> int:
    statement = select(func.count()).select_from(Case).where(*wanted.conditions())
    return session.scalar(statement) or 0
