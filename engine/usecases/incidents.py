"""Steps that failed: written down when they are rolled back, and taken up again by an operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.domain.access import Actor, may_administer
from engine.kernel.errors import (
    ExecutionFailed,
    IncidentResolved,
    NotAllowed,
    NotFound,
    ReasonMissing,
)
from engine.kernel.faults import crash_point
from engine.kernel.ids import new_id
from engine.store.audit import record
from engine.store.tables import Case, ExternalJob, Incident, Job, Message, Task, User
from engine.store.uow import UnitOfWork, Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.complete import close_task, dispatch_data
from engine.usecases.definition import definition_for

MESSAGE = "message"
"""The source of an incident behind which a message waits for a receiver that failed on it."""
HELD = "held"
"""The state of such a message."""
WITHOUT_A_STEP = frozenset({"letter", "mail", "advice", "clock_rung", "clock_warning"})
"""Kinds of jobs that no step of the process waits for: who skips one gives it up."""
RETRIES = 3
"""How often a job worker may try again what an operator has released."""


@dataclass(frozen=True)
class OpenIncident:
    """`source` is what was being done: ``task`` (its key and answers), ``job`` (its id),
    ``message`` (its id and the key of who waits for it) or ``external_job`` (its key and id)."""

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
    elif command.source == MESSAGE:
        message = work.rows.first(Message, "id = %s", payload["message_id"], lock=True)
        if message is not None:
            message.state, message.case_id = HELD, command.case_id
    return incident


def held_subscriptions(work: Work, case_ids: Sequence[str]) -> set[tuple[str, str]]:
    """The cases and keys of what waits behind an incident, and takes no other message."""
    if not case_ids:
        return set()
    where = "case_id IN %s AND state = 'open' AND source = %s"
    rows = work.rows.select(Incident, where, sorted(set(case_ids)), MESSAGE)
    return {(row.case_id, row.payload["key"]) for row in rows}


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
        crash_point("step_undone")
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
    if command.skip and not command.note.strip():
        raise ReasonMissing
    incident, case = locked_incident(work, command.actor, command.incident_id)
    skip = [incident.element] if command.skip and incident.element else []
    if incident.source == "task":
        _complete_again(work, case, incident, skip)
    elif incident.source == "external_job":
        _offer_again(work, command.actor, case, incident, skip)
    elif incident.source == MESSAGE:
        _deliver_again(work, command.actor, case, incident, skip)
    else:
        _run_again(work, incident, command.skip, skip)
    resolution = "skipped" if command.skip else "retried"
    resolve(work, command.actor, incident, resolution, command.note)
    return incident


def _run_again(work: Work, incident: Incident, give_up: bool, skip: list[str]) -> None:
    job = work.rows.first(Job, "id = %s", incident.payload["job_id"], lock=True)
    if job is None or job.state != "failed":
        return  # the case went on without it
    if give_up and job.kind in WITHOUT_A_STEP:
        job.state, job.finished_at = "cancelled", work.now
        return
    job.payload = {**job.payload, "skip": skip}
    job.state, job.attempts, job.due_at, job.error = "waiting", 0, work.now, None
    work.wake_after_commit(job.kind)


def _deliver_again(
    work: Work, actor: Actor, case: Case, incident: Incident, skip: list[str]
) -> None:
    message = work.rows.first(Message, "id = %s", incident.payload["message_id"], lock=True)
    if message is None or message.state != HELD or case.state != "open":
        return
    made = definition_for(work, case.package_version_id)
    key = incident.payload["key"]
    step = made.process.fire(state_of(work, case).state, key, message.data, skip)
    message.state, message.delivered_at = "delivered", work.now
    if step is not None:
        advance(work, made, case, step, actor)


@dataclass(frozen=True)
class RetryJob:
    """Do again a job of the engine that failed for good."""

    actor: Actor
    job_id: str


def retry_job(work: Work, command: RetryJob) -> Incident:
    """Take the job's incident up again. Raises as `retry_incident`; NotFound if it has none."""
    job = work.rows.get(Job, command.job_id)
    if job is None or job.case_id is None:
        raise NotFound(what="job")
    for incident in work.rows.select(Incident, "case_id = %s AND state = 'open'", job.case_id):
        if incident.payload.get("job_id") == job.id:
            return retry_incident(work, RetryIncident(command.actor, incident.id))
    raise NotFound(what="job")


def _complete_again(work: Work, case: Case, incident: Incident, skip: list[str]) -> None:
    payload = incident.payload
    task = work.rows.first(Task, "case_id = %s AND `key` = %s", case.id, payload["key"])
    if task is None or task.state != "open":
        return
    made = definition_for(work, case.package_version_id)
    answers, data = answers_of(payload)
    data = {**data, **dispatch_data(case, task)}
    step = made.process.complete(state_of(work, case).state, task.key, data, skip)
    user = work.rows.get_one(User, payload["actor_id"])
    actor = Actor(user.id, user.user_name, user.display_name, frozenset(user.roles))
    close_task(work, case, task, actor, answers)
    advance(work, made, case, step, actor)


def answers_of(payload: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What somebody had answered when the step failed, and what the case's data gets of it."""
    variables = payload.get("variables")
    if variables is not None:
        return variables, variables
    return payload["answers"], {payload["saves_as"]: payload["answers"]}


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
