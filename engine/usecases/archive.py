"""Archive: pack the rows of closed cases into one row a case, and bring them back.

The case's own row stays, and with it lists, references and tracking; who opens the case reads it
from the archive. Both ways are one transaction, and a line of the case's audit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from engine.domain.access import Actor
from engine.kernel.errors import NotFound, StoreUnavailable
from engine.store.archive import (
    FORMAT,
    PACKED,
    Stored,
    as_now,
    grouped,
    pack,
    packed_tables,
    unpack,
)
from engine.store.audit import record
from engine.store.jobs import KEPT
from engine.store.portable import insert_stored, select_of, stored_values
from engine.store.tables import ArchivedCase, ArchivedDepartment, Case, Incident, Job, Task
from engine.store.uow import ReadSession, UnitOfWork, Work

log = logging.getLogger("banshi.archive")
BATCH = 50
"""Cases in one transaction."""
LEAST_AGE = KEPT
"""How long a case must have been closed: until nobody repeats a request or promise of it."""
_UNFINISHED = ("waiting", "running", "failed")


@dataclass(frozen=True)
class ArchiveCases:
    """Cases closed before an instant. Those that are open, archived or have work left stay."""

    actor: Actor
    case_ids: Sequence[str]
    closed_before: datetime


def archive_cases(work: Work, command: ArchiveCases) -> int:
    """Pack the cases; how many. Doing it again does nothing."""
    closed_before = min(command.closed_before, work.now - LEAST_AGE)
    ids = list(command.case_ids)
    cases = [
        case
        for case in work.rows.select(Case, "id IN %s ORDER BY id", ids, lock=True)
        if case.state != "open"
        and case.archived_at is None
        and case.closed_at is not None
        and case.closed_at < closed_before
    ]
    busy = _busy(work, [case.id for case in cases])
    cases = [case for case in cases if case.id not in busy]
    if not cases:
        return 0
    for case in cases:
        record(work, case, "case_archived", command.actor)
    work.rows.flush()
    packed = _read(work, [case.id for case in cases])
    for case in cases:
        _keep(work, case, {name: rows[case.id] for name, rows in packed.items() if case.id in rows})
    for table in packed_tables().values():
        sql = f"DELETE FROM `{table.name}` WHERE case_id IN %s"  # noqa: S608
        work.rows.later(sql, [case.id for case in cases])
    return len(cases)


def _busy(work: Work, ids: Sequence[str]) -> set[str]:
    """The cases for which something is still to be done, or an operator has to look."""
    if not ids:
        return set()
    found = work.rows.values_of_each(
        (
            "SELECT case_id FROM jobs WHERE case_id IN %s AND state IN %s",
            (list(ids), list(_UNFINISHED)),
        ),
        ("SELECT case_id FROM incidents WHERE case_id IN %s AND state = 'open'", (list(ids),)),
    )
    return {row[0] for rows in found for row in rows}


def _read(work: Work, ids: Sequence[str]) -> dict[str, dict[str, Stored]]:
    """The stored rows by table and case, all in one round trip."""
    tables = list(packed_tables().values())
    results = work.rows.values_of_each(
        *((f"{select_of(table)} WHERE case_id IN %s", (list(ids),)) for table in tables)
    )
    made: dict[str, dict[str, Stored]] = {}
    for table, rows in zip(tables, results, strict=True):
        of_cases = grouped(table, (stored_values(table, row) for row in rows))
        columns = list(table.columns)
        made[table.name] = {case_id: (columns, each) for case_id, each in of_cases.items()}
    return made


def _keep(work: Work, case: Case, rows: dict[str, Stored]) -> None:
    body, digest = pack(rows)
    values = {
        "case_id": case.id,
        "closed_at": case.closed_at,
        "format": FORMAT,
        "body": body,
        "sha256": digest,
    }
    work.rows.insert(ArchivedCase, values)
    columns, tasks = rows.get(Task.__tablename__, (["department"], []))
    place = columns.index("department")
    for department in sorted({task[place] for task in tasks} - {None}):
        work.rows.insert(ArchivedDepartment, {"case_id": case.id, "department": department})
    case.archived_at = work.now


@dataclass(frozen=True)
class UnarchiveCase:
    actor: Actor
    case_id: str


def unarchive_case(work: Work, command: UnarchiveCase) -> Case:
    """Bring all rows of the case back. Doing it again does nothing.

    Raises NotFound or ArchiveDamaged.
    """
    found = work.rows.select(Case, "id = %s", command.case_id, lock=True)
    if not found:
        raise NotFound(what="case")
    case = found[0]
    if case.archived_at is None:
        return case
    stored = unpack(work.rows.get(ArchivedCase, case.id))
    for entity in PACKED:
        rows = stored.get(entity.__tablename__)
        if rows is not None:
            columns, values = as_now(entity, rows)
            insert_stored(work, entity.__tablename__, columns, values)
    for table in ("archived_cases", "archived_departments"):
        work.rows.later(f"DELETE FROM {table} WHERE case_id = %s", case.id)  # noqa: S608
    case.archived_at = None
    record(work, case, "case_unarchived", command.actor)
    return case


def count_archivable(session: ReadSession, closed_before: datetime) -> int:
    """How many cases `archive_closed` would pack."""
    conditions = _conditions(closed_before)
    return session.scalar(select(func.count()).select_from(Case).where(*conditions)) or 0


@dataclass
class Archived:
    """How many cases were packed, and those that could not be, with the reason."""

    count: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def archive_closed(
    uow: UnitOfWork,
    actor: Actor,
    closed_before: datetime,
    progress: Callable[[int], None] = lambda count: None,
    stop: Callable[[], bool] = lambda: False,
) -> Archived:
    """Pack every case closed before the instant, some in a transaction.

    `stop` is asked between the transactions. A case that cannot be packed does not keep the
    others from it.
    """
    made = Archived()
    for ids in _batches(uow, closed_before):
        if stop():
            break
        try:
            made.count += uow.run(archive_cases, ArchiveCases(actor, ids, closed_before))
        except Exception as error:
            log.info("%s cases do not go together: %s", len(ids), error)
            _one_by_one(uow, actor, ids, closed_before, made)
        progress(len(ids))
    return made


def _one_by_one(
    uow: UnitOfWork, actor: Actor, ids: Sequence[str], closed_before: datetime, made: Archived
) -> None:
    for id_ in ids:
        try:
            made.count += uow.run(archive_cases, ArchiveCases(actor, [id_], closed_before))
        except StoreUnavailable:
            raise
        except Exception as error:  # whoever called is told which
            made.failed[id_] = f"{type(error).__name__}: {error}"


def _batches(uow: UnitOfWork, closed_before: datetime) -> Iterator[list[str]]:
    after: tuple[datetime, str] | None = None
    while True:
        statement = select(Case.id, Case.closed_at).where(*_conditions(closed_before))
        if after is not None:
            at, id_ = after
            behind = or_(Case.closed_at > at, and_(Case.closed_at == at, Case.id > id_))
            statement = statement.where(Case.closed_at >= at, behind)
        with uow.read() as session:
            rows = session.execute(statement.order_by(Case.closed_at, Case.id).limit(BATCH)).all()
        if not rows:
            return
        yield [row.id for row in rows]
        after = (rows[-1].closed_at, rows[-1].id)


def _conditions(closed_before: datetime) -> list[Any]:
    left = exists().where(Job.case_id == Case.id, Job.state.in_(_UNFINISHED))
    incident = exists().where(Incident.case_id == Case.id, Incident.state == "open")
    return [
        Case.closed_at < closed_before,
        Case.archived_at.is_(None),
        Case.state != "open",
        ~left,
        ~incident,
    ]
