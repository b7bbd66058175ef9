"""Work of job workers: fetched by topic under a lock that ends, kept, given back, and listed.

What workers report is in `job_reports`. Only the job's row is locked here, and never waited for
by a fetch, so that no lock of a case can be met the wrong way round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from engine.bpmn import process_data
from engine.kernel.errors import JobLockLost, NotFound
from engine.store.tables import Case, CaseState, ExternalJob
from engine.store.uow import ReadSession, Work

LONGEST_LOCK = timedelta(hours=24)
MOST_JOBS = 1_000
_MOST_LOOKED_AT = 2_000
Order = Literal["asc", "desc"]


@dataclass(frozen=True)
class Topic:
    """What a worker asks for: jobs of `name`, each locked for `lock`.

    `business_key` is that of the case, or its reference; `versions` are the ids of the package
    versions wanted, None for all; `equal` are variables of the case and the values they must have.
    """

    name: str
    lock: timedelta = timedelta(minutes=5)
    business_key: str | None = None
    versions: Collection[str] | None = None
    equal: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FetchJobs:
    """Lock up to `at_most` free jobs of the `topics` for `worker`.

    With `by_priority` the most important come first; `created` orders by age.
    """

    worker: str
    topics: Sequence[Topic]
    at_most: int = 10
    by_priority: bool = False
    created: Order | None = None


def fetch_jobs(work: Work, command: FetchJobs) -> list[ExternalJob]:
    """The jobs now locked for the worker. A lock that has ended is free again.

    Jobs that another worker is just taking are passed over, not waited for.
    """
    wanted = max(1, min(command.at_most, MOST_JOBS))
    waiting = free_jobs(work.session, command, work.now, 3 * wanted + 20)
    found: list[ExternalJob] = []
    while waiting and len(found) < wanted:
        chunk, waiting = waiting[: wanted - len(found)], waiting[wanted - len(found) :]
        rows = {
            row.id: row
            for row in work.session.scalars(
                select(ExternalJob)
                .where(ExternalJob.id.in_(chunk), _free(work.now))
                .with_for_update(skip_locked=True)
                .execution_options(populate_existing=True)
            )
        }
        for row in (rows[id_] for id_ in chunk if id_ in rows):
            row.worker = command.worker
            row.locked_until = work.now + _lock_of(command.topics, row.topic)
            found.append(row)
        work.session.flush()
    return found


def _lock_of(topics: Sequence[Topic], name: str) -> timedelta:
    return min(next(topic.lock for topic in topics if topic.name == name), LONGEST_LOCK)


def free_jobs(session: Session, command: FetchJobs, now: datetime, at_most: int) -> list[str]:
    """The ids of free jobs that fit, in order; takes no lock."""
    wanted = [topic for topic in command.topics if topic.versions is None or topic.versions]
    if not wanted:
        return []
    ordered: list[Any] = [ExternalJob.priority.desc()] if command.by_priority else []
    if command.created is not None:
        # Ids are in the order of creation, and stand in every index.
        ordered.append(ExternalJob.id.desc() if command.created == "desc" else ExternalJob.id)
    else:
        ordered += [ExternalJob.locked_until, ExternalJob.id]
    statement = (
        select(ExternalJob.id, ExternalJob.topic, ExternalJob.case_id)
        .where(_free(now), or_(*(_asked_for(topic) for topic in wanted)))
        .order_by(*ordered)
    )
    compared = {topic.name: topic.equal for topic in wanted if topic.equal}
    if not compared:
        return [row.id for row in session.execute(statement.limit(at_most))]
    rows = session.execute(statement.limit(_MOST_LOOKED_AT)).all()
    cases = {row.case_id for row in rows if row.topic in compared}
    data = {
        state.case_id: process_data(state.state)
        for state in session.execute(
            select(CaseState.case_id, CaseState.state).where(CaseState.case_id.in_(cases))
        )
    }
    fitting = [
        row.id
        for row in rows
        if all(
            name in data[row.case_id] and data[row.case_id][name] == value
            for name, value in compared.get(row.topic, {}).items()
        )
    ]
    return fitting[:at_most]


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(
        ExternalJob.state == "open",
        ExternalJob.retries > 0,
        or_(ExternalJob.locked_until.is_(None), ExternalJob.locked_until <= now),
    )


def _asked_for(topic: Topic) -> ColumnElement[bool]:
    conditions = [ExternalJob.topic == topic.name]
    if topic.business_key is not None:
        cases = select(Case.id).where(
            or_(Case.business_key == topic.business_key, Case.reference == topic.business_key)
        )
        conditions.append(ExternalJob.case_id.in_(cases))
    if topic.versions is not None:
        cases = select(Case.id).where(Case.package_version_id.in_(list(topic.versions)))
        conditions.append(ExternalJob.case_id.in_(cases))
    return and_(*conditions)


def free_topics(session: ReadSession, names: Collection[str], now: datetime) -> dict[str, int]:
    """How many jobs of each of these topics are free; topics without any are left out."""
    rows = session.execute(
        select(ExternalJob.topic, func.count().label("free"))
        .where(_free(now), ExternalJob.topic.in_(list(names)))
        .group_by(ExternalJob.topic)
    )
    return {row.topic: row.free for row in rows}


@dataclass(frozen=True)
class LockJob:
    """Hold the job for `lock` from now. With `extend` only a lock that still holds is moved."""

    worker: str
    job_id: str
    lock: timedelta
    extend: bool = False


def lock_job(work: Work, command: LockJob) -> ExternalJob:
    """Lock a job for the worker. Raises NotFound, or JobLockLost(worker) naming who has it."""
    job = open_job(work, command.job_id)
    holds = job.locked_until is not None and job.locked_until > work.now
    if command.extend:
        if job.worker != command.worker or not holds:
            raise JobLockLost(job=job.id, worker=job.worker or "", holds=holds)
    elif holds and job.worker != command.worker:
        raise JobLockLost(job=job.id, worker=job.worker or "", holds=True)
    job.worker = command.worker
    job.locked_until = work.now + min(command.lock, LONGEST_LOCK)
    return job


def unlock_job(work: Work, job_id: str) -> ExternalJob:
    """Give the job back, whoever has it. Raises NotFound."""
    job = open_job(work, job_id)
    job.worker, job.locked_until = None, None
    return job


@dataclass(frozen=True)
class SetPriority:
    job_id: str
    priority: int


def set_priority(work: Work, command: SetPriority) -> ExternalJob:
    """Raises NotFound."""
    job = open_job(work, command.job_id)
    job.priority = command.priority
    return job


def open_job(work: Work, job_id: str) -> ExternalJob:
    """The job, its row locked. Raises NotFound for one that is not open."""
    job = work.session.scalar(
        select(ExternalJob)
        .where(ExternalJob.id == job_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if job is None or job.state != "open":
        raise NotFound(what="job")
    return job
