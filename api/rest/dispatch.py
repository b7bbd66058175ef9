"""Whose a task is: returning it, deciding that, co-handlers, delegating and reassigning."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Header, Request, UploadFile

from api.access import (
    application,
    require_caseworker,
    require_dispatch_preview,
    require_task_manager,
)
from api.problems import sentence
from api.rest.case_view import case_view
from api.rest.dispatch_schemas import (
    Decision,
    Delegation,
    JointRequest,
    ReassignedPage,
    ReassignedRow,
    Reassignment,
    Return,
    RuleMoves,
    TaskAnswer,
    WouldMovePage,
    WouldMoveRow,
)
from api.rest.packages import changed_files
from api.rest.schemas import CaseView
from api.rest.task_view import reason_text, task_name
from api.rest.words import Words
from api.sentences import failure_view
from api.wiring import Application
from engine.domain.access import SYSTEM, Actor
from engine.kernel.errors import EngineError, NotFound
from engine.store.idempotency import aside
from engine.store.tables import Case, Task
from engine.usecases.definition import Contents, read_contents
from engine.usecases.delegate import (
    AnswerQuestion,
    DelegateTask,
    TakeBack,
    answer_question,
    delegate,
    take_back,
)
from engine.usecases.dispatch_again import DispatchAgain, dispatch_again
from engine.usecases.dispatch_preview import MoveByRule, WouldMove, move_by_rule, would_move
from engine.usecases.joint_answers import AnswerJointly, AskJointly, answer_jointly, ask_jointly
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.reassign import Reassigned, ReassignTask, reassign
from engine.usecases.return_task import ReturnTask, return_task

router = APIRouter(tags=["dispatch"])
Caseworker = Annotated[Actor, Depends(require_caseworker)]
Manager = Annotated[Actor, Depends(require_task_manager)]
Previewer = Annotated[Actor, Depends(require_dispatch_preview)]
Revision = Annotated[int | None, Header()]


@router.post("/tasks/{task_id}/return", operation_id="return_task", response_model=CaseView)
def return_a_task(
    request: Request, actor: Caseworker, task_id: str, body: Return, if_match: Revision = None
) -> CaseView:
    """Say that the task is not this department's. 409 `return_refused` says why it stays."""
    command = ReturnTask(actor, task_id, body.reason, body.basis, if_match)
    task = application(request).uow.run(return_task, command)
    return case_view(request, actor, task.case_id)


@router.post("/tasks/{task_id}/decide", operation_id="decide_return", response_model=CaseView)
def decide_return(
    request: Request, actor: Caseworker, task_id: str, body: Decision, if_match: Revision = None
) -> CaseView:
    """Finish a task of dispatching again or adjudicating: name the department."""
    command = DispatchAgain(
        actor, task_id, body.department, body.reason, tuple(body.co_handlers), body.order, if_match
    )
    task = application(request).uow.run(dispatch_again, command)
    return case_view(request, actor, task.case_id)


@router.post("/tasks/{task_id}/joint", operation_id="ask_jointly", response_model=CaseView)
def ask_co_handlers(
    request: Request, actor: Caseworker, task_id: str, body: JointRequest
) -> CaseView:
    """Ask other departments to answer the lead's task."""
    command = AskJointly(actor, task_id, tuple(body.departments), body.question, body.order)
    task = application(request).uow.run(ask_jointly, command)
    return case_view(request, actor, task.case_id)


@router.post("/tasks/{task_id}/answer", operation_id="answer_task", response_model=CaseView)
def answer_task(request: Request, actor: Caseworker, task_id: str, body: TaskAnswer) -> CaseView:
    """Answer what one was asked, as a co-handler or by a colleague who stays the owner."""
    wired = application(request)
    with wired.uow.read() as session:
        found = session.get(Task, task_id)
    if found is None:
        raise NotFound(what="task")
    if found.owner_id is None:
        joint = AnswerJointly(actor, task_id, body.position, body.text)
        task = wired.uow.run(answer_jointly, joint)
    else:
        task = wired.uow.run(answer_question, AnswerQuestion(actor, task_id, body.text))
    return case_view(request, actor, task.case_id)


@router.post("/tasks/{task_id}/delegate", operation_id="delegate_task", response_model=CaseView)
def delegate_task(request: Request, actor: Caseworker, task_id: str, body: Delegation) -> CaseView:
    """Ask a colleague; the task comes back with the answer."""
    command = DelegateTask(actor, task_id, body.to_id, body.question)
    task = application(request).uow.run(delegate, command)
    return case_view(request, actor, task.case_id)


