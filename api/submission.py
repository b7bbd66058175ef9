"""What a browser sends with a form: fields become answers, files become documents at once.

A file is kept even when other answers are wrong, so that nobody has to choose it twice.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.access import check_csrf
from api.wiring import Application
from engine.domain.access import Actor
from engine.domain.ports import Form
from engine.usecases.documents import FORMAT, StoreDocument, store_document
from forms import read_submission

MAX_FIELDS = 500
MAX_FILES = 20


async def read_pairs(request: Request, wired: Application, actor: Actor) -> list[tuple[str, str]]:
    """The submitted fields as name and text; an uploaded file as its new document's id.

    Raises DocumentRefused for a file that cannot be accepted.
    """
    pairs = []
    async with request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES) as submitted:
        if not request.url.path.startswith("/api/"):
            # Before anything is kept; the interface under /api sends its token as a header.
            token = submitted.get("csrf")
            check_csrf(request, token if isinstance(token, str) else None)
        for name, value in submitted.multi_items():
            if isinstance(value, UploadFile):
                if not value.filename:
                    continue
                command = StoreDocument(actor, value.filename, value.file)
                document = await run_in_threadpool(wired.uow.run, store_document, command)
                pairs.append((name, document.id))
            else:
                pairs.append((name, value))
    return pairs


async def read_answers(
    request: Request, wired: Application, actor: Actor, form: Form
) -> dict[str, Any]:
    """The submitted answers to `form`, not yet validated."""
    return read_submission(form, newest_files(form, await read_pairs(request, wired, actor)))


def newest_files(form: Form, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """For a field that takes one file, the one chosen last instead of the one kept from before."""
    single = {
        name
        for name, schema in form["schema"].get("properties", {}).items()
        if schema.get("format") == FORMAT
    }
    last = {name: value for name, value in pairs if name in single and value}
    kept = [(name, value) for name, value in pairs if name not in single]
    return kept + list(last.items())
