"""The web process: portal, JSON interface and staff interface in one application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.access import Visitor
from api.engine_rest import EngineRestGate, engine_rest
from api.portal import error_page
from api.portal import router as portal
from api.rest.routes import router as rest
from api.staff_files import staff_interface
from api.version import VERSION
from api.wiring import Application
from api.worker.embedded import EmbeddedWorker
from engine.kernel.errors import EngineError

ROOT = Path(__file__).resolve().parent
log = logging.getLogger("banshi")
_PORTAL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; manifest-src 'self'"
)
# antd and bpmn-js set style attributes; scripts stay strict.
_STAFF_POLICY = _PORTAL_POLICY.replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
).replace("font-src 'self'", "font-src 'self' data:")

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
)


def create_app(wired: Application, worker: EmbeddedWorker | None = None) -> FastAPI:
    """The ASGI application on a wired product; `worker` runs as long as it does."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if worker is not None:
            worker.start()
        try:
            yield
        finally:
            if worker is not None:
                worker.stop()

    app = FastAPI(
        title="banshi",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.banshi = wired
    app.add_middleware(Visitor)
    app.add_middleware(Headers)
    problems.install(app, error_page)
    app.include_router(rest)
    app.add_api_route("/api/v1/health", _health, operation_id="health", methods=["GET"])
    app.mount("/static/portal", StaticFiles(directory=ROOT / "portal" / "static"))
    app.mount("/static/forms", StaticFiles(packages=[("forms", "static")]))
    app.include_router(staff_interface())
    app.include_router(portal)
    # Added last, so that it comes first: no cookie and no session is read for programs.
    app.add_middleware(EngineRestGate, rest=engine_rest(wired))
    return app


class Headers:
    """Middleware: what every answer tells the browser not to do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        policy = _STAFF_POLICY if path.startswith("/staff") else _PORTAL_POLICY
        stored = path.startswith(("/static", "/staff/assets"))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", policy)
                for name, value in _HEADERS:
                    headers.setdefault(name, value)
                if not stored:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, answer if scope["type"] == "http" else send)


def _health(request: Request) -> Response:
    """200 when the database answers; 503 otherwise."""
    wired: Application = request.app.state.banshi
    try:
        with wired.uow.read() as session:
            session.execute(text("SELECT 1"))
    except EngineError:
        return JSONResponse({"status": "database unavailable"}, 503)
    return JSONResponse({"status": "ok"})
