"""Messages and signals for the cases that wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from api.access import application
from api.engine_rest.access import require_administrator
from api.engine_rest.asking import NO_CONTENT, Body, flag, needed, text
from api.engine_rest.errors import invalid
from api.engine_rest.instance_views import instance_view, variables_of
from api.engine_rest.typed import read_variables
from engine.domain.access import Actor
from engine.store.uow import ReadSession
from engine.usecases.correlate import Correlated, CorrelateMessage, correlate
from engine.usecases.signal_cases import SignalCases, signal_cases

router = APIRouter()
Administrator = Annotated[Actor, Depends(require_administrator)]


@router.post("/message", response_model=None)
def message(request: Request, actor: Administrator, body: Body) -> Response:
    """Correlate a message; 204, or with `resultEnabled` whom it reached."""
    keys = read_variables(body.get("correlationKeys"), "correlationKeys")
    local = read_variables(body.get("localCorrelationKeys"), "localCorrelationKeys")
    sent = read_variables(body.get("processVariables"), "processVariables")
    command = CorrelateMessage(
        actor=actor,
        name=needed(body, "messageName", 160),
        business_key=text(body, "businessKey"),
        case_id=text(body, "processInstanceId"),
        equal={**keys.values, **local.values},
        variables=sent,
        all=flag(body, "all"),
    )
    wired = application(request)
    reached = wired.uow.run(correlate, command)
    if not flag(body, "resultEnabled"):
        return Response(status_code=204)
    with wired.uow.read() as session:
        with_variables = flag(body, "variablesInResultEnabled")
        return JSONResponse([_result(request, session, each, with_variables) for each in reached])


def _result(
    request: Request, session: ReadSession, reached: Correlated, with_variables: bool
) -> dict[str, Any]:
    case = reached.case
    made: dict[str, Any] = {
        "resultType": "ProcessDefinition" if reached.began else "Execution",
        "execution": None,
        "processInstance": None,
    }
    if reached.began:
        made["processInstance"] = instance_view(request, session, case.id)
    else:
        made["execution"] = {
            "id": case.id,
            "processInstanceId": case.id,
            "ended": case.state != "open",
            "tenantId": None,
        }
    if with_variables:
        made["variables"] = variables_of(session, case)
    return made


@router.post("/signal", **NO_CONTENT)
def signal(request: Request, actor: Administrator, body: Body) -> None:
    """Have a signal delivered to every case that listens, or only to that of `executionId`."""
    sent: Any = body.get("variables")
    if sent is not None and not isinstance(sent, Mapping):
        raise invalid("variables must be an object")
    command = SignalCases(
        actor, needed(body, "name", 160), text(body, "executionId"), read_variables(sent)
    )
    application(request).uow.run(signal_cases, command)
