"""Applying: page by page, checked, sent once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.access import application, check_csrf, require_citizen
from api.portal.page import go_to, page
from api.portal.submitted import submitted_pairs
from api.submission import newest_files
from engine.domain.access import Actor
from engine.domain.field_error import FieldError
from engine.domain.ports import Form as FormFile
from engine.domain.ports import Form as PublishedForm
from engine.kernel.errors import AnswersInvalid, NotFound
from engine.store.queries.citizen import file_names, own_draft
from engine.store.tables import Case, Draft
from engine.usecases.definition import Definition, definition
from engine.usecases.documents import document_ids
from engine.usecases.drafts import BeginDraft, SaveDraft, begin_draft, save_draft
from engine.usecases.start_case import StartCase, start_case
from forms import (
    answer_rows,
    form_title,
    page_title,
    pages_of,
    read_submission,
    render_error_summary,
    render_fields,
)

router = APIRouter()
Citizen = Annotated[Actor, Depends(require_citizen)]


@router.post("/services/{code}/apply")
def apply(
    request: Request, actor: Citizen, code: str, csrf: Annotated[str, Form()] = ""
) -> Response:
    """Begin an application, or go on with the one that was begun."""
    check_csrf(request, csrf)
    wired = application(request)
    draft = wired.uow.run(begin_draft, BeginDraft(actor, code))
    with wired.uow.read() as session:
        _, form = _form(request, session, draft)
    return go_to(f"/drafts/{draft.id}/{pages_of(form)[0].id}")


@router.get("/services/{code}/apply")
def apply_after_sign_in(request: Request, actor: Citizen, code: str) -> Response:
    return go_to(f"/services/{code}")


def _form(request: Request, session: Any, draft: Draft) -> tuple[Definition, FormFile]:
    made = definition(session, draft.package_version_id, application(request).ports)
    return made, made.forms[made.manifest.services[draft.service].form]


@router.get("/drafts/{draft_id}/check")
def check_answers(request: Request, actor: Citizen, draft_id: str) -> Response:
    """All answers before they are sent, each with a way to change it."""
    return _check_page(request, actor, draft_id, ())


def _check_page(
    request: Request, actor: Actor, draft_id: str, errors: tuple[FieldError, ...]
) -> Response:
    wired, locale = application(request), request.state.locale
    with wired.uow.read() as session:
        draft = own_draft(session, actor, draft_id)
        if draft.case_id is not None:
            return go_to(_confirmation(session.get_one(Case, draft.case_id)))
        _, form = _form(request, session, draft)
        ids = [document for _, document in document_ids(form, draft.answers)]
        files = file_names(session, ids, actor.user_id)
    groups = [
        (each.id, page_title(form, each.id, locale), rows)
        for each in pages_of(form)
        if (rows := answer_rows(form, draft.answers, locale, page=each.id, files=files))
    ]
    return page(
        request,
        "check.html.j2",
        422 if errors else 200,
        has_errors=bool(errors),
        summary=render_error_summary(form, errors, locale) if errors else "",
        draft=draft,
        title=form_title(form, locale),
        groups=groups,
        last=pages_of(form)[-1].id,
    )


@router.post("/drafts/{draft_id}/check")
def send(
    request: Request, actor: Citizen, draft_id: str, csrf: Annotated[str, Form()] = ""
) -> Response:
    """Send the application; sending it again shows the same case."""
    check_csrf(request, csrf)
    wired = application(request)
    with wired.uow.read() as session:
        draft = own_draft(session, actor, draft_id)
    command = StartCase(
        actor, draft.service, draft.answers, request.state.locale, draft_id=draft.id
    )
    try:
        case = wired.uow.run(start_case, command)
    except AnswersInvalid as error:
        return _check_page(request, actor, draft_id, error.params["fields"])
    return go_to(_confirmation(case))


def _confirmation(case: Case) -> str:
    return f"/cases/{case.reference}/confirmation"


@router.get("/drafts/{draft_id}/{page_id}")
def draft_page(request: Request, actor: Citizen, draft_id: str, page_id: str) -> Response:
    """One page of questions, with what was answered so far."""
    with application(request).uow.read() as session:
        draft = own_draft(session, actor, draft_id)
        if draft.case_id is not None:
            return go_to(_confirmation(session.get_one(Case, draft.case_id)))
    return _questions(request, actor, draft, page_id, draft.answers, [], None)


def _questions(
    request: Request,
    actor: Actor,
    draft: Draft,
    page_id: str,
    answers: dict[str, Any],
    errors: list[FieldError],
    refused: str | None,
) -> Response:
    wired, locale = application(request), request.state.locale
    with wired.uow.read() as session:
        _, form = _form(request, session, draft)
        ids = [document for _, document in document_ids(form, answers)]
        files = file_names(session, ids, actor.user_id)
    ids_of_pages = [each.id for each in pages_of(form)]
    if page_id not in ids_of_pages:
        raise NotFound(what="page")
    at = ids_of_pages.index(page_id)
    wrong = bool(errors or refused)
    return page(
        request,
        "questions.html.j2",
        422 if wrong else 200,
        has_errors=wrong,
        summary=render_error_summary(form, errors, locale) if errors else "",
        refused=refused,
        fields=render_fields(form, answers, errors, locale, page=page_id, files=files),
        title=page_title(form, page_id, locale),
        form_title=form_title(form, locale),
        draft=draft,
        back=f"/drafts/{draft.id}/{ids_of_pages[at - 1]}" if at else f"/services/{draft.service}",
        number=at + 1,
        total=len(ids_of_pages),
    )


@router.post("/drafts/{draft_id}/{page_id}")
async def answer_page(request: Request, actor: Citizen, draft_id: str, page_id: str) -> Response:
    """Keep the page's answers, right or wrong, and go on if they are right."""
    wired = application(request)

    def form_of_draft() -> PublishedForm:
        with wired.uow.read() as session:
            return _form(request, session, own_draft(session, actor, draft_id))[1]

    form = await run_in_threadpool(form_of_draft)
    places = {each.id: each for each in pages_of(form)}
    if page_id not in places:
        raise NotFound(what="page")
    pairs, refused = await submitted_pairs(request, wired, actor)
    answers = read_submission(form, newest_files(form, pairs))
    command = SaveDraft(actor, draft_id, answers, places[page_id].fields)
    draft = await run_in_threadpool(wired.uow.run, save_draft, command)
    _, errors = wired.forms.validate(form, draft.answers, page=page_id)
    if errors or refused:
        return await run_in_threadpool(
            _questions, request, actor, draft, page_id, draft.answers, errors, refused
        )
    ids = list(places)
    at = ids.index(page_id)
    onward = ids[at + 1] if at + 1 < len(ids) else "check"
    return go_to(f"/drafts/{draft_id}/{onward}")
