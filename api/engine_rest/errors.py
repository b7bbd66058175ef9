"""Errors as Camunda's clients know them: ``{"type", "message", "code"}`` and a status.

`code` is Camunda's number for a family of errors, 0 for none; what went wrong stands in the
message. A body that is not like this breaks the clients.
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.engine_rest.findings import parse_exception
from api.problems import as_it_stands
from api.sentences import failure_view, say
from engine.kernel import errors
from engine.kernel.errors import EngineError
from forms import error_message

log = logging.getLogger("banshi.engine_rest")
REST, INVALID, ENGINE = "RestException", "InvalidRequestException", "ProcessEngineException"
NOT_AUTHORIZED = "AuthorizationException"
REALM = {"WWW-Authenticate": 'Basic realm="banshi", charset="UTF-8"'}
_STATUS: dict[type[EngineError], tuple[int, str]] = {
    errors.NotFound: (404, REST),
    errors.NotAllowed: (403, NOT_AUTHORIZED),
    errors.SignInRequired: (401, NOT_AUTHORIZED),
    errors.SignInRefused: (401, NOT_AUTHORIZED),
    errors.TooManyAttempts: (429, NOT_AUTHORIZED),
    errors.AnswersInvalid: (400, REST),
    errors.TaskAlreadyClaimed: (500, "TaskAlreadyClaimedException"),
    errors.TaskNotYours: (403, NOT_AUTHORIZED),
    errors.TaskNotOpen: (404, REST),
    errors.SkillMissing: (403, NOT_AUTHORIZED),
    errors.QuestionOpen: (400, REST),
    errors.JointAnswersMissing: (400, REST),
    errors.CaseNotOpen: (400, REST),
    errors.StaleRevision: (500, "OptimisticLockingException"),
    errors.ServiceNotOffered: (400, REST),
    errors.IncidentResolved: (400, REST),
    errors.JobLockLost: (400, REST),
    errors.VariableRefused: (400, INVALID),
    errors.CorrelationFailed: (400, "MismatchingMessageCorrelationException"),
    errors.MessageRefused: (400, INVALID),
    errors.ExecutionFailed: (500, ENGINE),
    errors.StoreUnavailable: (503, ENGINE),
    errors.OutcomeUnknown: (503, ENGINE),
}


class RestError(Exception):
    """The request cannot be carried out; says so with `status`, `type` and `message`."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(message)
        self.status, self.type, self.message = status, type_, message


def invalid(message: str) -> RestError:
    """The request itself is wrong."""
    return RestError(400, INVALID, message)


def unknown(what: str, id_: str) -> RestError:
    """There is no such thing, or it is not the caller's to see."""
    return RestError(404, REST, f"{what} with id {id_[:120]} does not exist")


def answer(status: int, type_: str, message: str, **more: Any) -> JSONResponse:
    headers = REALM if status == 401 else None
    return JSONResponse({"type": type_, "message": message, "code": 0, **more}, status, headers)


def install(app: FastAPI) -> None:
    """Answer every error of `app` in this shape."""

    def engine_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, EngineError)  # noqa: S101
        if isinstance(error, errors.PackageRefused):
            return parse_exception(error.params["findings"], _locale(request))
        error = as_it_stands(error)
        status, type_ = _STATUS.get(type(error), (500, ENGINE))
        if status >= 500:
            log.error("%s %s: %s", request.method, request.url.path, error)
        response = answer(status, type_, _sentence(error, _locale(request)))
        if isinstance(error, errors.TooManyAttempts):
            response.headers["Retry-After"] = str(error.params["seconds"])
        return response

    def rest_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RestError)  # noqa: S101
        return answer(error.status, error.type, error.message)

    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        type_ = "NotFoundException" if error.status_code == 404 else REST
        return answer(error.status_code, type_, f"HTTP {error.status_code} {error.detail}")

    def invalid_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}"
            for each in error.errors()
        )
        return answer(400, INVALID, wrong)

    def unexpected(request: Request, error: Exception) -> Response:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        return answer(500, "RuntimeException", say(_locale(request), "problem.unexpected"))

    app.add_exception_handler(EngineError, engine_error)
    app.add_exception_handler(RestError, rest_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid_request)
    app.add_exception_handler(Exception, unexpected)


def _locale(request: Request) -> str:
    locale: str = getattr(request.state, "locale", "en")
    return locale


def _sentence(error: EngineError, locale: str) -> str:
    """What went wrong. Programs' authors read it, so it names elements and workers."""
    params = error.params
    if isinstance(error, errors.ExecutionFailed):
        return f"{params.get('element') or ''}: {failure_view(params, locale)}".lstrip(": ")
    text = say(locale, f"problem.{error.code}", **params)
    if isinstance(error, errors.JobLockLost):
        holder = f"It is locked by worker '{params['worker']}'." if params["worker"] else ""
        ended = "" if params["holds"] else "The lock has ended."
        text = " ".join(part for part in (text, f"[{params['job']}]", holder, ended) if part)
    if isinstance(error, errors.AnswersInvalid):
        wrong = (f"{e.field}: {error_message(None, e, locale)}" for e in params["fields"])
        text = f"{text} {'; '.join(wrong)}"
    return text
