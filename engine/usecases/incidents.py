"""Steps that failed: written down when they are rolled back, and taken up again by an operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.domain.access import Actor, may_administer
from engine.kernel.errors import ExecutionFailed, IncidentResolved, NotAllowed, NotFound
from engine.kernel.ids import new_id
from engine.store.audit import record
from engine.store.tables import Case, ExternalJob, Incident, Job, Task, User
from engine.store.uow import UnitOfWork, Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.complete import close_task, dispatch_data
from engine.usecases.definition import definition_for

RETRIES = 3
"""How often a job worker may try again what an operator has released."""


@dataclass(frozen=True)
class OpenIncident:
    """`source` is what was being done: ``task`` (its key and answers), ``job`` (its id) or
    ``external_job`` (its key and id)."""

    case_id: str
    source: str
    payload: Mapping[str, Any]
    failed: ExecutionFailed


def open_incident(work: Work, command: OpenIncident) -> Incident:
    """Write the failure down, once as long as it is not resolved."""
    lock_case(work, command.case_id)
    params = command.failed.params
    element, payload = params.get("element"), dict(command.payload)
    for known in work.rows.select(Incident, "case_id = %s AND state = 'open'", command.case_id):
        if (known.element, known.source) == (element, command.source) and known.payload.get(
            "key"
        ) == payload.get("key"):
            return known
    incident = Incident(
        id=new_id(),
        case_id=command.case_id,
        element=element,
        reason=str(params.get("reason") or "unexpected")[:60],
        detail=str(params.get("detail") or "")[:2000],
        source=command.source,
        payload=payload,
        state="open",
        created_at=work.now,
    )
    work.rows.add(incident)
    if command.source == "external_job":
        _stop(work, incident)
    return incident


def _stop(work: Work, incident: Incident) -> None:
    """Offer the job to no worker until somebody has dealt with it."""
    job = work.session.get(ExternalJob, incident.payload["external_job_id"])
    if job is not None and job.state == "open":
        job.retries, job.worker, job.locked_until = 0, None, None
        job.error = job.error or incident.detail


def note_failure(uow: UnitOfWork, error: Exception) -> None:
    """After a rolled back command: keep what failed in a case as an incident."""
    attempt = getattr(error, "attempt", None)
    if isinstance(error, ExecutionFailed) and attempt is not None:
        case_id, source, payload = attempt
        uow.run(open_incident, OpenIncident(case_id, source, payload, error))


@dataclass(frozen=True)
class RetryIncident:
    """Do again what failed; with `skip` the failing activity passes without being done.

    `note` is the operator's reason, kept in the audit; required to skip.
    """

    actor: Actor
    incident_id: str
    skip: bool = False
    note: str = ""


def retry_incident(work: Work, command: RetryIncident) -> Incident:
    """Take the failed step up again.

    Raises NotAllowed, NotFound, IncidentResolved, ReasonMissing, or ExecutionFailed again.
    """
    incident, case = locked_incident(work, command.actor, command.incident_id)
    skip = [incident.element] if command.skip and incident.element else []
    if incident.source == "task":
        _complete_again(work, case, incident, skip)
    elif incident.source == "external_job":
        _offer_again(work, command.actor, case, incident, skip)
    else:
        job = work.rows.first(Job, "id = %s", incident.payload["job_id"], lock=True)
        if job is None:
            raise IncidentResolved
        job.payload = {**job.payload, "skip": skip}
        job.state, job.attempts, job.due_at, job.error = "waiting", 0, work.now, None
        work.wake_after_commit(job.kind)
    resolve(work, command.actor, incident, "skipped" if skip else "retried", command.note)
    return incident


def _complete_again(work: Work, case: Case, incident: Incident, skip: list[str]) -> None:
    payload = incident.payload
    task = work.rows.first(Task, "case_id = %s AND `key` = %s", case.id, payload["key"])
    if task is None or task.state != "open":
        return
    made = definition_for(work, case.package_version_id)
    variables = payload.get("variables")
    answers = payload["answers"] if variables is None else variables
    data = {payload["saves_as"]: answers} if variables is None else variables
    data = {**data, **dispatch_data(case, task)}
    step = made.process.complete(state_of(work, case).state, task.key, data, skip)
    user = work.rows.get_one(User, payload["actor_id"])
    actor = Actor(user.id, user.user_name, user.display_name, frozenset(user.roles))
    close_task(work, case, task, actor, answers)
    advance(work, made, case, step, actor)


def _offer_again(work: Work, actor: Actor, case: Case, incident: Incident, skip: list[str]) -> None:
    job = work.session.get_one(
        ExternalJob, incident.payload["external_job_id"], with_for_update=True
    )
    if job.state != "open":
        return
    if not skip:
        job.retries, job.worker, job.locked_until = RETRIES, None, None
        return
    made = definition_for(work, case.package_version_id)
    step = made.process.skip(state_of(work, case).state, job.key)
    job.state, job.finished_at = "done", work.now
    work.session.flush()
    advance(work, made, case, step, actor)


def locked_incident(work: Work, actor: Actor, incident_id: str) -> tuple[Incident, Case]:
    """An open incident with its case locked. Raises NotAllowed, NotFound, IncidentResolved."""
    if not may_administer(actor):
        raise NotAllowed
    found = work.rows.values("SELECT case_id FROM incidents WHERE id = %s", incident_id)
    if not found:
        raise NotFound(what="incident")
    case = lock_case(work, found[0][0])
    incident = work.rows.get_one(Incident, incident_id)
    if incident.state != "open":
        raise IncidentResolved
    return incident, case


def resolve(work: Work, actor: Actor, incident: Incident, resolution: str, note: str) -> None:
    """Close the incident and say so in the case's audit."""
    incident.state, incident.resolution, incident.note = "resolved", resolution, note[:2000]
    incident.resolved_at, incident.resolved_by = work.now, actor.user_id
    record(
        work,
        lock_case(work, incident.case_id),
        "incident_resolved",
        actor,
        element=incident.element,
        resolution=resolution,
        reason=note[:500],
    )
