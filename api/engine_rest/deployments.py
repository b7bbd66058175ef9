"""Deployments: models sent by Camunda Modeler, published as package versions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from api.access import application
from api.engine_rest.access import require_anybody, require_designer
from api.engine_rest.asking import Asked, page_of
from api.engine_rest.definitions import definition_view
from api.engine_rest.errors import invalid, unknown
from api.engine_rest.typed import instant
from engine.domain.access import Actor
from engine.store.queries import definitions
from engine.store.tables import PackageVersion
from engine.usecases.definition import MAX_BYTES, MAX_FILES
from engine.usecases.deploy import Deployed, DeployModels, deploy

router = APIRouter()
Designer = Annotated[Actor, Depends(require_designer)]
Anybody = Annotated[Actor, Depends(require_anybody)]
VERSION = "7.24.0"
"""The version of Camunda whose interface this follows."""


@router.get("/version")
def version(request: Request, actor: Anybody) -> dict[str, str]:
    return {"version": VERSION}


@router.get("/deployment")
def list_deployments(request: Request, actor: Designer, asked: Asked) -> list[dict[str, Any]]:
    """Every published version is a deployment, newest first."""
    first, most = page_of(asked)
    with application(request).uow.read() as session:
        rows = definitions.newest_first(session, first, most)
        return [_view(request, row, row.title["en"], None) for row in rows]


@router.get("/deployment/count")
def count_deployments(request: Request, actor: Designer) -> dict[str, int]:
    with application(request).uow.read() as session:
        return {"count": definitions.count(session)}


@router.get("/deployment/{id_}")
def get_deployment(request: Request, actor: Designer, id_: str) -> dict[str, Any]:
    with application(request).uow.read() as session:
        found = definitions.find(session, ids=[id_])
        if not found:
            raise unknown("Deployment", id_)
        return _view(request, found[0], found[0].title["en"], None)


@router.post("/deployment/create")
async def create(request: Request, actor: Designer) -> JSONResponse:
    """Publish the models of a multipart form: all, or none with what is wrong in them."""
    async with request.form(max_files=MAX_FILES, max_part_size=MAX_BYTES) as form:
        files = await _files(form)
        fields = {name: str(value) for name, value in form.items() if isinstance(value, str)}
    command = DeployModels(actor, files, fields.get("tenant-id") or None)
    made = await run_in_threadpool(application(request).uow.run, deploy, command)
    return JSONResponse(_answer(request, made, fields))


async def _files(form: FormData) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            file = value.filename or name
            if file in files:
                raise invalid(f"The file {file[:100]} is sent twice")
            files[file] = await value.read()
    if not files:
        raise invalid("No deployment resources contained in the form upload")
    return files


def _answer(request: Request, made: list[Deployed], fields: dict[str, str]) -> dict[str, Any]:
    filtering = fields.get("enable-duplicate-filtering", "").lower() == "true"
    told = [each for each in made if each.changed or not filtering]
    views = [definition_view(each.version, each.file) for each in told]
    first = next((each for each in made if each.changed), made[0]).version
    name = fields.get("deployment-name") or first.title["en"]
    return {
        **_view(request, first, name, fields.get("deployment-source")),
        "deployedProcessDefinitions": {view["id"]: view for view in views} or None,
        "deployedDecisionDefinitions": None,
        "deployedCaseDefinitions": None,
        "deployedDecisionRequirementsDefinitions": None,
    }


def _view(request: Request, row: PackageVersion, name: str, source: str | None) -> dict[str, Any]:
    href = f"{str(request.base_url).rstrip('/')}/engine-rest/deployment/{row.id}"
    return {
        "links": [{"method": "GET", "href": href, "rel": "self"}],
        "id": row.id,
        "name": name,
        "source": source,
        "deploymentTime": instant(row.published_at),
        "tenantId": None,
    }
