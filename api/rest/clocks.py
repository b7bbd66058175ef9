"""Clocks of one case: verbs by hand, and the date of receipt."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, Field

from api.access import application, require_caseworker
from api.rest.case_view import case_view
from api.rest.recounts import MoveList, move_views
from api.rest.schemas import CaseView, Shape
from engine.domain.access import Actor
from engine.usecases.clock_buttons import PressButton, press_button
from engine.usecases.correct_receipt import CorrectReceipt, correct_receipt

router = APIRouter(tags=["clocks"])
Caseworker = Annotated[Actor, Depends(require_caseworker)]
Verb = Literal["start", "reset", "pause", "resume", "extend", "stop"]


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


class ReceiptIn(Shape):
    received_at: AwareDatetime
    reason: str = Field(max_length=500)
    trial: bool = False


@router.post("/cases/{case_id}/receipt", operation_id="correct_receipt", response_model=MoveList)
def post_receipt(request: Request, actor: Caseworker, case_id: str, receipt: ReceiptIn) -> MoveList:
    """Correct when the case was received, and what is counted from there; or try what moves."""
    command = CorrectReceipt(actor, case_id, receipt.received_at, receipt.reason, receipt.trial)
    moves = application(request).uow.run(correct_receipt, command)
    return MoveList(items=move_views(request, moves))
