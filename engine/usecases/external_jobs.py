"""Work of job workers: fetched by topic under a lock that ends, and reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from engine.domain.access import SYSTEM
from engine.kernel.errors import ExecutionFailed, NotFound, TaskNotOpen
from engine.store.tables import Case, ExternalJob
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.definition import Definition, definition_for
from engine.usecases.incidents import OpenIncident, open_incident

LONGEST_LOCK = timedelta(hours=24)


@dataclass(frozen=True)
class FetchJobs:
    """Lock up to `at_most` open jobs of the `topics` for `worker`, for `lock` long."""

    worker: str
    topics: Sequence[str]
    at_most: int = 10
    lock: timedelta = timedelta(minutes=5)


def fetch_jobs(work: Work, command: FetchJobs) -> list[ExternalJob]:
    """The jobs now locked for the worker, oldest first. A lock that has ended is free again."""
    until = work.now + min(command.lock, LONGEST_LOCK)
    rows = work.session.scalars(
        select(ExternalJob)
        .where(
            ExternalJob.state == "open",
            ExternalJob.topic.in_(list(command.topics)),
            ExternalJob.retries > 0,
            or_(ExternalJob.locked_until.is_(None), ExternalJob.locked_until <= work.now),
        )
        .order_by(ExternalJob.created_at, ExternalJob.id)
        .limit(max(1, min(command.at_most, 100)))
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.worker, row.locked_until = command.worker, until
    return list(rows)


@dataclass(frozen=True)
class ReportJob:
    """What became of a fetched job: results, a BPMN `error_code`, or a technical `failure`."""

    worker: str
    job_id: str
    data: Mapping[str, Any]
    error_code: str | None = None
    failure: str | None = None


def report_job(work: Work, command: ReportJob) -> ExternalJob:
    """Carry out a worker's report.

    A technical failure costs a retry, and the last one opens an incident. Raises NotFound for a
    job that is not the worker's, TaskNotOpen for one that is no longer open, ExecutionFailed.
    """
    known = work.session.get(ExternalJob, command.job_id)
    if known is None or known.worker != command.worker:
        raise NotFound(what="job")
    case = lock_case(work, known.case_id)
    job = work.session.get_one(ExternalJob, command.job_id, populate_existing=True)
    if job.state != "open" or case.state != "open":
        raise TaskNotOpen
    if command.failure is not None:
        return _failed(work, case, job, command.failure)
    made = definition_for(work, case.package_version_id)
    _carry_out(work, made, case, job, command)
    return job


def _carry_out(
    work: Work, made: Definition, case: Case, job: ExternalJob, command: ReportJob
) -> None:
    row = state_of(work, case)
    if command.error_code is not None:
        step = made.process.fail(row.state, job.key, command.error_code)
    else:
        step = made.process.complete(row.state, job.key, command.data)
    job.state, job.finished_at, job.locked_until = "done", work.now, None
    work.session.flush()
    advance(work, made, case, step, SYSTEM)


def _failed(work: Work, case: Case, job: ExternalJob, failure: str) -> ExternalJob:
    job.retries, job.error, job.locked_until = max(0, job.retries - 1), failure[:2000], None
    if job.retries == 0:
        failed = ExecutionFailed(element=job.element, reason="job_failed", detail=failure[:500])
        payload = {"key": job.key, "external_job_id": job.id}
        open_incident(work, OpenIncident(case.id, "external_job", payload, failed))
    return job
