"""Process instances: cases that run, their variables, and files among these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.access import application
from api.engine_rest.access import require_administrator, require_worker
from api.engine_rest.asking import Asked, page_of, text
from api.engine_rest.errors import unknown
from api.engine_rest.ids import version_ids
from api.engine_rest.instance_views import (
    case_with_version,
    instance_view,
    row_view,
    variables_of,
)
from engine.domain.access import Actor
from engine.store.queries import definitions, instances
from engine.store.queries.case_rows import CaseRows
from engine.store.tables import CaseState, Document, VariableNote
from engine.store.uow import ReadSession

router = APIRouter()
Administrator = Annotated[Actor, Depends(require_administrator)]
Worker = Annotated[Actor, Depends(require_worker)]


@router.get("/process-instance")
@router.post("/process-instance")
def list_instances(request: Request, actor: Administrator, asked: Asked) -> list[dict[str, Any]]:
    """The open cases that fit, newest first."""
    with application(request).uow.read() as session:
        rows = instances.find(session, filter_of(session, asked), *page_of(asked))
        return [row_view(case, version) for case, version in rows]


@router.get("/process-instance/count")
@router.post("/process-instance/count")
def count_instances(request: Request, actor: Administrator, asked: Asked) -> dict[str, int]:
    with application(request).uow.read() as session:
        return {"count": instances.count(session, filter_of(session, asked))}


def filter_of(session: ReadSession, asked: Mapping[str, Any]) -> instances.CaseFilter:
    """The running cases for which everything in `asked` holds."""
    key, id_ = text(asked, "processDefinitionKey"), text(asked, "processDefinitionId")
    ids = version_ids([id_]) if id_ is not None else None
    return instances.CaseFilter(
        id=text(asked, "processInstanceId"),
        business_key=text(asked, "businessKey") or text(asked, "processInstanceBusinessKey"),
        versions=definitions.ids_of(session, [key] if key is not None else None, ids),
        open=True,
    )


@router.get("/process-instance/{id_}")
def get_instance(request: Request, actor: Administrator, id_: str) -> dict[str, Any]:
    with application(request).uow.read() as session:
        made = instance_view(request, session, id_)
    if made["ended"]:
        raise unknown("Process instance", id_)
    return made


@router.get("/process-instance/{id_}/variables")
def get_variables(request: Request, actor: Administrator, id_: str) -> dict[str, dict[str, Any]]:
    with application(request).uow.read() as session:
        case, _ = case_with_version(session, id_)
        return variables_of(session, case)


@router.get("/process-instance/{id_}/variables/{name}")
def get_variable(request: Request, actor: Administrator, id_: str, name: str) -> dict[str, Any]:
    with application(request).uow.read() as session:
        case, _ = case_with_version(session, id_)
        found = variables_of(session, case)
    if name not in found:
        raise unknown("Variable", name)
    return found[name]


@router.get("/process-instance/{id_}/variables/{name}/data")
def get_file(request: Request, actor: Administrator, id_: str, name: str) -> Response:
    return _file(request, id_, name)


@router.get("/execution/{id_}/localVariables/{name}/data")
def get_local_file(request: Request, actor: Worker, id_: str, name: str) -> Response:
    """The content of a file variable; an execution's id is that of its case."""
    return _file(request, id_, name)


def _file(request: Request, case_id: str, name: str) -> Response:
    wired = application(request)
    with wired.uow.read() as session:
        case, _ = case_with_version(session, case_id)
        rows = CaseRows(session, case)
        note = next((each for each in rows.all(VariableNote) if each.name == name), None)
        state = rows.first(CaseState)
        value = state.data.get(name) if state is not None else None
        row = session.get(Document, value) if note is not None and note.type == "file" else None
    if row is None or row.case_id != case_id:
        raise unknown("File variable", name)
    with wired.ports.files.open(row.storage_key) as content:
        body = content.read()
    return Response(
        body,
        media_type=row.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name)}",
            "X-Content-Type-Options": "nosniff",
        },
    )
