"""Merging cases of one matter, and parting them again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.access import application, require_caseworker
from api.rest.case_view import case_view
from api.rest.dispatch_schemas import Merging
from api.rest.schemas import CaseView
from engine.domain.access import Actor
from engine.kernel.errors import NotFound
from engine.store.queries.case_record import visible_case
from engine.store.queries.search import case_by_reference
from engine.usecases.merge import MergeCases, UnmergeCase, merge, unmerge

router = APIRouter(prefix="/cases", tags=["cases"])
Caseworker = Annotated[Actor, Depends(require_caseworker)]


@router.post("/{case_id}/merge", operation_id="merge_case", response_model=CaseView)
def merge_case(request: Request, actor: Caseworker, case_id: str, body: Merging) -> CaseView:
    """Let the case follow the main one `into`. 409 `merge_refused` says why it cannot."""
    wired = application(request)
    with wired.uow.read() as session:
        visible_case(session, actor, case_id)
        main = case_by_reference(session, body.into)
    if main is None:
        raise NotFound(what="case")
    wired.uow.run(merge, MergeCases(actor, case_id, main.id))
    return case_view(request, actor, case_id)


@router.post("/{case_id}/unmerge", operation_id="unmerge_case", response_model=CaseView)
def unmerge_case(request: Request, actor: Caseworker, case_id: str) -> CaseView:
    """Let the case go its own way again."""
    application(request).uow.run(unmerge, UnmergeCase(actor, case_id))
    return case_view(request, actor, case_id)
