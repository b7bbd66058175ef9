"""Writing jobs with a change, and leasing the ones that are due.

A job is a promise: it is written in the transaction of the change that needs it, and runs at least
once. A worker keeps its leases alive while it works; those of one that died end in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from engine.kernel.faults import defect
from engine.kernel.ids import new_id
from engine.store import idempotency
from engine.store.facts import HELD_KINDS
from engine.store.queue_cursors import QueueCursors
from engine.store.statements import Query
from engine.store.tables import InstallationFact, Job
from engine.store.uow import ReadSession, Work

LEASE = timedelta(seconds=10)
"""How long a job stays with a worker that no longer says it is alive."""
SET_BACK = timedelta(minutes=5)
"""A lease that ends later than this was given before the clock was set back: it has ended."""
MAX_ATTEMPTS = 6
SUSPECT, MOST_DEATHS = 3, 12
"""A job whose workers died so often is taken alone; after so many it is run no more."""
LONGEST_WAIT = timedelta(hours=1)
KEPT = timedelta(days=30)
"""How long a finished job is kept, so that promising it again does nothing."""
QUEUES: Mapping[str, str] = {
    "timer": "timers",
    "clock_rung": "timers",
    "clock_warning": "timers",
    "joint": "timers",
    "follow": "timers",
    "message": "timers",
    "signal": "timers",
    "letter": "letters",
    "mail": "mail",
    "advice": "advice",
    "connector": "connectors",
    "recount": "recounts",
}
"""The queue of each kind of job: slow work never delays timers."""
KINDS = tuple(QUEUES)
OUTGOING = ("connector", "mail")
"""The kinds that reach other systems or people; after a restore an operator may hold them."""
UNKEPT = ("timer", "clock_rung")
"""Kinds of which a finished job leaves no row behind."""
PRIORITIES = (1, 2, 3)
NORMAL = 2


def promise(
    work: Work,
    kind: str,
    unique_key: str,
    payload: Mapping[str, Any],
    *,
    case_id: str | None = None,
    due_at: datetime | None = None,
    priority: int = NORMAL,
) -> None:
    """Write a job, unless one with this key was written before."""
    due = due_at or work.now
    work.dropped_jobs.discard(unique_key)
    if defect("outbox_forgotten") and kind == "letter":
        return
    work.rows.insert(
        Job,
        {
            "id": new_id(),
            "kind": kind,
            "queue": QUEUES[kind],
            "priority": priority,
            "unique_key": unique_key,
            "case_id": case_id,
            "payload": dict(payload),
            "due_at": due,
            "state": "waiting",
            "created_at": work.now,
        },
        unless_known=True,
    )
    if due <= work.now:
        work.wake_after_commit(kind)


def cancel(work: Work, case_id: str, kind: str, unique_keys: Sequence[str] | None = None) -> None:
    """Cancel jobs of a kind of one case, waiting or failed; or just those with `unique_keys`."""
    sql = (
        "UPDATE jobs SET state = 'cancelled', finished_at = %s "
        "WHERE kind = %s AND state IN ('waiting', 'failed') AND "
    )
    if unique_keys is None:
        work.rows.later_for(sql + "case_id IN %s", case_id, work.now, kind)
    elif unique_keys:
        work.rows.later(
            sql + "case_id = %s AND unique_key IN %s", work.now, kind, case_id, list(unique_keys)
        )


def drop(work: Work, unique_keys: Sequence[str]) -> None:
    """Delete jobs that nobody has begun; their keys may be promised again later."""
    work.dropped_jobs.update(unique_keys)


@dataclass(frozen=True)
class LeaseDue:
    """Up to `at_most` jobs of `queues` that are due by `until` (default now), for `worker`.

    Those before its `cursors` are passed over.
    """

    worker: str
    queues: Sequence[str]
    at_most: int
    until: datetime | None = None
    cursors: QueueCursors = field(default_factory=QueueCursors)


def lease_due(work: Work, command: LeaseDue) -> list[Job]:
    """Lease the jobs that have been due longest, passing over those others are taking.

    Jobs of a kind that is held wait until it is released.
    """
    until, queues = command.until or work.now, list(command.queues)
    free = "state <> 'done'" if defect("lease_ignored") else "state = 'waiting'"
    # One query for each order of the index: a sort would lock every job that is due.
    found: list[Job] = []
    cursors = command.cursors
    asked = [(queue, priority) for priority in PRIORITIES for queue in queues]
    asked = [each for each in asked if not cursors.is_empty(*each)]
    facts, *fetched, lost = work.rows.fetch(
        Query(InstallationFact, "name = %s", (HELD_KINDS,)),
        *(_due(queue, priority, free, until, command) for queue, priority in asked),
        Query(
            Job,
            "state = 'running' AND (leased_until < %s OR leased_until > %s) "
            "AND queue IN %s LIMIT %s",
            (work.now, work.now + SET_BACK, queues, command.at_most),
            skip_locked=True,
        ),
    )
    held = {kind for fact in facts for kind in fact.value}
    for where, rows in zip(asked, fetched, strict=True):
        if not rows:
            cursors.found_empty(*where)
    for rows in (*fetched, lost):
        found += [job for job in rows if job.kind not in held]
        _pass(cursors, [job for job in rows if job.kind in held])
    found.sort(key=lambda job: (job.state == "waiting", job.priority, job.due_at, job.id))
    # Whatever kills its worker must not take down with it what is only leased beside it.
    suspects = [job for job in found if job.state == "running" and job.attempts >= SUSPECT]
    found = suspects[:1] or found[: command.at_most]
    _pass(cursors, found)
    for job in found:
        job.state, job.leased_by, job.leased_until = "running", command.worker, work.now + LEASE
        job.attempts += 1
        work.rows.forget(job)
    if found:
        # One statement for all of them.
        work.rows.later(
            "UPDATE jobs SET state = 'running', leased_by = %s, leased_until = %s, "
            "attempts = attempts + 1 WHERE id IN %s",
            command.worker,
            work.now + LEASE,
            [job.id for job in found],
        )
    return sorted(found, key=lambda job: (job.due_at, job.priority, job.id))


def _due(queue: str, priority: int, free: str, until: datetime, command: LeaseDue) -> Query:
    where = f"queue = %s AND {free} AND priority = %s AND due_at <= %s"
    params: list[object] = [queue, priority, until]
    cursor = command.cursors.behind(queue, priority)
    if cursor is not None:
        # Two ranges of the index, without what stands before them.
        where += " AND (due_at > %s OR (due_at = %s AND id > %s))"
        params += [cursor.due_at, cursor.due_at, cursor.job_id]
    where += " ORDER BY due_at, id LIMIT %s"
    return Query(Job, where, (*params, command.at_most), skip_locked=True)


def _pass(cursors: QueueCursors, found: Sequence[Job]) -> None:
    for job in found:
        if job.state == "waiting":
            cursors.passed(job.queue, job.priority, job.due_at, job.id)


@dataclass(frozen=True)
class Leases:
    """The leases of `worker` on `job_ids`."""

    worker: str
    job_ids: Sequence[str]


def renew(work: Work, command: Leases) -> None:
    """Keep the leases of a worker that is still at it."""
    work.rows.later(
        "UPDATE jobs SET leased_until = %s WHERE id IN %s AND state = 'running' AND leased_by = %s",
        work.now + LEASE,
        list(command.job_ids),
        command.worker,
    )


def release(work: Work, command: Leases) -> None:
    """Give jobs back that were not begun; another worker takes them at once."""
    work.rows.later(
        "UPDATE jobs SET state = 'waiting', attempts = attempts - 1, leased_until = NULL "
        "WHERE id IN %s AND state = 'running' AND leased_by = %s",
        list(command.job_ids),
        command.worker,
    )


def finish(work: Work, job: Job) -> None:
    """The job is done."""
    if job.kind in UNKEPT:
        if job.kind == "timer" and defect("timer_kept"):
            return
        work.rows.remove(job)
        return
    job.state = "done"
    job.finished_at = work.now
    job.leased_until = None
    job.error = None


def fail(work: Work, job: Job, error: str) -> None:
    """Try again later (after 5, 10, 20… seconds)."""
    job.error = error[:2000]
    job.leased_until = None
    job.state = "waiting"
    job.due_at = work.now + min(timedelta(seconds=5 * 2 ** (job.attempts - 1)), LONGEST_WAIT)


def tidy(work: Work, _: None) -> None:
    """Clear away some of the finished jobs and requests that nobody will repeat."""
    work.rows.later(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM (SELECT id FROM jobs "
        "WHERE queue IN %s AND state IN ('done', 'cancelled') AND due_at < %s "
        "LIMIT 1000) AS old)",
        sorted(set(QUEUES.values())),
        work.now - KEPT,
    )
    work.rows.later(
        "DELETE FROM idempotency_keys WHERE `key` IN (SELECT `key` FROM (SELECT `key` "
        "FROM idempotency_keys WHERE at < %s LIMIT 1000) AS old)",
        work.now - idempotency.KEPT,
    )


def next_due(session: ReadSession) -> datetime | None:
    """When the next waiting job is due, or None."""
    return session.scalar(
        select(Job.due_at).where(Job.state == "waiting").order_by(Job.due_at).limit(1)
    )
