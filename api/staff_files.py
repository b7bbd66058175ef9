"""Serves the built staff interface under /staff/; any path of it is the one page."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from engine.kernel.errors import NotFound

ROOT = Path(__file__).resolve().parent
_NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>banshi</title><h1>make ui</h1>"
    "<p>The staff interface has not been built. 管理界面尚未构建。</p>"
)


def built_folder() -> Path | None:
    """Where the built interface lies: inside the wheel, or beside the sources."""
    for folder in (ROOT / "_ui", ROOT.parent / "admin_ui" / "dist"):
        if (folder / "index.html").is_file():
            return folder
    return None


def staff_interface() -> APIRouter:
    """Routes for the interface's files. They hold no data, so anybody may fetch them."""
    router = APIRouter(include_in_schema=False)

    @router.get("/staff")
    def staff_root(request: Request) -> Response:
        return RedirectResponse("/staff/")

    @router.get("/staff/{path:path}")
    def staff_file(request: Request, path: str) -> Response:
        folder = built_folder()
        if folder is None:
            return HTMLResponse(_NOT_BUILT, 503)
        file = (folder / path).resolve()
        if path and file.is_file() and file.is_relative_to(folder.resolve()):
            return FileResponse(file)
        if path.startswith("assets/"):
            raise NotFound(what="page")
        return FileResponse(folder / "index.html", headers={"Cache-Control": "no-cache"})

    return router
