"""User tasks: the inbox of a department, and what its people do with a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.access import application
from api.engine_rest.access import require_tasks
from api.engine_rest.asking import NO_CONTENT, Asked, Body, flag, needed, page_of, text, texts
from api.engine_rest.errors import NOT_AUTHORIZED, RestError, invalid, unknown
from api.engine_rest.ids import definition_id
from api.engine_rest.instance_views import variables_of
from api.engine_rest.typed import instant, read_variables
from api.wiring import Application
from engine.domain.access import Actor, handles_tasks
from engine.store.queries import definitions, tasks
from engine.store.tables import Case
from engine.store.uow import ReadSession
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete_with_variables import CompleteWithVariables, complete_with_variables
from engine.usecases.definition import definition
from engine.usecases.unclaim import UnclaimTask, unclaim

router = APIRouter(prefix="/task")
Person = Annotated[Actor, Depends(require_tasks)]
_ORDERS = frozenset({"created", "dueDate", "priority", "id"})


@router.get("")
@router.post("")
def list_tasks(request: Request, actor: Person, asked: Asked) -> list[dict[str, Any]]:
    """The open tasks of the caller's department; an administrator sees all."""
    wired = application(request)
    by, descending = _order(asked)
    with wired.uow.read() as session:
        wanted = _filter(session, actor, asked)
        rows = tasks.find(session, wanted, by, descending, *page_of(asked))
        return [_view(wired, session, row) for row in rows]


@router.get("/count")
@router.post("/count")
def count_tasks(request: Request, actor: Person, asked: Asked) -> dict[str, int]:
    with application(request).uow.read() as session:
        return {"count": tasks.count(session, _filter(session, actor, asked))}


def _order(asked: Mapping[str, Any]) -> tuple[str, bool]:
    order = asked
    if isinstance(asked.get("sorting"), list) and asked["sorting"]:
        order = asked["sorting"][0]
    if not isinstance(order, Mapping):
        raise invalid("sorting must be a list of objects")
    by, direction = text(order, "sortBy") or "created", text(order, "sortOrder") or "asc"
    if by not in _ORDERS or direction not in ("asc", "desc"):
        raise invalid(f"Cannot sort by {by} {direction}")
    return by, direction == "desc"


def _filter(session: ReadSession, actor: Actor, asked: Mapping[str, Any]) -> tasks.TaskFilter:
    key, group = text(asked, "processDefinitionKey"), text(asked, "candidateGroup")
    groups = texts(asked, "candidateGroups")
    if group is not None:
        groups = [group, *(groups or [])]
    assigned = True if flag(asked, "assigned") else None
    return tasks.TaskFilter(
        department=_department(actor),
        ids=[text(asked, "taskId") or ""] if asked.get("taskId") is not None else None,
        case_id=text(asked, "processInstanceId"),
        business_key=text(asked, "processInstanceBusinessKey"),
        versions=definitions.ids_of(session, [key] if key is not None else None),
        element=text(asked, "taskDefinitionKey"),
        assignee=text(asked, "assignee"),
        assigned=False if flag(asked, "unassigned") else assigned,
        departments=groups,
    )


def _department(actor: Actor) -> str | None:
    """The department whose tasks may be seen; None for all of them."""
    if handles_tasks(actor) and not actor.oversees_office:
        return actor.department or ""
    return None


@router.get("/{id_}")
def get_task(request: Request, actor: Person, id_: str) -> dict[str, Any]:
    wired = application(request)
    with wired.uow.read() as session:
        return _view(wired, session, _seen(session, actor, id_))


@router.get("/{id_}/variables")
@router.get("/{id_}/form-variables")
def get_variables(request: Request, actor: Person, id_: str) -> dict[str, dict[str, Any]]:
    """The variables of the task's case."""
    with application(request).uow.read() as session:
        return variables_of(session, _seen(session, actor, id_).case)


def _seen(session: ReadSession, actor: Actor, id_: str) -> tasks.TaskRow:
    found = tasks.find(session, tasks.TaskFilter(_department(actor), ids=[id_]), "id", False, 0, 1)
    if not found:
        raise unknown("Task", id_)
    return found[0]


@router.post("/{id_}/claim", **NO_CONTENT)
def claim_task(request: Request, actor: Person, id_: str, body: Body) -> None:
    """Take the task oneself; nobody takes one for another."""
    if needed(body, "userId") != actor.user_name:
        raise RestError(403, NOT_AUTHORIZED, "A task can be claimed only for one's own account")
    application(request).uow.run(claim, ClaimTask(actor, id_))


@router.post("/{id_}/unclaim", **NO_CONTENT)
def unclaim_task(request: Request, actor: Person, id_: str) -> None:
    application(request).uow.run(unclaim, UnclaimTask(actor, id_))


@router.post("/{id_}/complete", **NO_CONTENT)
@router.post("/{id_}/submit-form", **NO_CONTENT)
def complete_task(request: Request, actor: Person, id_: str, body: Body) -> None:
    """Finish a task one has claimed. Its form, if it has one, checks the variables."""
    command = CompleteWithVariables(actor, id_, read_variables(body.get("variables")))
    application(request).uow.run(complete_with_variables, command)


def _view(wired: Application, session: ReadSession, row: tasks.TaskRow) -> dict[str, Any]:
    task = row.task
    return {
        "id": task.id,
        "name": _name(wired, session, row.case, task.element),
        "assignee": row.assignee,
        "owner": None,
        "created": instant(task.opened_at),
        "due": instant(task.due_at),
        "followUp": None,
        "lastUpdated": instant(task.claimed_at),
        "delegationState": None,
        "description": None,
        "executionId": row.case.id,
        "parentTaskId": None,
        # Camunda's priorities grow from 0 to 100; ours fall from 4 to 1.
        "priority": (4 - task.priority) * 25 + 25,
        "processDefinitionId": definition_id(row.version),
        "processInstanceId": row.case.id,
        "caseDefinitionId": None,
        "caseInstanceId": None,
        "caseExecutionId": None,
        "taskDefinitionKey": task.element,
        "suspended": False,
        "formKey": task.form,
        "camundaFormRef": None,
        "tenantId": None,
    }


def _name(wired: Application, session: ReadSession, case: Case, element: str) -> str:
    return definition(session, case.package_version_id, wired.ports).label(element, "en")
