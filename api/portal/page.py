"""A page of the portal: its template, the visitor's language, and dates in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from api import sentences
from api.access import application, csrf_token
from api.dates import long_date
from engine.domain.lifecycle import STAGES


@lru_cache
def texts(locale: str) -> dict[str, str]:
    """The portal's catalogue in `locale`."""
    source = files("api.portal").joinpath("texts", f"{locale}.json")
    catalogue: dict[str, str] = json.loads(source.read_text(encoding="utf-8"))
    return catalogue


def say(locale: str, key: str, /, **params: Any) -> str:
    """The catalogue's sentence `key`."""
    return texts(locale)[key].format(**params)


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("api.portal", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """The page `template` in the visitor's language."""
    wired, locale = application(request), request.state.locale
    calendar = wired.ports.calendar

    def day(value: date | datetime | None) -> str:
        if value is None:
            return ""
        return long_date(
            calendar.local_date(value) if isinstance(value, datetime) else value, locale
        )

    def moment(value: datetime) -> str:
        return f"{day(value)} {value.astimezone(calendar.zone):%H:%M}"

    html = (
        _environment()
        .get_template(template)
        .render(
            say=partial(say, locale),
            locale=locale,
            actor=request.state.actor,
            csrf=csrf_token(request),
            office=wired.ports.office,
            demo=wired.settings.demo,
            here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            day=day,
            moment=moment,
            stage_keys=STAGES,
            **{"has_errors": False, **context},
        )
    )
    return HTMLResponse(html, status)


def go_to(path: str) -> RedirectResponse:
    """After a form was accepted: the next page, to be fetched anew."""
    return RedirectResponse(path, 303)


def safe_path(path: str | None) -> str:
    """A path of our own to return to; anything else becomes the start page."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return "/"
    return path


def error_page(request: Request, status: int, code: str, params: Mapping[str, Any]) -> Response:
    """What went wrong, in words, with a way on; signing in first where that is what is missing."""
    if code == "sign_in_required" and request.method == "GET":
        return go_to(f"/sign-in?next={request.url.path}")
    if not hasattr(request.state, "csrf_token"):
        request.state.csrf_token, request.state.actor = "", None
    if not hasattr(request.state, "locale"):
        request.state.locale = "zh-CN"
    sentence = sentences.say(request.state.locale, f"problem.{code}", **params)
    if code == "clock_verb_refused":
        sentence = sentences.clock_refusal(request.state.locale, params)
    reason = params.get("reason")
    if code == "document_refused" and reason:
        sentence = sentences.say(request.state.locale, f"problem.{code}.{reason}", **params)
    return page(request, "error.html.j2", status, sentence=sentence, status_code=status)
