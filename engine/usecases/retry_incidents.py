"""Take up many incidents: looked at beforehand, then each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from engine.domain.access import Actor, may_administer
from engine.domain.ports import Ports
from engine.kernel.errors import EngineError, ExecutionFailed, NotAllowed, TaskNotOpen
from engine.store.tables import Case, CaseState, Incident, Job, Message, Task
from engine.store.uow import ReadSession, UnitOfWork, Work
from engine.usecases.definition import definition
from engine.usecases.incidents import MESSAGE, RetryIncident, answers_of, retry_incident

GOES_ON, FAILS, TRIED, GONE = "goes_on", "fails", "tried", "gone"
"""What taking up would do: the case goes on; the same again; only trying shows; nothing waits."""


@dataclass(frozen=True)
class ChooseIncidents:
    """The incidents named by `ids`, or all of an `element` and for a `reason`, if given."""

    actor: Actor
    ids: Sequence[str] | None = None
    element: str | None = None
    reason: str | None = None


def choose_incidents(work: Work, command: ChooseIncidents) -> list[str]:
    """The ids of open incidents, oldest first. Raises NotAllowed.

    A command, so that a request sent again means the same incidents.
    """
    if not may_administer(command.actor):
        raise NotAllowed
    statement = select(Incident.id).where(Incident.state == "open")
    if command.ids is not None:
        statement = statement.where(Incident.id.in_(command.ids))
    if command.element is not None:
        statement = statement.where(Incident.element == command.element)
    if command.reason is not None:
        statement = statement.where(Incident.reason == command.reason)
    return list(work.session.scalars(statement.order_by(Incident.created_at, Incident.id)))


@dataclass(frozen=True)
class Prospect:
    """What would come, or has come, of one incident.

    `result` is one of the above, the code of an error, or the resolution: retried, skipped.
    `error` says why it fails.
    """

    incident_id: str
    case_id: str
    reference: str
    element: str | None
    result: str
    error: Mapping[str, Any] | None = None


def preview(session: ReadSession, ports: Ports, ids: Sequence[str]) -> list[Prospect]:
    """What taking up each incident would do. Changes nothing."""
    found = []
    for incident in session.scalars(select(Incident).where(Incident.id.in_(ids))):
        case = session.get_one(Case, incident.case_id)
        try:
            result, error = _outlook(session, ports, case, incident), None
        except ExecutionFailed as failed:
            result, error = FAILS, failed.params
        found.append(_prospect(incident, case, result, error))
    return sorted(found, key=lambda each: ids.index(each.incident_id))


def _outlook(session: ReadSession, ports: Ports, case: Case, incident: Incident) -> str:
    if incident.source not in ("task", MESSAGE, "job"):
        return TRIED
    if incident.source == "job":
        job = session.get(Job, incident.payload["job_id"])
        if job is None or job.kind != "timer":
            return GONE if job is None else TRIED
        key, data = job.payload["key"], None
    elif incident.source == MESSAGE:
        message = session.get(Message, incident.payload["message_id"])
        key, data = incident.payload["key"], message.data if message else None
    else:
        key, data = incident.payload["key"], answers_of(incident.payload)[1]
    if case.state != "open":
        return GONE
    process = definition(session, case.package_version_id, ports).process
    state = session.get_one(CaseState, case.id).state
    if incident.source != "task":
        return GONE if process.fire(state, key, data) is None else GOES_ON
    task = session.scalar(select(Task).where(Task.case_id == case.id, Task.key == key))
    if task is None or task.state != "open":
        return GONE
    try:
        process.complete(state, key, data or {})
    except TaskNotOpen:
        return GONE
    return GOES_ON


def retry_incidents(
    uow: UnitOfWork, actor: Actor, ids: Sequence[str], skip: bool = False, note: str = ""
) -> list[Prospect]:
    """Take up each of them; one that cannot be leaves the others alone."""
    report = []
    for id_ in ids:
        error: Mapping[str, Any] | None = None
        try:
            uow.run(retry_incident, RetryIncident(actor, id_, skip, note))
            result = "skipped" if skip else "retried"
        except ExecutionFailed as failed:
            result, error = FAILS, failed.params
        except EngineError as refused:
            result = refused.code
        with uow.read() as session:
            incident = session.get(Incident, id_)
            if incident is not None:
                case = session.get_one(Case, incident.case_id)
                report.append(_prospect(incident, case, result, error))
    return report


def _prospect(
    incident: Incident, case: Case, result: str, error: Mapping[str, Any] | None
) -> Prospect:
    return Prospect(incident.id, case.id, case.reference, incident.element, result, error)
