"""Cases: search, the whole record, the diagram, and documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, BinaryIO, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from api.access import application, require_caseworker, require_citizen
from api.rest.case_view import case_view
from api.rest.packages import diagram_of
from api.rest.revisions import show_revision
from api.rest.schemas import CasePage, CaseRow, CaseView, Diagram, FiledCase, Filing
from api.rest.words import Words
from api.wiring import Application
from engine.domain.access import Actor
from engine.store.queries.case_record import visible_case, visible_document
from engine.store.queries.search import find_cases
from engine.store.tables import Document
from engine.usecases.record_access import RecordAccess, record_access
from engine.usecases.start_case import StartCase, start_case

router = APIRouter(tags=["cases"])
Caseworker = Annotated[Actor, Depends(require_caseworker)]
Citizen = Annotated[Actor, Depends(require_citizen)]


@router.get("/cases", operation_id="list_cases", response_model=CasePage)
def list_cases(
    request: Request,
    actor: Caseworker,
    q: Annotated[str, Query(max_length=100)] = "",
    state: Literal["open", "closed", "withdrawn"] | None = None,
) -> CasePage:
    """The newest cases with the number `q`, or whose applicant's name or phone begins with it."""
    wired = application(request)
    with wired.uow.read() as session:
        words = Words(wired, session, request.state.locale)
        return CasePage(
            items=[
                CaseRow(
                    id=case.id,
                    reference=case.reference,
                    service_name=words.service(case.service),
                    applicant_name=name,
                    state=case.state,
                    stage_name=words.definition(case).manifest.stages[case.stage][words.locale],
                    department_name=words.department(case.department),
                    received_at=case.received_at,
                    legal_due_at=case.legal_due_at,
                    promised_due_at=case.promised_due_at,
                )
                for case, name in find_cases(session, actor, q, state)
            ]
        )


@router.post("/cases", operation_id="file_case", response_model=FiledCase, status_code=201)
def file_case(request: Request, actor: Citizen, filing: Filing) -> FiledCase:
    """File a case of one's own. 422 `answers_invalid` names every wrong field."""
    wired = application(request)
    command = StartCase(actor, filing.service, filing.answers, request.state.locale, "api")
    return FiledCase.model_validate(wired.uow.run(start_case, command))


@router.get("/cases/{case_id}", operation_id="get_case", response_model=CaseView)
def get_case(request: Request, response: Response, actor: Caseworker, case_id: str) -> CaseView:
    """The case with everything written about it. Who looked is kept in the access log."""
    view = case_view(request, actor, case_id)
    show_revision(response, view.revision)
    application(request).uow.run(record_access, RecordAccess(actor, case_id, "get_case"))
    return view


@router.get("/cases/{case_id}/diagram", operation_id="get_case_diagram", response_model=Diagram)
def get_case_diagram(request: Request, actor: Caseworker, case_id: str) -> Diagram:
    wired = application(request)
    with wired.uow.read() as session:
        case = visible_case(session, actor, case_id)
        return diagram_of(session, wired, case.package_version_id, request.state.locale)


@router.get("/documents/{document_id}", operation_id="get_document")
def get_document(request: Request, document_id: str, actor: Caseworker) -> Response:
    """The file, always as a download."""
    wired = application(request)
    with wired.uow.read() as session:
        row = visible_document(session, actor, document_id)
    return download(wired, row)


def download(wired: Application, row: Document) -> Response:
    """The file as a download that no browser opens as a page."""
    quoted = quote(row.name, safe="")
    return StreamingResponse(
        _pieces(wired.ports.files.open(row.storage_key)),
        media_type=row.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quoted}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "no-store",
        },
    )


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(64 * 1024):
            yield piece
