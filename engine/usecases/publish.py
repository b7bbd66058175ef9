"""Publish a package: read, check, and keep it for ever as version n+1, or refuse it as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from engine.domain.access import SYSTEM, Actor, may_publish
from engine.domain.package import MANIFEST, Manifest
from engine.domain.process import Finding
from engine.kernel.errors import NotAllowed, PackageRefused
from engine.kernel.ids import new_id
from engine.store.tables import Department, OfferedServiceRow, PackageVersion
from engine.store.uow import Work
from engine.usecases.clock_check import unfitting_clocks
from engine.usecases.connector_check import unfitting_connectors
from engine.usecases.definition import Contents, pack, read_contents
from engine.usecases.package_check import unfitting

NEEDED_IN_PACKAGES = {
    "send_task_without_letter": "letter",
    "staff_task_without_department": "department",
    "user_task_without_form": "form",
}
"""What a model may leave open, and the setting with which a package says it; empty for none."""


@dataclass(frozen=True)
class PublishPackage:
    """`files` by their path in the package. A `trial` checks and keeps nothing."""

    actor: Actor
    files: Mapping[str, bytes]
    trial: bool = False


@dataclass(frozen=True)
class Published:
    """`version` is None after a trial of a package that was never published."""

    key: str
    version: int | None
    version_id: str | None
    title: Mapping[str, str]
    services: tuple[str, ...]
    findings: tuple[Finding, ...]
    unchanged: bool
    published: bool


def publish(work: Work, command: PublishPackage) -> Published:
    """Publish `command.files`.

    Raises PackageRefused(findings) when anything in it is an error; the running version stays
    as it is. The same files published twice stay one version.
    """
    if command.actor is not SYSTEM and not may_publish(command.actor):
        raise NotAllowed
    contents, findings = check(work, command.files)
    manifest = contents.manifest
    archive = pack(command.files)
    digest = hashlib.sha256(archive).hexdigest()
    newest = work.session.scalar(
        select(PackageVersion)
        .where(PackageVersion.key == manifest.key)
        .order_by(PackageVersion.version.desc())
        .limit(1)
    )
    unchanged = newest is not None and newest.digest == digest
    if command.trial or unchanged:
        version, version_id = (newest.version, newest.id) if newest else (None, None)
    else:
        row = _keep(work, command, contents, archive, digest, findings)
        version, version_id = row.version, row.id
    return Published(
        key=manifest.key,
        version=version,
        version_id=version_id,
        title=manifest.title,
        services=tuple(manifest.services),
        findings=tuple(findings),
        unchanged=unchanged,
        published=not (command.trial or unchanged),
    )


def check(work: Work, files: Mapping[str, bytes]) -> tuple[Contents, list[Finding]]:
    """The package's contents and its warnings. Raises PackageRefused when there are errors."""
    contents, findings = read_contents(files, work.ports)
    manifest = contents.manifest if contents is not None else None
    findings = [_as_in_packages(finding) for finding in findings if not _said(finding, manifest)]
    if contents is not None:
        departments = set(work.session.scalars(select(Department.code)))
        findings += unfitting(contents, departments, work.ports.calendars)
        findings += unfitting_clocks(contents, work.ports)
        findings += _unfitting_services(work, contents.manifest)
        findings += unfitting_connectors(contents, work.ports.connectors)
    if contents is None or any(finding.severity == "error" for finding in findings):
        raise PackageRefused(findings=tuple(findings))
    return contents, findings


def _unfitting_services(work: Work, manifest: Manifest) -> Iterator[Finding]:
    for code, service in manifest.services.items():
        if service.listed:
            wrong = "" if code in work.ports.catalogue.services else "service_unknown"
        elif code in work.ports.catalogue.services:
            wrong = "service_listed"
        else:
            wrong = "service_taken" if _of_another(work, code, manifest.key) else ""
        if wrong:
            yield Finding(wrong, MANIFEST, element=code, params={"code": code})


def _of_another(work: Work, service: str, package: str) -> bool:
    """Whether cases of the service are taken by another package."""
    key = work.session.scalar(
        select(PackageVersion.key)
        .join(OfferedServiceRow, OfferedServiceRow.package_version_id == PackageVersion.id)
        .where(OfferedServiceRow.service == service)
    )
    return key is not None and key != package


def _said(finding: Finding, manifest: Manifest | None) -> bool:
    """Whether the manifest says what the model leaves open; a department cannot be none."""
    if manifest is None:
        return False
    setting = NEEDED_IN_PACKAGES.get(finding.code)
    if setting == "department" and manifest.dispatch.table is not None:
        return True
    own = manifest.settings.get(finding.element or "", {})
    return bool(own.get(setting)) if setting == "department" else setting in own


def _as_in_packages(finding: Finding) -> Finding:
    """What a model alone may leave open, a package that citizens use may not."""
    needed = finding.code in NEEDED_IN_PACKAGES
    return replace(finding, severity="error") if needed else finding


def _keep(
    work: Work,
    command: PublishPackage,
    contents: Contents,
    archive: bytes,
    digest: str,
    findings: list[Finding],
) -> PackageVersion:
    manifest = contents.manifest
    newest = work.session.scalar(
        select(func.max(PackageVersion.version)).where(PackageVersion.key == manifest.key)
    )
    row = PackageVersion(
        id=new_id(),
        key=manifest.key,
        version=(newest or 0) + 1,
        title=dict(manifest.title),
        services=list(manifest.services),
        digest=digest,
        archive=archive,
        findings=[{**vars(finding), "params": dict(finding.params)} for finding in findings],
        process=manifest.process,
        version_tag=(contents.process.version_tag or "")[:120] or None,
        published_by=command.actor.user_id,
        published_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    for code in manifest.services:
        offered = work.session.get(OfferedServiceRow, code, with_for_update=True)
        if offered is None:
            work.session.add(OfferedServiceRow(service=code, package_version_id=row.id))
        else:
            offered.package_version_id = row.id
    return row
