"""The application behind ``/engine-rest``, and the gate that leads there.

It stands beside the rest of the product: no cookies, no sessions, no pages; its own errors; and
answers to every origin, as Camunda's tools run in pages of their own. A browser sends nothing here
by itself, because the credentials are in a header that only a script can set.
"""

from __future__ import annotations

from collections.abc import Collection

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import take_key
from api.engine_rest import (
    definitions,
    deployments,
    errors,
    events,
    external_tasks,
    history,
    incidents,
    instances,
    tasks,
)
from api.engine_rest.access import VerifiedCredentials
from api.engine_rest.bell import Bell
from api.wiring import Application
from engine.usecases.external_jobs import free_topics

PREFIX = "/engine-rest"
ROUTES = (
    deployments,
    definitions,
    external_tasks,
    instances,
    tasks,
    events,
    incidents,
    history,
)
WEBAPPS = "/.well-known/camunda-automation-platform/webapps"


def engine_rest(wired: Application) -> FastAPI:
    """The ASGI application for `PREFIX` and `WEBAPPS`."""

    def look(topics: Collection[str]) -> dict[str, int]:
        with wired.uow.read() as session:
            return free_topics(session, topics, wired.ports.clock.now())

    app = FastAPI(title="banshi engine-rest", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.banshi = wired
    app.state.bell = Bell(look)
    app.state.verified = VerifiedCredentials()
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"],
        allow_headers=["authorization", "content-type", "accept"],
        max_age=600,
    )
    errors.install(app)
    for module in ROUTES:
        app.include_router(module.router, prefix=PREFIX)
    app.add_api_route(WEBAPPS, webapps, methods=["GET"])
    return app


def webapps(request: Request) -> JSONResponse:
    """Where people look at cases and tasks; asked by Camunda Modeler without credentials."""
    staff = f"{request.base_url}staff/"
    return JSONResponse({"adminUrl": staff, "cockpitUrl": staff, "tasklistUrl": staff})


class EngineRestGate:
    """ASGI middleware: sends the interface's paths to `rest`, everything else on to `app`."""

    def __init__(self, app: ASGIApp, rest: ASGIApp) -> None:
        self._app, self._rest = app, rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and (
            path in (PREFIX, WEBAPPS) or path.startswith(f"{PREFIX}/")
        )
        if ours:
            take_key(Request(scope))
        await (self._rest if ours else self._app)(scope, receive, send)
