"""Migrate running cases to another version: previewed, case by case, and revertible."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.domain.access import Actor, may_publish
from engine.domain.lifecycle import WAITING_STATES
from engine.domain.ports import Ports
from engine.domain.process import Place
from engine.kernel.errors import (
    CaseNotOpen,
    EngineError,
    MigrationRefused,
    NotAllowed,
    NotFound,
)
from engine.store.audit import record
from engine.store.statements import Query
from engine.store.tables import Case, CaseState, Event, Job, PackageVersion, Task
from engine.store.uow import ReadSession, UnitOfWork, Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.clock_migration import follow_migration
from engine.usecases.definition import definition, definition_for

MIGRATED = "case_migrated"


@dataclass(frozen=True)
class Migration:
    """From one version to another; `mapping` names the new element for an old one."""

    source_id: str
    target_id: str
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseOutlook:
    """What would happen, or has happened, to one case. `refusal` is None if it can migrate."""

    case_id: str
    reference: str
    places: tuple[Place, ...]
    refusal: str | None = None


@dataclass(frozen=True)
class ChooseCases:
    """The cases named by `ids`, or all open ones of a version (of a stage or department)."""

    source_id: str
    ids: Sequence[str] | None = None
    stage: str | None = None
    department: str | None = None


def choose_cases(work: Work, command: ChooseCases) -> list[str]:
    """The ids of the cases to move; a command, so that a request sent again moves the same."""
    if command.ids is not None:
        known = select(Case.id).where(Case.id.in_(command.ids)).order_by(Case.id)
        return list(work.session.scalars(known))
    return open_cases(work.session, command.source_id, command.stage, command.department)


def open_cases(
    session: Session, source_id: str, stage: str | None = None, department: str | None = None
) -> list[str]:
    """The ids of the open cases of a version, oldest first, by stage or department if given."""
    statement = select(Case.id).where(Case.package_version_id == source_id, Case.state == "open")
    if stage is not None:
        statement = statement.where(Case.stage == stage)
    if department is not None:
        statement = statement.where(Case.department == department)
    return list(session.scalars(statement.order_by(Case.received_at, Case.id)))


def preview(
    session: ReadSession, ports: Ports, migration: Migration, case_ids: Sequence[str]
) -> list[CaseOutlook]:
    """What would happen to each case. Changes nothing. Raises NotFound for a version."""
    source = definition(session, migration.source_id, ports)
    target = definition(session, migration.target_id, ports)
    found = []
    for case_id in case_ids:
        case, row = session.get(Case, case_id), session.get(CaseState, case_id)
        if case is None or row is None or case.package_version_id != migration.source_id:
            continue
        try:
            made = target.process.migrate(row.state, source.process, migration.mapping)
            refusal = None if made.step is not None else _refusal(made.places)
            found.append(CaseOutlook(case.id, case.reference, made.places, refusal))
        except EngineError as error:
            found.append(CaseOutlook(case.id, case.reference, (), error.code))
    return found


def _refusal(places: Sequence[Place]) -> str:
    return next((place.reason or "element_gone" for place in places if place.target is None), "")


@dataclass(frozen=True)
class MigrateCase:
    actor: Actor
    case_id: str
    migration: Migration


def migrate_case(work: Work, command: MigrateCase) -> CaseOutlook:
    """Move one case. Its tasks keep their claims and drafts, its timers their due times.

    Raises NotAllowed, NotFound, CaseNotOpen, MigrationRefused(places), ExecutionFailed.
    """
    if not may_publish(command.actor):
        raise NotAllowed
    migration = command.migration
    case = lock_case(work, command.case_id)
    if case.package_version_id != migration.source_id:
        raise NotFound(what="case")
    if case.state != "open":
        raise CaseNotOpen
    source = definition_for(work, migration.source_id)
    target = definition_for(work, migration.target_id)
    if source.manifest.key != target.manifest.key:
        raise NotFound(what="package")
    row = state_of(work, case)
    made = target.process.migrate(row.state, source.process, migration.mapping)
    if made.step is None:
        raise MigrationRefused(reference=case.reference, reason=_refusal(made.places))
    case.package_version_id = target.id
    names = {place.element: place.target or "" for place in made.places}
    _rename(work, case, names)
    follow_migration(work, target, case, {**migration.mapping, **names}, command.actor)
    record(
        work,
        case,
        MIGRATED,
        command.actor,
        source=migration.source_id,
        target=migration.target_id,
        mapping=dict(migration.mapping),
    )
    advance(work, target, case, made.step, command.actor)
    return CaseOutlook(case.id, case.reference, made.places)


def _rename(work: Work, case: Case, names: Mapping[str, str]) -> None:
    tasks, timers = work.rows.fetch(
        Query(Task, "case_id = %s AND state IN %s", (case.id, WAITING_STATES)),
        Query(Job, "case_id = %s AND kind = 'timer' AND state = 'waiting'", (case.id,)),
    )
    for task in tasks:
        task.element = names.get(task.element, task.element)
    if case.dispatch:
        case.dispatch = {names.get(each, each): kept for each, kept in case.dispatch.items()}
    for job in timers:
        element = job.payload.get("element")
        job.payload = {**job.payload, "element": names.get(element, element)}


@dataclass(frozen=True)
class RevertMigration:
    actor: Actor
    case_id: str


def revert_migration(work: Work, command: RevertMigration) -> CaseOutlook:
    """Undo the case's last migration, back to the version it came from.

    Raises as `migrate_case`; NotFound if the case was never migrated or has moved on since.
    """
    case = lock_case(work, command.case_id)
    last = work.rows.first(
        Event, "case_id = %s AND kind = %s ORDER BY number DESC", case.id, MIGRATED
    )
    if last is None or last.details["target"] != case.package_version_id:
        raise NotFound(what="migration")
    back = {new: old for old, new in last.details["mapping"].items()}
    migration = Migration(last.details["target"], last.details["source"], back)
    return migrate_case(work, MigrateCase(command.actor, case.id, migration))


def migrate_cases(
    uow: UnitOfWork,
    actor: Actor,
    migration: Migration,
    case_ids: Sequence[str],
    progress: Callable[[CaseOutlook], None] = lambda outlook: None,
) -> list[CaseOutlook]:
    """Move many cases, each in a transaction of its own; what is refused stays where it is."""
    report = []
    for case_id in case_ids:
        try:
            outlook = uow.run(migrate_case, MigrateCase(actor, case_id, migration))
        except EngineError as error:
            with uow.read() as session:
                case = session.get(Case, case_id)
            reason = str(error.params.get("reason") or error.code)
            outlook = CaseOutlook(case_id, case.reference if case else "", (), reason)
        report.append(outlook)
        progress(outlook)
    return report


def version_id(session: ReadSession, key: str, version: int) -> str:
    """The id of a published version. Raises NotFound."""
    found = session.scalar(
        select(PackageVersion.id).where(
            PackageVersion.key == key, PackageVersion.version == version
        )
    )
    if found is None:
        raise NotFound(what="package")
    return found
