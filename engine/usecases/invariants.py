"""What must hold in the database at any time, checked while the product runs.

Each case is looked at in one snapshot of its own, so a check neither stops anybody nor mistakes a
step that happens meanwhile for a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import exists, func, literal, select

from engine.domain.process import Waits
from engine.kernel.errors import ArchiveDamaged, EngineError
from engine.store.archive import PACKED
from engine.store.audit import first_broken_event
from engine.store.jobs import KEPT
from engine.store.queries.case_rows import CaseRows
from engine.store.tables import (
    ArchivedCase,
    ArchivedDepartment,
    Case,
    CaseState,
    ClockRow,
    Document,
    ExternalJob,
    Incident,
    Job,
    Letter,
    Message,
    Subscription,
    Task,
)
from engine.store.uow import ReadSession, UnitOfWork
from engine.usecases.clock_invariants import clock_faults
from engine.usecases.definition import definition
from engine.usecases.incidents import HELD, MESSAGE

BATCH = 200
LONG_DEAD = timedelta(minutes=1)
"""How long after its end a lease that nobody took over is a fault."""


@dataclass(frozen=True)
class Violation:
    """Something that must not be: a code, where, and what was found there."""

    code: str
    table: str
    key: str
    detail: str = ""


def count_cases(uow: UnitOfWork) -> int:
    """How many cases there are to check."""
    with uow.read() as session:
        return session.scalar(select(func.count()).select_from(Case)) or 0


def violations(
    uow: UnitOfWork, progress: Callable[[int], None] = lambda count: None
) -> Iterator[Violation]:
    """Everything that is wrong; `progress` is told how many more cases were checked."""
    yield from _of_all(uow)
    after = ""
    while True:
        with uow.read() as session:
            ids = list(
                session.scalars(
                    select(Case.id).where(Case.id > after).order_by(Case.id).limit(BATCH)
                )
            )
        for case_id in ids:
            with uow.read(snapshot=True) as session:
                yield from _of_case(uow, session, case_id)
        if not ids:
            return
        after = ids[-1]
        progress(len(ids))


def _of_case(uow: UnitOfWork, session: ReadSession, case_id: str) -> Iterator[Violation]:
    case = session.get(Case, case_id)
    if case is None:
        return
    rows = CaseRows(session, case)
    try:
        broken, row = first_broken_event(session, case_id), rows.first(CaseState)
    except ArchiveDamaged:
        yield Violation("archive_damaged", "archived_cases", case_id)
        return
    if broken is not None:
        yield Violation("audit_broken", "events", case_id, str(broken))
    for fault in clock_faults(session, case, rows):
        yield Violation(fault.code, "sla_clocks", case_id, f"{fault.clock} {fault.detail}".strip())
    written = _written(session, case)
    if row is None:
        yield Violation("state_missing", "case_states", case_id)
        return
    try:
        made = definition(session, case.package_version_id, uow.ports)
        stored = made.process.waits(row.state)
    except EngineError as error:
        yield Violation("state_unreadable", "case_states", case_id, error.code)
        return
    if case.state == "open":
        yield from _of_open(session, case_id, stored, written)
        return
    # A withdrawn case keeps the state it was withdrawn in.
    if written:
        yield Violation("closed_case_waits", "cases", case_id, _listed(written))
    if any(clock.state != "stopped" for clock in rows.all(ClockRow)):
        yield Violation("closed_case_counts", "sla_clocks", case_id)


def _of_open(
    session: ReadSession, case_id: str, stored: Waits, written: Waits
) -> Iterator[Violation]:
    for name in ("tasks", "timers", "subscriptions", "jobs"):
        missing = getattr(stored, name) - getattr(written, name)
        extra = getattr(written, name) - getattr(stored, name)
        if missing:
            yield Violation("row_missing", name, case_id, ", ".join(sorted(missing)))
        if extra:
            yield Violation("row_unfounded", name, case_id, ", ".join(sorted(extra)))
    if not written and not session.scalar(
        select(exists().where(Incident.case_id == case_id, Incident.state == "open"))
    ):
        yield Violation("nothing_waits", "cases", case_id)


def _written(session: ReadSession, case: Case) -> Waits:
    """What the rows say that the case waits for."""
    tasks = session.scalars(
        select(Task.key).where(
            Task.case_id == case.id,
            Task.state.in_(["open", "held"]),
            # What serves another task is not the process's, and ends with that task.
            Task.part_of.is_(None) | (case.state != "open"),
        )
    )
    timers = session.scalars(
        select(Job.unique_key).where(
            Job.case_id == case.id,
            Job.kind == "timer",
            # One that failed still waits, behind its incident.
            Job.state.in_(["waiting", "running", "failed"]),
        )
    )
    waiting = session.scalars(select(Subscription.key).where(Subscription.case_id == case.id))
    jobs = session.scalars(
        select(ExternalJob.key).where(ExternalJob.case_id == case.id, ExternalJob.state == "open")
    )
    return Waits(
        frozenset(tasks),
        frozenset(key.partition(":")[2] for key in timers),
        frozenset(waiting),
        frozenset(jobs),
    )


def _listed(waits: Waits) -> str:
    return ", ".join(sorted(waits.tasks | waits.timers | waits.subscriptions | waits.jobs))


def _of_all(uow: UnitOfWork) -> Iterator[Violation]:
    with uow.read() as session:
        now = uow.ports.clock.now()
        yield from _orphans(session)
        yield from _half_archived(session)
        yield from _dead_leases(session, now)
        yield from _letters_without_jobs(session, now)
        yield from _held_for_nobody(session)
        documents = session.scalars(select(Document).where(Document.case_id.is_not(None))).all()
    for document in documents:
        try:
            uow.ports.files.open(document.storage_key).close()
        except OSError:
            yield Violation("file_missing", "documents", document.id, document.storage_key)


def _orphans(session: ReadSession) -> Iterator[Violation]:
    for table in _of_cases():
        known = exists().where(Case.id == table.case_id)
        found = session.scalars(
            select(table.case_id).where(table.case_id.is_not(None), ~known).distinct().limit(100)
        )
        for case_id in found:
            yield Violation("orphan", table.__tablename__, case_id)


def _of_cases() -> Sequence[Any]:
    """The tables that have no rows without a case."""
    return (*PACKED, ArchivedCase, ArchivedDepartment)


def _half_archived(session: ReadSession) -> Iterator[Violation]:
    """A case is in the archive or in the tables, and never in both."""
    for table in cast("Sequence[Any]", PACKED):
        left = select(table.case_id).join(Case, Case.id == table.case_id)
        left = left.where(Case.archived_at.is_not(None)).distinct().limit(100)
        for case_id in session.scalars(left):
            yield Violation("archived_case_has_rows", table.__tablename__, case_id)
    unfounded = select(ArchivedCase.case_id).join(Case, Case.id == ArchivedCase.case_id)
    for case_id in session.scalars(unfounded.where(Case.archived_at.is_(None)).limit(100)):
        yield Violation("archive_unfounded", "archived_cases", case_id)


def _dead_leases(session: ReadSession, now: datetime) -> Iterator[Violation]:
    for job in session.scalars(
        select(Job).where(Job.state == "running", Job.leased_until < now - LONG_DEAD).limit(100)
    ):
        yield Violation("lease_dead", "jobs", job.id, job.kind)


def _held_for_nobody(session: ReadSession) -> Iterator[Violation]:
    """Messages that wait behind an incident which nobody sees any more."""
    behind = set()
    for payload in session.scalars(
        select(Incident.payload).where(Incident.state == "open", Incident.source == MESSAGE)
    ):
        behind.add(payload["message_id"])
    for id_ in session.scalars(select(Message.id).where(Message.state == HELD).limit(1000)):
        if id_ not in behind:
            yield Violation("message_stranded", "messages", id_)


def _letters_without_jobs(session: ReadSession, now: datetime) -> Iterator[Violation]:
    addressed = [Letter.state == "sent", Letter.address.is_not(None), Letter.address != ""]
    # A job that was done is cleared away some day.
    addressed.append(Letter.sent_at > now - KEPT)
    for kind, conditions in (("letter", [Letter.state == "waiting"]), ("mail", addressed)):
        promised = exists().where(Job.unique_key == literal(f"{kind}:") + Letter.id)
        for id_ in session.scalars(select(Letter.id).where(*conditions, ~promised).limit(100)):
            yield Violation("promise_missing", "letters", id_, kind)
