"""What job workers report: done, a BPMN error, or a failure that costs a retry.

The case's row is locked first, then the job's. A report is accepted from the worker that fetched
the job last, even if its lock has ended meanwhile: until another fetches it, nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from engine.domain.access import SYSTEM, Actor
from engine.domain.process import Step
from engine.domain.variables import NONE, SentFile, Variables
from engine.kernel.errors import ExecutionFailed, JobLockLost, NotFound
from engine.store.tables import Case, CaseState, ExternalJob, Incident
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.definition import Definition, definition_for
from engine.usecases.external_jobs import open_job
from engine.usecases.incidents import OpenIncident, open_incident, resolve
from engine.usecases.variables import plain_values, remember

LONGEST_PAUSE = timedelta(days=366)
MOST_RETRIES = 1_000_000


@dataclass(frozen=True)
class CompleteJob:
    """`variables` are the case's from now on; `own` only the task's output mappings see."""

    actor: Actor
    worker: str
    job_id: str
    variables: Variables = NONE
    own: Variables = NONE


@dataclass(frozen=True)
class JobError:
    """The job ends with the BPMN error `code`, which an event of the model catches."""

    actor: Actor
    worker: str
    job_id: str
    code: str
    message: str = ""
    variables: Variables = NONE


@dataclass(frozen=True)
class FailJob:
    """The job could not be done. `retries` are those left, None for one less than before.

    It is offered again after `pause`, or with no retries left becomes an incident.
    """

    actor: Actor
    worker: str
    job_id: str
    message: str = ""
    details: str = ""
    retries: int | None = None
    pause: timedelta = timedelta(0)
    variables: Variables = NONE


def complete_job(work: Work, command: CompleteJob) -> Case:
    """Raises NotFound, JobLockLost, VariableRefused, or ExecutionFailed if the case cannot go on.

    After ExecutionFailed the job has no retries left and there is an incident.
    """
    case, job, made, row = _reported(work, command.job_id, command.worker)
    kept = plain_values(work, command.actor, command.variables)
    own = _transient(command.variables) | plain_values(work, command.actor, command.own)
    step = _taken(case, job, lambda: made.process.complete(row.state, job.key, kept, own=own))
    remember(work, case, command.variables, kept)
    _finish(work, made, case, job, step)
    return case


def job_error(work: Work, command: JobError) -> Case:
    """Raises as `complete_job`; ExecutionFailed too when nothing catches the error."""
    case, job, made, row = _reported(work, command.job_id, command.worker)
    kept = plain_values(work, command.actor, command.variables)
    step = _taken(
        case,
        job,
        lambda: made.process.fail(row.state, job.key, command.code, command.message, kept),
    )
    remember(work, case, command.variables, kept)
    _finish(work, made, case, job, step)
    return case


def fail_job(work: Work, command: FailJob) -> ExternalJob:
    """Raises NotFound, JobLockLost, VariableRefused, ExecutionFailed."""
    case, job, made, row = _reported(work, command.job_id, command.worker)
    left = job.retries - 1 if command.retries is None else command.retries
    job.retries = max(0, min(left, MOST_RETRIES))
    job.error, job.error_details = command.message[:2000], command.details[:100_000] or None
    pause = min(max(command.pause, timedelta(0)), LONGEST_PAUSE)
    job.worker, job.locked_until = None, work.now + pause if pause else None
    kept = plain_values(work, command.actor, command.variables)
    if kept:
        step = made.process.correct(row.state, kept)
        remember(work, case, command.variables, kept)
        advance(work, made, case, step, SYSTEM)
    if job.retries == 0 and job.state == "open":
        reason = {"reason": "job_failed", "detail": command.message[:500]}
        failed = ExecutionFailed(element=job.element, **reason)
        open_incident(work, OpenIncident(case.id, "external_job", _payload(job), failed))
    return job


@dataclass(frozen=True)
class SetRetries:
    actor: Actor
    job_id: str
    retries: int


def set_retries(work: Work, command: SetRetries) -> ExternalJob:
    """Let the job be tried `retries` times more; what stopped it counts as resolved.

    Raises NotFound.
    """
    known = work.session.get(ExternalJob, command.job_id)
    if known is None:
        raise NotFound(what="job")
    lock_case(work, known.case_id)
    job = open_job(work, command.job_id)
    job.retries = max(0, min(command.retries, MOST_RETRIES))
    if job.retries:
        for incident in work.session.scalars(
            select(Incident).where(
                Incident.case_id == job.case_id,
                Incident.state == "open",
                Incident.source == "external_job",
            )
        ):
            if incident.payload.get("external_job_id") == job.id:
                resolve(work, command.actor, incident, "retried", "")
    return job


def _reported(
    work: Work, job_id: str, worker: str
) -> tuple[Case, ExternalJob, Definition, CaseState]:
    known = work.session.get(ExternalJob, job_id)
    if known is None:
        raise NotFound(what="job")
    case = lock_case(work, known.case_id)
    job = open_job(work, job_id)
    if case.state != "open":
        raise NotFound(what="job")
    if job.worker != worker:
        raise JobLockLost(job=job.id, worker=job.worker or "", holds=True)
    made = definition_for(work, case.package_version_id)
    return case, job, made, state_of(work, case)


def _transient(variables: Variables) -> dict[str, Any]:
    """What is not to be kept, the output mappings may yet see; a file they could not."""
    return {
        name: value
        for name, value in variables.values.items()
        if name in variables.transient and not isinstance(value, SentFile)
    }


def _payload(job: ExternalJob) -> dict[str, object]:
    return {"key": job.key, "external_job_id": job.id}


def _taken(case: Case, job: ExternalJob, step: Any) -> Step:
    """The step; one that fails leaves an incident, as trying it again would fail again."""
    try:
        taken: Step = step()
    except ExecutionFailed as failed:
        failed.attempt = (case.id, "external_job", _payload(job))
        raise
    return taken


def _finish(work: Work, made: Definition, case: Case, job: ExternalJob, step: Step) -> None:
    job.state, job.finished_at, job.locked_until = "done", work.now, None
    work.session.flush()
    advance(work, made, case, step, SYSTEM)
