"""A portal form with files, as it was sent."""

from __future__ import annotations

from fastapi import Request

from api.sentences import say
from api.submission import read_pairs
from api.wiring import Application
from engine.domain.access import Actor
from engine.kernel.errors import DocumentRefused


async def submitted_pairs(
    request: Request, wired: Application, actor: Actor
) -> tuple[list[tuple[str, str]], str | None]:
    """The fields that were sent, and why a file was not accepted, in words, if one was not.

    A refused file loses nothing that was typed beside it. Raises RequestForged.
    """
    try:
        return await read_pairs(request, wired, actor), None
    except DocumentRefused as error:
        key = f"problem.document_refused.{error.params['reason']}"
        sent = await request.form()
        pairs = [(name, value) for name, value in sent.multi_items() if isinstance(value, str)]
        return pairs, say(request.state.locale, key, **error.params)
