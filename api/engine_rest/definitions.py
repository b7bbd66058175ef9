"""Process definitions: the versions of each process, their models, and beginning cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.access import application
from api.engine_rest.access import require_designer
from api.engine_rest.asking import Asked, Body, flag, number, page_of, text
from api.engine_rest.errors import REST, RestError, unknown
from api.engine_rest.ids import definition_id, version_id
from api.engine_rest.instance_views import instance_view
from api.engine_rest.typed import read_variables
from api.rest.packages import diagram_of
from api.wiring import Application
from engine.domain.access import Actor
from engine.kernel.errors import ServiceNotOffered
from engine.store.queries import definitions
from engine.store.tables import PackageVersion
from engine.store.uow import ReadSession
from engine.usecases.start_instance import StartInstance, start_instance

router = APIRouter(prefix="/process-definition")
Designer = Annotated[Actor, Depends(require_designer)]


def definition_view(row: PackageVersion, file: str | None = None) -> dict[str, Any]:
    return {
        "id": definition_id(row),
        "key": row.process,
        "category": None,
        "description": None,
        "name": row.title["en"],
        "version": row.version,
        "resource": file or f"{row.process}.bpmn",
        "deploymentId": row.id,
        "diagram": None,
        "suspended": False,
        "tenantId": None,
        "versionTag": row.version_tag,
        "historyTimeToLive": None,
        "startableInTasklist": True,
    }


@router.get("")
def list_definitions(request: Request, actor: Designer, asked: Asked) -> list[dict[str, Any]]:
    """The definitions that fit, by key and version."""
    first, most = page_of(asked)
    with application(request).uow.read() as session:
        rows = _found(session, asked)
        return [definition_view(row) for row in rows[first : first + most]]


@router.get("/count")
def count_definitions(request: Request, actor: Designer, asked: Asked) -> dict[str, int]:
    with application(request).uow.read() as session:
        return {"count": len(_found(session, asked))}


def _found(session: ReadSession, asked: Mapping[str, Any]) -> list[PackageVersion]:
    key, id_ = text(asked, "key"), text(asked, "processDefinitionId")
    rows = definitions.find(
        session,
        [key] if key is not None else None,
        [version_id(id_)] if id_ is not None else None,
        text(asked, "versionTag"),
    )
    wanted = number(asked, "version")
    if wanted is not None:
        rows = [row for row in rows if row.version == wanted]
    if flag(asked, "latestVersion"):
        latest = set(definitions.newest_ids(session).values())
        rows = [row for row in rows if row.id in latest]
    return rows


@router.get("/key/{key}")
def get_by_key(request: Request, actor: Designer, key: str) -> dict[str, Any]:
    with application(request).uow.read() as session:
        return definition_view(_by_key(session, key))


@router.get("/key/{key}/xml")
def get_xml_by_key(request: Request, actor: Designer, key: str) -> dict[str, str]:
    with application(request).uow.read() as session:
        return _xml(application(request), session, _by_key(session, key))


@router.get("/{id_}")
def get_by_id(request: Request, actor: Designer, id_: str) -> dict[str, Any]:
    with application(request).uow.read() as session:
        return definition_view(_by_id(session, id_))


@router.get("/{id_}/xml")
def get_xml(request: Request, actor: Designer, id_: str) -> dict[str, str]:
    with application(request).uow.read() as session:
        return _xml(application(request), session, _by_id(session, id_))


def _xml(wired: Application, session: ReadSession, row: PackageVersion) -> dict[str, str]:
    return {
        "id": definition_id(row),
        "bpmn20Xml": diagram_of(session, wired, row.id, "en").xml,
    }


@router.post("/key/{key}/start")
def start_by_key(request: Request, actor: Designer, key: str, body: Body) -> dict[str, Any]:
    with application(request).uow.read() as session:
        row = _by_key(session, key)
    return _start(request, actor, row, body)


@router.post("/{id_}/start")
def start_by_id(request: Request, actor: Designer, id_: str, body: Body) -> dict[str, Any]:
    with application(request).uow.read() as session:
        row = _by_id(session, id_)
    return _start(request, actor, row, body)


def _start(
    request: Request, actor: Actor, row: PackageVersion, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Begin a case; `withVariablesInReturn` gives back what its variables are then."""
    wired = application(request)
    command = StartInstance(
        actor, row.id, read_variables(body.get("variables")), text(body, "businessKey")
    )
    try:
        case = wired.uow.run(start_instance, command)
    except ServiceNotOffered:
        message = f"Version {row.version} of {row.process} no longer takes new cases"
        raise RestError(400, REST, message) from None
    with wired.uow.read() as session:
        return instance_view(request, session, case.id, flag(body, "withVariablesInReturn"))


def _by_key(session: ReadSession, key: str) -> PackageVersion:
    row = definitions.newest(session, key)
    if row is None:
        raise unknown("Process definition", key)
    return row


def _by_id(session: ReadSession, id_: str) -> PackageVersion:
    found = definitions.find(session, ids=[version_id(id_)])
    if not found:
        raise unknown("Process definition", id_)
    return found[0]
