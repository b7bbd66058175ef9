"""What a restored database needs before anybody works with it, and the jobs that were held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from engine.store.facts import HELD_KINDS, RESTORED, read_fact, write_fact
from engine.store.jobs import OUTGOING
from engine.store.tables import Case, ExternalJob, Job, UserSession
from engine.store.uow import ReadSession, Work
from engine.usecases.connector_jobs import WORKER

MOST_SHOWN = 1000


@dataclass(frozen=True)
class SettleRestored:
    """`backup` is what is remembered of it. With `hold` nothing goes out until it is released."""

    backup: Mapping[str, Any]
    hold: bool = False


def settle_restored(work: Work, command: SettleRestored) -> None:
    """Nobody is signed in or at work any more; what was being done is done again."""
    session = work.session
    session.execute(delete(UserSession))
    session.execute(
        update(Job)
        .where(Job.state == "running")
        .values(state="waiting", leased_until=None, leased_by=None)
    )
    # A connector's external job is kept from job workers by a lock of ours.
    session.execute(
        update(ExternalJob)
        .where(ExternalJob.state == "open", ExternalJob.worker != WORKER)
        .values(worker=None, locked_until=None)
    )
    write_fact(session, RESTORED, dict(command.backup), work.now)
    write_fact(session, HELD_KINDS, sorted(OUTGOING) if command.hold else None, work.now)


@dataclass(frozen=True)
class HeldJob:
    """A job that would be run now if its kind were not held. `reference` is its case's."""

    kind: str
    reference: str | None
    due_at: datetime
    attempts: int
    error: str | None


def held_kinds(session: ReadSession) -> list[str]:
    return list(read_fact(session, HELD_KINDS) or [])


def held_jobs(session: ReadSession) -> list[HeldJob]:
    """The jobs of held kinds, those due first before the others."""
    rows = session.execute(
        select(Job, Case.reference)
        .outerjoin(Case, Case.id == Job.case_id)
        .where(Job.kind.in_(held_kinds(session)), Job.state == "waiting")
        .order_by(Job.due_at, Job.id)
        .limit(MOST_SHOWN)
    )
    return [
        HeldJob(job.kind, reference, job.due_at, job.attempts, job.error) for job, reference in rows
    ]


@dataclass(frozen=True)
class ReleaseJobs:
    """With `mail_as_sent`, mails that wait now count as sent: somebody has seen that they were."""

    mail_as_sent: bool = False


def release_jobs(work: Work, command: ReleaseJobs) -> int:
    """Let the held kinds go on; how many mails were counted as sent."""
    session, counted = work.session, 0
    if command.mail_as_sent and "mail" in held_kinds(ReadSession(session)):
        done = session.execute(
            update(Job)
            .where(Job.kind == "mail", Job.state == "waiting")
            .values(state="done", finished_at=work.now, error=None)
        )
        counted = done.rowcount  # type: ignore[attr-defined]
    write_fact(session, HELD_KINDS, None, work.now)
    for kind in OUTGOING:
        work.wake_after_commit(kind)
    return counted
