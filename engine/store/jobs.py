"""Writing jobs with a change, and leasing the ones that are due.

A job is a promise: it is written in the transaction of the change that needs it, and runs at least
once. A worker that dies gives its lease back when the lease ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update

from engine.kernel.ids import new_id
from engine.store.tables import Job
from engine.store.uow import ReadSession, Work

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 6
KINDS = ("timer", "letter", "mail", "advice", "clock_warning", "message", "signal")


def promise(
    work: Work,
    kind: str,
    unique_key: str,
    payload: Mapping[str, Any],
    *,
    case_id: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Write a job, unless one with this key was written before."""
    known = work.session.scalar(select(Job.id).where(Job.unique_key == unique_key))
    if known:
        return
    due = due_at or work.now
    work.session.add(
        Job(
            id=new_id(),
            kind=kind,
            unique_key=unique_key,
            case_id=case_id,
            payload=dict(payload),
            due_at=due,
            state="waiting",
            created_at=work.now,
        )
    )
    if due <= work.now:
        work.wake_after_commit(kind)


def cancel(work: Work, case_id: str, kind: str, unique_key: str | None = None) -> None:
    """Cancel the waiting jobs of a kind of one case, or just the one with `unique_key`."""
    statement = update(Job).where(Job.case_id == case_id, Job.kind == kind, Job.state == "waiting")
    if unique_key is not None:
        statement = statement.where(Job.unique_key == unique_key)
    work.session.execute(statement.values(state="cancelled", finished_at=work.now))


def lease_next(work: Work, until: datetime | None = None) -> str | None:
    """Lease the job that has been due longest by `until` (default now); its id, or None."""
    ready = or_(
        Job.state == "waiting",
        (Job.state == "running") & (Job.leased_until < work.now),
    )
    job = work.session.scalars(
        select(Job)
        .where(ready, Job.due_at <= (until or work.now))
        .order_by(Job.due_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if job is None:
        return None
    job.state = "running"
    job.attempts += 1
    job.leased_until = work.now + LEASE
    return job.id


def finish(work: Work, job: Job) -> None:
    job.state = "done"
    job.finished_at = work.now
    job.leased_until = None
    job.error = None


def fail(work: Work, job: Job, error: str) -> None:
    """Try again later (2, 4, 8… minutes), or leave it as an incident after the last attempt."""
    job.error = error[:2000]
    job.leased_until = None
    if job.attempts >= MAX_ATTEMPTS:
        job.state = "failed"
        job.finished_at = work.now
    else:
        job.state = "waiting"
        job.due_at = work.now + timedelta(minutes=2**job.attempts)


def next_due(session: ReadSession) -> datetime | None:
    """When the next waiting job is due, or None."""
    return session.scalar(
        select(Job.due_at).where(Job.state == "waiting").order_by(Job.due_at).limit(1)
    )
