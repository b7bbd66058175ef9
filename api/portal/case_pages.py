"""My cases: whose turn it is, what comes next and by when; and what I can do."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.access import application, check_csrf, require_citizen
from api.clock_words import ClockWords, entries_by_clock
from api.portal.page import go_to, page
from api.portal.submitted import submitted_pairs
from api.rest.cases import download
from api.service_names import services_named
from api.submission import newest_files
from api.wiring import Application
from engine.domain.access import Actor
from engine.domain.clock_terms import CASE_DATES
from engine.domain.ports import Form as PublishedForm
from engine.kernel.errors import AnswersInvalid, CaseNotOpen, NotFound, TaskNotOpen
from engine.store.queries import citizen as queries
from engine.store.queries.case_record import CaseRecord, case_record, visible_document
from engine.store.queries.people import departments
from engine.store.tables import Case, CaseState, Document, Task
from engine.usecases.clock_calendar import service_calendar
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.correct import CorrectAnswers, correct, with_dependents
from engine.usecases.definition import Definition, definition
from engine.usecases.documents import document_ids, released_documents
from engine.usecases.withdraw import WithdrawCase, withdraw
from forms import (
    answer_rows,
    form_title,
    read_submission,
    render_error_summary,
    render_fields,
)
from recommender import reason_sentence

router = APIRouter()
Citizen = Annotated[Actor, Depends(require_citizen)]


@router.get("/cases")
def my_cases(request: Request, actor: Citizen) -> Response:
    wired, locale = application(request), request.state.locale
    with wired.uow.read() as session:
        cases = queries.own_cases(session, actor)
        stages = {
            case.id: definition(session, case.package_version_id, wired.ports).manifest.stages[
                case.stage
            ][locale]
            for case in cases
        }
        named = services_named(session, wired.ports.catalogue, {case.service for case in cases})
    return page(
        request,
        "cases.html.j2",
        cases=cases,
        stages=stages,
        services=named,
    )


@router.get("/cases/{reference}/confirmation")
def confirmation(request: Request, actor: Citizen, reference: str) -> Response:
    """The number to keep, what happens next and by when. Safe to come back to."""
    wired = application(request)
    with wired.uow.read() as session:
        record = queries.own_record(session, actor, reference)
        offices = departments(session)
        named = services_named(session, wired.ports.catalogue, {record.case.service})
    department = offices.get(record.case.department or "")
    return page(
        request,
        "confirmation.html.j2",
        case=record.case,
        service=named[record.case.service],
        department=department,
        name=department.name[request.state.locale] if department else None,
    )


@router.get("/cases/{reference}")
def status(request: Request, actor: Citizen, reference: str) -> Response:
    """The case as its applicant sees it."""
    wired, locale = application(request), request.state.locale
    catalogue = wired.ports.catalogue
    with wired.uow.read() as session:
        record = queries.own_record(session, actor, reference)
        made = definition(session, record.case.package_version_id, wired.ports)
        at, working = queries.progress_of(session, record)
        office = departments(session).get(at.department or "")
        named = services_named(session, catalogue, {record.case.service})
    case, manifest = record.case, made.manifest
    form = made.forms[manifest.services[case.service].form]
    answers = record.state.data.get(manifest.saves_as, {})
    files = {row.id: row.name for row in record.documents}
    mine = [task for task in record.tasks if task.state == "open" and task.audience == "applicant"]
    outcome = manifest.outcomes.get(case.outcome or "")
    return page(
        request,
        "status.html.j2",
        case=case,
        service=named[case.service],
        stages=[(key, manifest.stages[key][locale]) for key in manifest.stages],
        duties=[(task, made.label(task.element, locale)) for task in mine if task.kind != "rating"],
        ratings=[task for task in mine if task.kind == "rating"],
        next_steps=list(dict.fromkeys(made.label(task.element, locale) for task in working)),
        stage=at.stage,
        follows=at is not case,
        department=office,
        department_name=office.name[locale] if office else None,
        outcome=outcome[locale] if outcome else None,
        letters=[row for row in record.letters if row.to_applicant and row.state == "sent"],
        answers=answer_rows(form, answers, locale, files=files),
        documents=_for_applicant(record, made),
        why=_why(wired, record, made, locale),
        suggestions=[
            (
                catalogue.services[row.service],
                reason_sentence(row.reason, row.params, catalogue, locale),
            )
            for row in record.suggestions
        ],
        rating=record.rating,
        may_withdraw=case.state == "open" and case.decided_at is None,
    )


def _why(
    wired: Application, record: CaseRecord, made: Definition, locale: str
) -> list[tuple[str, list[str]]]:
    """The clocks that the applicant is shown, each with the sentences that lead to its date."""
    calendar = service_calendar(wired.ports.calendars, made, record.case.service)
    words = ClockWords(made, locale, calendar)
    ledger = entries_by_clock(record.entries)
    shown = []
    for key in sorted(ledger, key=lambda each: (each not in CASE_DATES, each != "promised", each)):
        terms = made.manifest.terms(key)
        if terms is not None and terms.public:
            shown.append((words.title(key), words.why(ledger[key])))
    return shown


def _for_applicant(record: CaseRecord, made: Definition) -> list[Document]:
    """What the applicant sent, and once it is decided what staff marked as being for them."""
    released = released_documents(made.forms, record.tasks) if record.case.decided_at else set()
    mine = record.case.applicant_id
    return [row for row in record.documents if row.owner_id == mine or row.id in released]


@router.get("/cases/{reference}/withdraw")
def withdraw_page(request: Request, actor: Citizen, reference: str) -> Response:
    with application(request).uow.read() as session:
        record = queries.own_record(session, actor, reference)
    return page(request, "withdraw.html.j2", case=record.case)


@router.post("/cases/{reference}/withdraw")
def withdraw_case(
    request: Request,
    actor: Citizen,
    reference: str,
    csrf: Annotated[str, Form()] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    check_csrf(request, csrf)
    wired = application(request)
    with wired.uow.read() as session:
        record = queries.own_record(session, actor, reference)
    try:
        wired.uow.run(withdraw, WithdrawCase(actor, record.case.id, reason))
    except CaseNotOpen:
        # The second of two clicks: the first has done it.
        with wired.uow.read() as session:
            if queries.own_record(session, actor, reference).case.state != "withdrawn":
                raise
    return go_to(f"/cases/{record.case.reference}")


@router.get("/cases/{reference}/tasks/{task_id}")
def task_page(request: Request, actor: Citizen, reference: str, task_id: str) -> Response:
    """What the office asks of me: a correction, a rating, or more information."""
    return _task_page(request, actor, task_id, None, [], None)


def _task_page(
    request: Request,
    actor: Actor,
    task_id: str,
    given: dict[str, Any] | None,
    errors: list[Any],
    refused: str | None,
) -> Response:
    wired, locale = application(request), request.state.locale
    with wired.uow.read_rows() as rows:
        task, case = queries.own_task(rows, actor, task_id)
        if task.state != "open":
            raise TaskNotOpen
        data = rows.get_one(CaseState, case.id).data
    made = wired.definition(case.package_version_id)
    with wired.uow.read() as session:
        form = made.forms[str(task.form)]
        answers = given if given is not None else dict(data.get(task.corrects or "", {}))
        ids = [document for _, document in document_ids(form, answers)]
        files = queries.file_names(session, ids, actor.user_id)
    only = with_dependents(form, task.flagged) or None
    wrong = bool(errors or refused)
    return page(
        request,
        "task.html.j2",
        422 if wrong else 200,
        has_errors=wrong,
        case=case,
        task=task,
        title=made.label(task.element, locale) if task.corrects else form_title(form, locale),
        note=_note(made, task, data),
        summary=render_error_summary(form, errors, locale) if errors else "",
        refused=refused,
        fields=render_fields(form, answers, errors, locale, only=only, data=data, files=files),
    )


def _note(made: Definition, task: Task, data: dict[str, Any]) -> str | None:
    """What the officer wrote: the note beside the flagged fields they were chosen from."""
    if not task.corrects:
        return None
    for value in reversed(list(data.values())):
        if isinstance(value, dict) and value.get("correction_fields") == task.flagged:
            note = value.get("correction_note")
            return str(note) if note else None
    return None


def _asked(
    wired: Application, actor: Actor, task_id: str
) -> tuple[Task, Case, PublishedForm, dict[str, Any]]:
    """My task, its case and form, and what I answered before if it is to be corrected."""
    with wired.uow.read_rows() as rows:
        task, case = queries.own_task(rows, actor, task_id)
        state = rows.get_one(CaseState, case.id) if task.corrects else None
    form = wired.definition(case.package_version_id).forms[str(task.form)]
    return task, case, form, state.data.get(task.corrects or "", {}) if state else {}


@router.post("/cases/{reference}/tasks/{task_id}")
async def answer_task(request: Request, actor: Citizen, reference: str, task_id: str) -> Response:
    """Hand my answer to the office."""
    wired = application(request)
    task, case, form, earlier = await run_in_threadpool(_asked, wired, actor, task_id)
    pairs, refused = await submitted_pairs(request, wired, actor)
    answers = read_submission(form, newest_files(form, pairs))
    shown = {k: v for k, v in earlier.items() if k not in (task.flagged or earlier)} | answers
    if refused:
        return await run_in_threadpool(_task_page, request, actor, task_id, shown, [], refused)
    try:
        if task.corrects:
            corrected = CorrectAnswers(actor, task_id, answers)
            await run_in_threadpool(wired.uow.run, correct, corrected)
        else:
            await run_in_threadpool(wired.uow.run, complete, CompleteTask(actor, task_id, answers))
    except TaskNotOpen:
        # The second of two clicks: the first has done it.
        if not await run_in_threadpool(_done_by, wired, actor, task_id):
            raise
    except AnswersInvalid as error:
        fields = list(error.params["fields"])
        return await run_in_threadpool(_task_page, request, actor, task_id, shown, fields, None)
    return go_to(f"/cases/{case.reference}?done={task.kind or 'task'}")


def _done_by(wired: Application, actor: Actor, task_id: str) -> bool:
    with wired.uow.read_rows() as rows:
        task, _ = queries.own_task(rows, actor, task_id)
    return task.state == "done" and task.finished_by == actor.user_id


@router.get("/letters/{letter_id}")
def letter(request: Request, actor: Citizen, letter_id: str) -> Response:
    """One letter, to read and print."""
    with application(request).uow.read() as session:
        row, case = queries.own_letter(session, actor, letter_id)
    return page(request, "letter.html.j2", letter=row, case=case)


@router.get("/documents/{document_id}")
def document(request: Request, actor: Citizen, document_id: str) -> Response:
    """A file of my own, or one the office released to me, as a download."""
    wired = application(request)
    with wired.uow.read() as session:
        row = visible_document(session, actor, document_id)
        if row.case_id is not None:
            record = case_record(session, actor, row.case_id)
            made = definition(session, record.case.package_version_id, wired.ports)
            if row.id not in {each.id for each in _for_applicant(record, made)}:
                raise NotFound(what="document")
    return download(wired, row)
