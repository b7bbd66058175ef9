"""Errors as people and programs meet them: the HTTP status, problem+json (RFC 9457), and words.

Every `EngineError` has its status here and its sentence in `api/texts/<locale>.json`; a test
asserts that none is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.calendar_words import calendar_errors
from api.sentences import clock_refusal, finding_view, say, texts
from engine.domain.locales import LOCALES
from engine.domain.ports import Form
from engine.kernel import errors
from engine.kernel.errors import EngineError
from engine.store.idempotency import write_request
from forms import error_message
from forms.letters import LetterFailed

log = logging.getLogger("banshi.problems")

STATUS: dict[type[EngineError], int] = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.SignInRequired: 401,
    errors.SignInRefused: 401,
    errors.TooManyAttempts: 429,
    errors.UserNameTaken: 409,
    errors.RequestForged: 403,
    errors.AnswersInvalid: 422,
    errors.TaskAlreadyClaimed: 409,
    errors.TaskNotYours: 409,
    errors.TaskNotOpen: 409,
    errors.SkillMissing: 403,
    errors.ReturnRefused: 409,
    errors.JointAnswersMissing: 409,
    errors.QuestionOpen: 409,
    errors.HandOverRefused: 409,
    errors.AbsenceRefused: 409,
    errors.MergeRefused: 409,
    errors.CaseNotOpen: 409,
    errors.StaleRevision: 412,
    errors.ServiceNotOffered: 404,
    errors.PackageRefused: 422,
    errors.DocumentRefused: 422,
    errors.ExecutionFailed: 500,
    errors.IncidentResolved: 409,
    errors.ReasonMissing: 422,
    errors.MessageRefused: 422,
    errors.JobLockLost: 409,
    errors.VariableRefused: 422,
    errors.CorrelationFailed: 409,
    errors.WebhookSignatureWrong: 401,
    errors.WebhookTooLarge: 413,
    errors.WebhookUnreadable: 422,
    errors.MigrationRefused: 409,
    errors.StateUnreadable: 500,
    errors.ArchiveDamaged: 500,
    errors.ClockVerbRefused: 409,
    errors.CalendarUnknown: 404,
    errors.CalendarRefused: 422,
    errors.CalendarChanged: 412,
    errors.RecountNotRunning: 409,
    errors.ReceiptDateWrong: 422,
    errors.AlreadyDone: 409,
    errors.StoreUnavailable: 503,
    errors.OutcomeUnknown: 503,
    LetterFailed: 500,
}


def problem(
    error: EngineError, locale: str, html: str | None = None, form: Form | None = None
) -> JSONResponse:
    """The answer for an error. `form` has words of its own for its fields' errors."""
    status = STATUS[type(error)]
    body: dict[str, Any] = {
        "type": f"urn:banshi:{error.code}",
        "title": sentence(error, locale),
        "status": status,
        "code": error.code,
    }
    if isinstance(error, errors.AnswersInvalid):
        body["errors"] = [
            {
                "field": wrong.field,
                "code": wrong.code,
                "message": error_message(form, wrong, locale),
            }
            for wrong in error.params["fields"]
        ]
        body["html"] = html
    elif isinstance(error, errors.PackageRefused):
        body["findings"] = [finding_view(each, locale) for each in error.params["findings"]]
    elif isinstance(error, errors.CalendarRefused):
        body["errors"] = calendar_errors(error.params["fields"], locale)
    elif isinstance(error, errors.DocumentRefused):
        key = f"problem.{error.code}.{error.params.get('reason')}"
        body["title"] = say(locale, key, **error.params)
    elif isinstance(error, errors.ClockVerbRefused):
        body["title"] = clock_refusal(locale, error.params)
        body["params"] = dict(error.params)
    elif status < 500:
        body["params"] = dict(error.params)
    return JSONResponse(
        {name: value for name, value in body.items() if value is not None},
        status,
        media_type="application/problem+json",
    )


def sentence(error: EngineError, locale: str) -> str:
    """The error in the reader's words: those for its very reason where there are any."""
    params = error.params
    for name in ("why", "reason"):
        key = f"problem.{error.code}.{params.get(name)}"
        if key in texts(locale):
            return say(locale, key, **params)
    return say(locale, f"problem.{error.code}", **params)


def install(app: FastAPI, page: Any) -> None:
    """Answer every error: problem+json under /api, a page in words elsewhere.

    `page(request, status, code, params)` makes the page.
    """

    def engine_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, EngineError)  # noqa: S101
        error = as_it_stands(error)
        if STATUS[type(error)] >= 500:
            log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
        if request.url.path.startswith("/api/"):
            return problem(error, _locale(request))
        made: Response = page(request, STATUS[type(error)], error.code, error.params)
        return made

    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return _plain(request, error.status_code, page)

    def invalid_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        if not request.url.path.startswith("/api/"):
            return _plain(request, 400, page)
        return _invalid(error.errors(), _locale(request))

    def unexpected(request: Request, error: Exception) -> Response:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        return _plain(request, 500, page)

    app.add_exception_handler(EngineError, engine_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid_request)
    app.add_exception_handler(Exception, unexpected)


def as_it_stands(error: EngineError) -> EngineError:
    """Nobody must read that nothing was changed when the change is made and only its answer not."""
    sent = write_request.get()
    if type(error) is errors.StoreUnavailable and sent is not None and sent.changed:
        return errors.OutcomeUnknown()
    return error


def _locale(request: Request) -> str:
    return getattr(request.state, "locale", LOCALES[0])


def _plain(request: Request, status: int, page: Any) -> Response:
    code = {404: "not_found", 403: "not_allowed", 405: "method_wrong", 400: "request_wrong"}.get(
        status, "unexpected"
    )
    if not request.url.path.startswith("/api/"):
        made: Response = page(request, status, code, {})
        return made
    body = {
        "type": f"urn:banshi:{code}",
        "title": say(_locale(request), f"problem.{code}"),
        "status": status,
        "code": code,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def _invalid(wrong: Iterable[Mapping[str, Any]], locale: str) -> JSONResponse:
    fields = [
        {
            "field": ".".join(str(part) for part in each["loc"][1:]),
            "code": each["type"],
            "message": say(locale, f"request.{each['type']}", **(each.get("ctx") or {})),
        }
        for each in wrong
    ]
    known = texts(locale)
    for field in fields:
        if field["message"].startswith("request."):
            field["message"] = known["request.other"]
    body = {
        "type": "urn:banshi:request_wrong",
        "title": say(locale, "problem.request_wrong"),
        "status": 422,
        "code": "request_wrong",
        "errors": fields,
    }
    return JSONResponse(body, 422, media_type="application/problem+json")
