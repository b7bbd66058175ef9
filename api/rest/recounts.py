"""Recounts of many cases: what would move, how far one is, stop and go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from sqlalchemy import select

from api.access import application, require_administrator, require_recount
from api.clock_words import ClockWords
from api.ledger_words import reason_text
from api.rest.calendars import CalendarEdit
from api.rest.schemas import Shape
from api.rest.words import Words
from api.sentences import say
from engine.domain.access import Actor
from engine.kernel.errors import NotFound
from engine.store.queries.people import names_of
from engine.store.tables import Case, Recount
from engine.usecases.calendar_preview import preview_edit
from engine.usecases.recount import (
    StartRecount,
    TurnRecount,
    preview,
    resume_recount,
    start_recount,
    stop_recount,
)
from engine.usecases.recount_case import Move
from engine.usecases.recount_choice import Wanted, count_wanted

router = APIRouter(tags=["clocks"])
Overseer = Annotated[Actor, Depends(require_recount)]
Administrator = Annotated[Actor, Depends(require_administrator)]
SHOWN = 500
NEWEST = 20


class MoveView(Shape):
    """A date that moves: of a clock, or of a timer or task at `element`; `name` says of what."""

    case_id: str
    reference: str
    clock: str
    element: str
    name: str
    previous_due: datetime
    new_due: datetime
    refused: str | None


class MoveList(Shape):
    items: list[MoveView]


def move_views(request: Request, moves: Iterable[Move]) -> list[MoveView]:
    """The moves, with names in the reader's language."""
    wired, locale, found = application(request), request.state.locale, list(moves)
    ids = {move.case_id for move in found}
    made = []
    with wired.uow.read() as session:
        cases = {row.id: row for row in session.scalars(select(Case).where(Case.id.in_(ids)))}
        words = Words(wired, session, locale)
        for move in found:
            case = cases[move.case_id]
            of = words.definition(case)
            says = ClockWords(of, locale, words.calendar(case))
            name = says.title(move.clock, move.element) if move.clock else ""
            name = name or of.label(move.element, locale)
            made.append(MoveView(**vars(move), name=name))
    return made


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
    started_by: str
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
        cases = count_wanted(session, uow.ports, wanted)
    return _outlook(request, cases, preview(uow, wanted, asked.reason, at_most=SHOWN + 1))


@router.post(
    "/calendars/{name}/preview", operation_id="preview_calendar", response_model=RecountPreview
)
def preview_calendar(
    request: Request, actor: Administrator, name: str, body: CalendarEdit
) -> RecountPreview:
    """Which dates of open cases the edit would move. Changes nothing; no reason is needed."""
    made = preview_edit(application(request).uow, body.command(actor, name), at_most=SHOWN + 1)
    return _outlook(request, made.cases, made.moves)


def _outlook(request: Request, cases: int, moves: Iterator[Move]) -> RecountPreview:
    first = list(islice(moves, SHOWN))
    more = next(moves, None) is not None
    return RecountPreview(cases=cases, items=move_views(request, first), more=more)


class RecountList(Shape):
    items: list[RecountView]


@router.get("/recounts", operation_id="list_recounts", response_model=RecountList)
def list_recounts(request: Request, actor: Overseer) -> RecountList:
    """The newest recounts, however far they are."""
    with application(request).uow.read() as session:
        newest = select(Recount).order_by(Recount.started_at.desc(), Recount.id.desc())
        rows = session.scalars(newest.limit(NEWEST)).all()
        names = names_of(session, {row.started_by for row in rows})
    return RecountList(items=[_view(request, row, names) for row in rows])


def _view(request: Request, row: Recount, names: Mapping[str, str]) -> RecountView:
    locale = request.state.locale
    return RecountView(
        id=row.id,
        state=row.state,  # type: ignore[arg-type]
        reason=reason_text(row.reason, locale),
        started_by=names.get(row.started_by) or say(locale, "actor.system"),
        total=row.total,
        seen=row.seen,
        moved=row.moved,
        failed=row.failed,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


@router.post("/recounts", operation_id="start_recount", response_model=RecountView, status_code=202)
def post_recount(request: Request, actor: Overseer, asked: RecountIn) -> RecountView:
    """Recount in the background; ask for it by its id to see how far it is."""
    command = StartRecount(actor, asked.wanted(), asked.reason)
    return _shown(request, application(request).uow.run(start_recount, command))


@router.get("/recounts/{recount_id}", operation_id="get_recount", response_model=RecountView)
def get_recount(request: Request, actor: Overseer, recount_id: str) -> RecountView:
    with application(request).uow.read() as session:
        row = session.get(Recount, recount_id)
        if row is None:
            raise NotFound(what="recount")
    return _shown(request, row)


@router.post("/recounts/{recount_id}/stop", operation_id="stop_recount", response_model=RecountView)
def post_stop(request: Request, actor: Overseer, recount_id: str) -> RecountView:
    """Stop it after the cases it has in hand; what was moved stays moved."""
    command = TurnRecount(actor, recount_id)
    return _shown(request, application(request).uow.run(stop_recount, command))


@router.post(
    "/recounts/{recount_id}/resume", operation_id="resume_recount", response_model=RecountView
)
def post_resume(request: Request, actor: Overseer, recount_id: str) -> RecountView:
    """Go on where it was stopped."""
    command = TurnRecount(actor, recount_id)
    return _shown(request, application(request).uow.run(resume_recount, command))


def _shown(request: Request, row: Recount) -> RecountView:
    with application(request).uow.read() as session:
        return _view(request, row, names_of(session, {row.started_by}))
