"""Clocks: verbs by hand, the date of receipt, and recounts of many cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, Field

from api.access import application, require_caseworker, require_recount
from api.rest.case_view import case_view
from api.rest.schemas import CaseView, Shape
from engine.domain.access import Actor
from engine.kernel.errors import NotFound
from engine.store.tables import Recount
from engine.usecases.clock_buttons import PressButton, press_button
from engine.usecases.correct_receipt import CorrectReceipt, correct_receipt
from engine.usecases.recount import (
    StartRecount,
    TurnRecount,
    Wanted,
    count_wanted,
    preview,
    resume_recount,
    start_recount,
    stop_recount,
)
from engine.usecases.recount_case import Move

router = APIRouter(tags=["clocks"])
Caseworker = Annotated[Actor, Depends(require_caseworker)]
Overseer = Annotated[Actor, Depends(require_recount)]
Verb = Literal["start", "reset", "pause", "resume", "extend", "stop"]
SHOWN = 500


class ClockVerbIn(Shape):
    """`pause` names the interval, `limit` what is added or counted; `also` are further clocks."""

    reason: str = Field(max_length=500)
    basis: str = Field(default="", max_length=300)
    pause: str = Field(default="", max_length=40)
    limit: str | None = Field(default=None, max_length=40)
    also: list[str] = Field(default_factory=list, max_length=10)
    revision: int | None = None


@router.post(
    "/cases/{case_id}/clocks/{key}/{verb}", operation_id="change_clock", response_model=CaseView
)
def change_clock(
    request: Request, actor: Caseworker, case_id: str, key: str, verb: Verb, asked: ClockVerbIn
) -> CaseView:
    """Use a verb on a clock, as far as the process gives the reader a button for it.

    409 `clock_verb_refused` says why not, and what is possible now.
    """
    command = PressButton(
        actor,
        case_id,
        key,
        verb,
        asked.reason,
        asked.basis,
        asked.pause,
        asked.limit,
        tuple(asked.also),
        asked.revision,
    )
    application(request).uow.run(press_button, command)
    return case_view(request, actor, case_id)


class MoveView(Shape):
    """A date that moves: of a clock, or of a timer at `element`."""

    case_id: str
    reference: str
    clock: str
    element: str
    previous_due: datetime
    new_due: datetime
    refused: str | None


class MoveList(Shape):
    items: list[MoveView]


def _views(moves: list[Move]) -> list[MoveView]:
    return [MoveView(**vars(move)) for move in moves]


class ReceiptIn(Shape):
    received_at: AwareDatetime
    reason: str = Field(max_length=500)
    trial: bool = False


@router.post("/cases/{case_id}/receipt", operation_id="correct_receipt", response_model=MoveList)
def post_receipt(request: Request, actor: Caseworker, case_id: str, receipt: ReceiptIn) -> MoveList:
    """Correct when the case was received, and what is counted from there; or try what moves."""
    command = CorrectReceipt(actor, case_id, receipt.received_at, receipt.reason, receipt.trial)
    moves = application(request).uow.run(correct_receipt, command)
    return MoveList(items=[MoveView(**move) for move in moves])


class RecountIn(Shape):
    """Which open cases; nothing means all."""

    services: list[str] = Field(default_factory=list, max_length=200)
    departments: list[str] = Field(default_factory=list, max_length=200)
    packages: list[str] = Field(default_factory=list, max_length=200)
    cases: list[str] = Field(default_factory=list, max_length=500)
    reason: str = Field(default="calendar_changed", max_length=500)

    def wanted(self) -> Wanted:
        named = (self.services, self.departments, self.packages, self.cases)
        return Wanted(*(tuple(each) for each in named))


class RecountPreview(Shape):
    """The first moves; `cases` are looked at in all, and `more` says that others move too."""

    cases: int
    items: list[MoveView]
    more: bool


class RecountView(Shape):
    id: str
    state: Literal["running", "stopped", "done"]
    reason: str
    total: int
    seen: int
    moved: int
    failed: int
    started_at: datetime
    finished_at: datetime | None


@router.post("/recounts/preview", operation_id="preview_recount", response_model=RecountPreview)
def preview_recount(request: Request, actor: Overseer, asked: RecountIn) -> RecountPreview:
    """Which dates a recount would move. Changes nothing."""
    uow, wanted = application(request).uow, asked.wanted()
    with uow.read() as session:
        cases = count_wanted(session, wanted)
    moves = list(preview(uow, wanted, asked.reason, at_most=SHOWN + 1))
    return RecountPreview(cases=cases, items=_views(moves[:SHOWN]), more=len(moves) > SHOWN)


@router.post("/recounts", operation_id="start_recount", response_model=RecountView, status_code=202)
def post_recount(request: Request, actor: Overseer, asked: RecountIn) -> RecountView:
    """Recount in the background; ask for it by its id to see how far it is."""
    command = StartRecount(actor, asked.wanted(), asked.reason)
    return RecountView.model_validate(application(request).uow.run(start_recount, command))


@router.get("/recounts/{recount_id}", operation_id="get_recount", response_model=RecountView)
def get_recount(request: Request, actor: Overseer, recount_id: str) -> RecountView:
    with application(request).uow.read() as session:
        row = session.get(Recount, recount_id)
        if row is None:
            raise NotFound(what="recount")
        return RecountView.model_validate(row)


@router.post("/recounts/{recount_id}/stop", operation_id="stop_recount", response_model=RecountView)
def post_stop(request: Request, actor: Overseer, recount_id: str) -> RecountView:
    """Stop it after the cases it has in hand; what was moved stays moved."""
    command = TurnRecount(actor, recount_id)
    return RecountView.model_validate(application(request).uow.run(stop_recount, command))


@router.post(
    "/recounts/{recount_id}/resume", operation_id="resume_recount", response_model=RecountView
)
def post_resume(request: Request, actor: Overseer, recount_id: str) -> RecountView:
    """Go on where it was stopped."""
    command = TurnRecount(actor, recount_id)
    return RecountView.model_validate(application(request).uow.run(resume_recount, command))
