"""Incidents: steps that failed, and taking them up again, one, many or all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from api.access import application, require_administrator
from api.rest.operations import Done
from api.rest.schemas import Shape
from api.sentences import failure_view, prospect_view
from engine.domain.access import Actor
from engine.kernel.errors import ReasonMissing
from engine.store.queries.incidents import open_incidents
from engine.store.tables import Incident
from engine.usecases.incidents import RetryIncident, retry_incident
from engine.usecases.retry_incidents import (
    ChooseIncidents,
    Prospect,
    choose_incidents,
    preview,
    retry_incidents,
)

router = APIRouter(prefix="/incidents", tags=["operations"])
Administrator = Annotated[Actor, Depends(require_administrator)]
MOST_INCIDENTS = 500


class IncidentView(Shape):
    id: str
    case_id: str
    reference: str
    element: str | None
    reason: str
    detail: str
    message: str
    data: dict[str, Any]
    created_at: datetime


class IncidentList(Shape):
    items: list[IncidentView]


@router.get("", operation_id="list_incidents", response_model=IncidentList)
def list_incidents(request: Request, actor: Administrator) -> IncidentList:
    """The steps that failed and that nobody has dealt with yet, newest first."""
    locale = request.state.locale
    with application(request).uow.read() as session:
        rows = open_incidents(session)
        return IncidentList(items=[_incident(row, reference, locale) for row, reference in rows])


def _incident(row: Incident, reference: str, locale: str) -> IncidentView:
    error = {"reason": row.reason, "element": row.element or "", "detail": row.detail}
    return IncidentView(
        id=row.id,
        case_id=row.case_id,
        reference=reference,
        element=row.element,
        reason=row.reason,
        detail=row.detail,
        message=failure_view(error, locale),
        data=row.payload,
        created_at=row.created_at,
    )


class RetryIn(Shape):
    skip: bool = False
    note: str = Field(default="", max_length=2000)


@router.post("/{incident_id}/retry", operation_id="retry_incident", response_model=Done)
def retry(request: Request, actor: Administrator, incident_id: str, how: RetryIn) -> Done:
    """Do again what failed; with `skip` the failing activity passes without being done."""
    command = RetryIncident(actor, incident_id, how.skip, how.note)
    application(request).uow.run(retry_incident, command)
    return Done()


class RetryMany(Shape):
    """The incidents named, or all open ones (of an element, for a reason)."""

    ids: list[str] | None = Field(default=None, max_length=MOST_INCIDENTS)
    element: str | None = None
    reason: str | None = None
    skip: bool = False
    note: str = Field(default="", max_length=2000)
    apply: bool = False


class ProspectView(Shape):
    """`result` is goes_on, fails, tried or gone; once applied retried, skipped, fails, or the
    code of a refusal."""

    id: str
    case_id: str
    reference: str
    element: str | None
    result: str
    message: str


class RetryReport(Shape):
    applied: bool
    items: list[ProspectView]
    further: int
    """How many more incidents there are than one request takes up."""


@router.post("/retry", operation_id="retry_incidents", response_model=RetryReport)
def retry_many(request: Request, actor: Administrator, wanted: RetryMany) -> RetryReport:
    """Say of each incident what taking it up would do, and with `apply` do it."""
    wired = application(request)
    chosen = ChooseIncidents(actor, wanted.ids, wanted.element, wanted.reason)
    ids = wired.uow.run(choose_incidents, chosen)
    now, further = ids[:MOST_INCIDENTS], max(0, len(ids) - MOST_INCIDENTS)
    if wanted.apply:
        if wanted.skip and not wanted.note.strip():
            raise ReasonMissing
        found = retry_incidents(wired.uow, actor, now, wanted.skip, wanted.note)
    else:
        with wired.uow.read() as session:
            found = preview(session, wired.ports, now)
    items = _views(found, request.state.locale)
    return RetryReport(applied=wanted.apply, items=items, further=further)


def _views(found: Sequence[Prospect], locale: str) -> list[ProspectView]:
    return [
        ProspectView(
            id=each.incident_id,
            case_id=each.case_id,
            reference=each.reference,
            element=each.element,
            result=each.result,
            message=prospect_view(each, locale),
        )
        for each in found
    ]
