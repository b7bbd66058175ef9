"""History: cases that run or have ended, and the activities their audit says were passed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.access import application
from api.engine_rest.access import require_administrator
from api.engine_rest.asking import Asked, flag, needed, page_of, text
from api.engine_rest.ids import definition_id, version_ids
from api.engine_rest.instance_views import case_with_version
from api.engine_rest.typed import instant
from engine.domain.access import Actor
from engine.store.queries import definitions, instances
from engine.store.queries.case_rows import CaseRows
from engine.store.tables import Case, Event, PackageVersion
from engine.store.uow import ReadSession
from engine.usecases.definition import definition

router = APIRouter(prefix="/history")
Administrator = Annotated[Actor, Depends(require_administrator)]
_STATES = {"open": "ACTIVE", "closed": "COMPLETED", "withdrawn": "EXTERNALLY_TERMINATED"}


@router.get("/process-instance")
@router.post("/process-instance")
def list_instances(request: Request, actor: Administrator, asked: Asked) -> list[dict[str, Any]]:
    """Cases, newest first."""
    with application(request).uow.read() as session:
        rows = instances.find(session, _filter(session, asked), *page_of(asked))
        return [_instance(case, version) for case, version in rows]


@router.get("/process-instance/count")
@router.post("/process-instance/count")
def count_instances(request: Request, actor: Administrator, asked: Asked) -> dict[str, int]:
    with application(request).uow.read() as session:
        return {"count": instances.count(session, _filter(session, asked))}


@router.get("/process-instance/{id_}")
def get_instance(request: Request, actor: Administrator, id_: str) -> dict[str, Any]:
    with application(request).uow.read() as session:
        return _instance(*case_with_version(session, id_))


def _filter(session: ReadSession, asked: Any) -> instances.CaseFilter:
    key, id_ = text(asked, "processDefinitionKey"), text(asked, "processDefinitionId")
    ids = version_ids([id_]) if id_ is not None else None
    unfinished = True if flag(asked, "unfinished") else None
    return instances.CaseFilter(
        id=text(asked, "processInstanceId"),
        business_key=text(asked, "processInstanceBusinessKey"),
        versions=definitions.ids_of(session, [key] if key is not None else None, ids),
        open=False if flag(asked, "finished") else unfinished,
    )


def _instance(case: Case, version: PackageVersion) -> dict[str, Any]:
    lasted = None
    if case.closed_at is not None:
        lasted = round((case.closed_at - case.received_at).total_seconds() * 1000)
    return {
        "id": case.id,
        "businessKey": case.business_key or case.reference,
        "processDefinitionId": definition_id(version),
        "processDefinitionKey": version.process,
        "processDefinitionName": version.title["en"],
        "processDefinitionVersion": version.version,
        "startTime": instant(case.received_at),
        "endTime": instant(case.closed_at),
        "removalTime": None,
        "durationInMillis": lasted,
        "startUserId": None,
        "startActivityId": None,
        "deleteReason": None,
        "rootProcessInstanceId": case.id,
        "superProcessInstanceId": None,
        "superCaseInstanceId": None,
        "caseInstanceId": None,
        "tenantId": None,
        "state": _STATES.get(case.state, case.state.upper()),
    }


@router.get("/activity-instance")
def list_activities(request: Request, actor: Administrator, asked: Asked) -> list[dict[str, Any]]:
    """The activities that were finished in one case (`processInstanceId`), in order."""
    wired = application(request)
    id_, first, most = needed(asked, "processInstanceId"), *page_of(asked)
    with wired.uow.read() as session:
        case, version = case_with_version(session, id_)
        elements = definition(session, version.id, wired.ports).process.elements
        made = [
            _activity(case, version, event, place, element, elements.get(element))
            for event in CaseRows(session, case).all(Event, "number")
            if event.kind == "process_advanced"
            for place, element in enumerate(event.details.get("passed", []))
        ]
    return made[first : first + most]


def _activity(
    case: Case, version: PackageVersion, event: Event, place: int, id_: str, element: Any
) -> dict[str, Any]:
    """`startTime` is not in the audit, and so not told."""
    return {
        "id": f"{id_}:{event.number}.{place}",
        "activityId": id_,
        "activityName": element.name if element is not None else None,
        "activityType": element.kind if element is not None else None,
        "processDefinitionId": definition_id(version),
        "processDefinitionKey": version.process,
        "processInstanceId": case.id,
        "rootProcessInstanceId": case.id,
        "executionId": case.id,
        "startTime": None,
        "endTime": instant(event.at),
        "canceled": False,
        "completeScope": False,
        "tenantId": None,
    }
