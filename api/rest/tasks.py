"""The inbox, and what is done with a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import problems
from api.access import application, require_caseworker
from api.rest.case_view import case_view
from api.rest.dispatch_schemas import Release
from api.rest.revisions import WantedRevision, show_revision
from api.rest.schemas import CaseView, TaskForm, TaskPage, TaskRow, TaskView
from api.rest.task_view import task_row
from api.rest.words import Words
from api.submission import read_answers
from api.wiring import Application
from engine.domain.access import Actor, may_see_case
from engine.domain.joint import ANSWERS
from engine.domain.ports import Form
from engine.kernel.errors import AnswersInvalid, NotFound
from engine.store.queries import inbox as lists
from engine.store.queries.case_record import departments_of
from engine.store.tables import Case, CaseState, Task
from engine.store.uow import ReadSession
from engine.usecases.claim import ClaimNextTask, ClaimTask, claim, claim_next
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.definition import Definition
from engine.usecases.substitution import acting_now
from engine.usecases.unclaim import UnclaimTask, unclaim
from forms import render_error_summary, render_fields

router = APIRouter(prefix="/tasks", tags=["tasks"])
Caseworker = Annotated[Actor, Depends(require_caseworker)]


@router.get("", operation_id="list_tasks", response_model=TaskPage)
def list_tasks(
    request: Request,
    actor: Caseworker,
    view: TaskView = "department",
    service: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> TaskPage:
    """Tasks by due date, a page at a time; `next` is the cursor of the following page."""
    wired = application(request)
    with wired.uow.read() as session:
        acting = acting_now(session, actor, wired.ports.clock.now())
        absent = [lists.Absent(each.actor.user_id, each.services) for each in acting.away]
        page = lists.inbox(session, actor, view, service, cursor, limit, absent)
        words = Words(wired, session, request.state.locale)
        flags = lists.flags_of(session, [row[1].id for row in page.rows])
        return TaskPage(
            items=[task_row(words, acting, row, flags) for row in page.rows],
            next=page.next,
            counts=lists.inbox_counts(session, actor, absent),
        )


@router.post("/next", operation_id="take_next_task", response_model=TaskRow | None)
def take_next_task(request: Request, response: Response, actor: Caseworker) -> TaskRow | None:
    """Claim the most urgent task that nobody has; null when there is none."""
    task = application(request).uow.run(claim_next, ClaimNextTask(actor))
    return _answer(request, response, actor, task.id) if task else None


@router.get("/{task_id}", operation_id="get_task", response_model=TaskRow)
def get_task(request: Request, response: Response, actor: Caseworker, task_id: str) -> TaskRow:
    return _answer(request, response, actor, task_id)


@router.post("/{task_id}/claim", operation_id="claim_task", response_model=TaskRow)
def claim_task(
    request: Request,
    response: Response,
    actor: Caseworker,
    task_id: str,
    revision: WantedRevision,
) -> TaskRow:
    """Take the task. 409 `task_already_claimed` names who has it.

    With `If-Match` 412 `stale_revision` if the case has changed since.
    """
    application(request).uow.run(claim, ClaimTask(actor, task_id, revision))
    return _answer(request, response, actor, task_id)


@router.post("/{task_id}/unclaim", operation_id="unclaim_task", response_model=TaskRow)
def unclaim_task(
    request: Request,
    response: Response,
    actor: Caseworker,
    task_id: str,
    revision: WantedRevision,
    body: Release | None = None,
) -> TaskRow:
    """Give the task back, and say why. With `If-Match` 412 if the case has changed since."""
    reason = body.reason if body else ""
    application(request).uow.run(unclaim, UnclaimTask(actor, task_id, reason, revision))
    return _answer(request, response, actor, task_id)


@router.get("/{task_id}/form", operation_id="get_task_form", response_model=TaskForm)
def get_task_form(
    request: Request, response: Response, actor: Caseworker, task_id: str
) -> TaskForm:
    """The task's form, drawn by the same renderer as the citizen's."""
    wired = application(request)
    with wired.uow.read() as session:
        task, case, made = _open_task(wired, session, actor, task_id)
        html = _form_html(session, made, case, task, {}, [], request.state.locale)
        show_revision(response, case.revision)
        return TaskForm(
            task_id=task.id, revision=case.revision, html=html, css="/static/forms/forms.css"
        )


@router.post("/{task_id}/complete", operation_id="complete_task", response_model=CaseView)
async def complete_task(
    request: Request,
    response: Response,
    actor: Caseworker,
    task_id: str,
    revision: WantedRevision,
) -> Any:
    """Finish the task with the fields of its form. 422 brings the form back with its errors.

    With `If-Match` 412 if the case has changed since.
    """
    wired = application(request)
    asked = await run_in_threadpool(_asked, wired, actor, task_id)
    form = asked.form
    answers = await read_answers(request, wired, actor, form) if form else {}
    command = CompleteTask(actor, task_id, answers, revision)
    return await run_in_threadpool(_complete, request, response, asked, command)


@dataclass(frozen=True)
class _Asked:
    """A task with what its answers are checked against."""

    task: Task
    case: Case
    made: Definition

    @property
    def form(self) -> Form | None:
        return self.made.forms[self.task.form] if self.task.form else None


def _asked(wired: Application, actor: Actor, task_id: str) -> _Asked:
    with wired.uow.read() as session:
        return _Asked(*_open_task(wired, session, actor, task_id))


def _complete(request: Request, response: Response, asked: _Asked, command: CompleteTask) -> Any:
    wired, locale = application(request), request.state.locale
    try:
        wired.uow.run(complete, command)
    except AnswersInvalid as error:
        wrong, answers = list(error.params["fields"]), dict(command.answers)
        with wired.uow.read() as session:
            html = _form_html(session, asked.made, asked.case, asked.task, answers, wrong, locale)
        return problems.problem(error, locale, html, asked.form)
    view = case_view(request, command.actor, asked.case.id)
    show_revision(response, view.revision)
    return view


def _open_task(
    wired: Any, session: ReadSession, actor: Actor, task_id: str
) -> tuple[Task, Case, Definition]:
    row = lists.task_row(session, task_id)
    if row is None or row[0].audience != "staff" or row[0].department != actor.department:
        raise NotFound(what="task")
    task, case = row[0], row[1]
    return task, case, Words(wired, session, actor.locale).definition(case)


def _form_html(
    session: ReadSession,
    made: Definition,
    case: Case,
    task: Task,
    answers: dict[str, Any],
    errors: list[Any],
    locale: str,
) -> str:
    if task.form is None:
        return ""
    form = made.forms[task.form]
    data = dict(session.get_one(CaseState, case.id).data)
    if task.joint is not None:
        data[ANSWERS] = task.joint["answers"]
    start_form = made.forms[made.manifest.services[case.service].form]
    summary = render_error_summary(form, errors, locale) if errors else ""
    return f"{summary}" + str(
        render_fields(form, answers, errors, locale, start_form=start_form, data=data)
    )


def _answer(request: Request, response: Response, actor: Actor, task_id: str) -> TaskRow:
    wired = application(request)
    with wired.uow.read() as session:
        row = lists.task_row(session, task_id)
        if row is None or not may_see_case(
            actor, row[1].applicant_id, departments_of(session, row[1].id)
        ):
            raise NotFound(what="task")
        words = Words(wired, session, request.state.locale)
        show_revision(response, row[1].revision)
        acting = acting_now(session, actor, wired.ports.clock.now())
        return task_row(words, acting, row, lists.flags_of(session, [row[1].id]))