@router.post("/tasks/{task_id}/take-back", operation_id="take_task_back", response_model=CaseView)
def take_task_back(request: Request, actor: Caseworker, task_id: str) -> CaseView:
    task = application(request).uow.run(take_back, TakeBack(actor, task_id))
    return case_view(request, actor, task.case_id)


@router.post("/tasks/reassign", operation_id="reassign_tasks", response_model=ReassignedPage)
def reassign_tasks(request: Request, actor: Manager, body: Reassignment) -> ReassignedPage:
    """Give tasks to somebody else, each for itself; with `preview` say what would become of it."""
    items = []
    for task_id in dict.fromkeys(body.task_ids):
        command = ReassignTask(
            actor, task_id, body.reason, body.assignee_id, body.department, body.preview
        )
        try:
            made: Reassigned | EngineError = application(request).uow.run(reassign, command)
        except EngineError as error:
            made = error
        items.append(_reassigned(request, task_id, made))
    if len(items) == 1 and isinstance(made, NotFound):
        raise made
    return ReassignedPage(items=items)


def _reassigned(
    request: Request, task_id: str, made: Reassigned | EngineError | None
) -> ReassignedRow:
    wired, locale = application(request), request.state.locale
    if not isinstance(made, Reassigned):
        return ReassignedRow(
            task_id=task_id,
            reference=None,
            done=False,
            department_name=None,
            assignee_name=None,
            problem=sentence(made, locale) if made is not None else None,
        )
    with wired.uow.read() as session:
        return ReassignedRow(
            task_id=task_id,
            reference=session.get_one(Case, made.case_id).reference,
            done=True,
            department_name=Words(wired, session, locale).department(made.department),
            assignee_name=made.assignee_name,
            problem=None,
        )


@router.post("/dispatch/preview", operation_id="preview_dispatch", response_model=WouldMovePage)
def preview_dispatch(
    request: Request,
    actor: Previewer,
    key: Annotated[str, Form(max_length=40)],
    file: Annotated[UploadFile | None, File()] = None,
) -> WouldMovePage:
    """Which open tasks of package `key` the rules in `file` would move; without it, those in force.

    `file` is what publishing takes: an archive, or one file of the package. Nothing is kept.
    """
    wired = application(request)
    name = PurePosixPath(file.filename or "package.zip").name if file else None
    files = changed_files(wired, name, file.file if file else None, key)
    candidate = _candidate(wired, files)
    with wired.uow.read() as session:
        words = Words(wired, session, request.state.locale)
        found = would_move(session, wired.ports, candidate.manifest.key, candidate)
        return WouldMovePage(items=[_would_move(row, words) for row in found])


def _candidate(wired: Application, files: dict[str, bytes]) -> Contents:
    """The package as it would be published. Raises PackageRefused."""
    # A trial keeps nothing, and so no key that would spare the next one.
    with aside():
        wired.uow.run(publish, PublishPackage(SYSTEM, files, trial=True))
    contents, _ = read_contents(files, wired.ports)
    assert contents is not None  # noqa: S101 - what cannot be read was refused
    return contents


def _would_move(row: WouldMove, words: Words) -> WouldMoveRow:
    made = words.definition(row.case)
    label = task_name(made, row.task, words.locale)
    if row.to is None:
        why = failure_view({"reason": row.text, "element": label, "detail": ""}, words.locale)
    else:
        reason = {"by": "rule", "rule": row.rule, "text": row.text}
        why = reason_text(reason, words.locale) or ""
    return WouldMoveRow(
        task_id=row.task.id,
        case_id=row.case.id,
        reference=row.case.reference,
        name=label,
        from_name=words.department(row.task.department),
        to_name=words.department(row.to),
        why=why,
    )


@router.post("/dispatch/apply", operation_id="apply_dispatch", response_model=ReassignedPage)
def apply_dispatch(request: Request, actor: Previewer, body: RuleMoves) -> ReassignedPage:
    """Move open tasks to where the published rules would have them, each for itself."""
    items = []
    for task_id in dict.fromkeys(body.task_ids):
        made: Reassigned | EngineError | None
        try:
            made = application(request).uow.run(
                move_by_rule, MoveByRule(actor, task_id, body.reason)
            )
        except EngineError as error:
            made = error
        items.append(_reassigned(request, task_id, made))
    return ReassignedPage(items=items)
