"""What is published and what runs on it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from engine.kernel.errors import NotFound
from engine.store.tables import Case, OfferedServiceRow, PackageVersion, User
from engine.store.uow import ReadSession


@dataclass(frozen=True)
class VersionRow:
    version: PackageVersion
    publisher: str
    current: bool
    open_cases: int


def versions(session: ReadSession) -> list[VersionRow]:
    """Every published version, the newest of each package first."""
    current = set(session.scalars(select(OfferedServiceRow.package_version_id)))
    open_cases = (
        select(Case.package_version_id, func.count())
        .where(Case.state == "open")
        .group_by(Case.package_version_id)
    )
    counts = dict(session.execute(open_cases).all())
    rows = session.execute(
        select(PackageVersion, User.display_name)
        .outerjoin(User, User.id == PackageVersion.published_by)
        .order_by(PackageVersion.key, PackageVersion.version.desc())
    )
    return [
        VersionRow(row, name or row.published_by, row.id in current, counts.get(row.id, 0))
        for row, name in rows
    ]


def archive(session: ReadSession, version_id: str) -> tuple[PackageVersion, bytes]:
    """A version with the archive it was published from. Raises NotFound."""
    row = session.scalar(
        select(PackageVersion)
        .where(PackageVersion.id == version_id)
        .options(undefer(PackageVersion.archive))
    )
    if row is None:
        raise NotFound(what="package")
    return row, row.archive


def newest_archive(session: ReadSession, key: str) -> bytes | None:
    """The archive of the newest version of a package, or None."""
    row = session.scalar(
        select(PackageVersion)
        .where(PackageVersion.key == key)
        .order_by(PackageVersion.version.desc())
        .limit(1)
        .options(undefer(PackageVersion.archive))
    )
    return None if row is None else row.archive


def service_titles(session: ReadSession, codes: Collection[str]) -> dict[str, dict[str, str]]:
    """What the packages are called that take new cases of these services."""
    rows = session.execute(
        select(OfferedServiceRow.service, PackageVersion.title)
        .join(PackageVersion, PackageVersion.id == OfferedServiceRow.package_version_id)
        .where(OfferedServiceRow.service.in_(list(codes)))
    )
    return {row.service: row.title for row in rows}


def offered_services(session: ReadSession) -> dict[str, str]:
    """The services that can be applied for now, with the version that takes them."""
    rows = session.scalars(select(OfferedServiceRow))
    return {row.service: row.package_version_id for row in rows}
