"""Incidents: steps that failed, and trying them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select

from api.access import application
from api.engine_rest.access import require_administrator
from api.engine_rest.asking import NO_CONTENT, Asked, Body, number, page_of, text
from api.engine_rest.errors import invalid, unknown
from api.engine_rest.ids import definition_id
from api.engine_rest.typed import instant
from api.sentences import failure_view
from engine.domain.access import Actor
from engine.kernel.errors import NotFound
from engine.store.queries.incidents import incidents_of
from engine.store.tables import Case, Incident, PackageVersion
from engine.store.uow import ReadSession
from engine.usecases.incidents import RetryJob, retry_job

router = APIRouter()
Administrator = Annotated[Actor, Depends(require_administrator)]
_TYPES = {"external_job": "failedExternalTask", "job": "failedJob", "task": "failedTask"}


@router.get("/incident")
def list_incidents(request: Request, actor: Administrator, asked: Asked) -> list[dict[str, Any]]:
    """The incidents that nobody has dealt with, newest first."""
    first, most = page_of(asked)
    with application(request).uow.read() as session:
        found = _found(session, asked)[first : first + most]
        rows = _with_cases(session, found)
        return [_view(each, *rows[each.case_id], request.state.locale) for each in found]


@router.get("/incident/count")
def count_incidents(request: Request, actor: Administrator, asked: Asked) -> dict[str, int]:
    with application(request).uow.read() as session:
        return {"count": len(_found(session, asked))}


@router.get("/incident/{id_}")
def get_incident(request: Request, actor: Administrator, id_: str) -> dict[str, Any]:
    with application(request).uow.read() as session:
        row = session.get(Incident, id_)
        if row is None or row.state != "open":
            raise unknown("Incident", id_)
        case, version = _with_cases(session, [row])[row.case_id]
        return _view(row, case, version, request.state.locale)


@router.put("/job/{id_}/retries", **NO_CONTENT)
def put_retries(request: Request, actor: Administrator, id_: str, body: Body) -> None:
    """Do again a job of the engine that failed for good; a new try does not wait for its time."""
    if not number(body, "retries"):
        raise invalid("retries must be 1 or more")
    try:
        application(request).uow.run(retry_job, RetryJob(actor, id_))
    except NotFound:
        raise unknown("Failed job", id_) from None


def _found(session: ReadSession, asked: Mapping[str, Any]) -> list[Incident]:
    type_, element = text(asked, "incidentType"), text(asked, "activityId")
    rows = incidents_of(session, text(asked, "processInstanceId"))
    return [
        row
        for row in rows
        if (type_ is None or _TYPES.get(row.source) == type_)
        and (element is None or row.element == element)
    ]


def _with_cases(
    session: ReadSession, rows: list[Incident]
) -> dict[str, tuple[Case, PackageVersion]]:
    found = session.execute(
        select(Case, PackageVersion)
        .join(PackageVersion, PackageVersion.id == Case.package_version_id)
        .where(Case.id.in_({row.case_id for row in rows}))
    )
    return {case.id: (case, version) for case, version in found}


def _view(row: Incident, case: Case, version: PackageVersion, locale: str) -> dict[str, Any]:
    error = {"reason": row.reason, "element": row.element or "", "detail": row.detail}
    about = row.payload.get("external_job_id") or row.payload.get("job_id")
    return {
        "id": row.id,
        "processDefinitionId": definition_id(version),
        "processInstanceId": case.id,
        "executionId": case.id,
        "incidentTimestamp": instant(row.created_at),
        "incidentType": _TYPES.get(row.source, row.source),
        "activityId": row.element,
        "failedActivityId": row.element,
        "causeIncidentId": row.id,
        "rootCauseIncidentId": row.id,
        "configuration": about,
        "incidentMessage": row.detail or failure_view(error, locale),
        "tenantId": None,
        "jobDefinitionId": None,
        "annotation": row.note,
    }
