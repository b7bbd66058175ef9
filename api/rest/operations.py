"""For operators: messages and signals from outside, repair, and moving cases on."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from api.access import application, require_administrator, require_designer
from api.rest.revisions import WantedRevision, show_revision
from api.rest.schemas import Shape
from api.sentences import say
from engine.domain.access import Actor
from engine.store.idempotency import write_request
from engine.store.queries.incidents import places_of
from engine.store.tables import Case
from engine.usecases.messages import ReceiveMessage, SendSignal, send_signal, take_message
from engine.usecases.migrate import (
    CaseOutlook,
    ChooseCases,
    Migration,
    choose_cases,
    migrate_cases,
    preview,
)
from engine.usecases.repair import (
    CorrectData,
    MoveToken,
    SkipPlace,
    correct_data,
    move_token,
    skip_place,
)

router = APIRouter(tags=["operations"])
Administrator = Annotated[Actor, Depends(require_administrator)]
Designer = Annotated[Actor, Depends(require_designer)]
MOST_CASES = 500


class MessageIn(Shape):
    name: str = Field(max_length=160)
    data: dict[str, Any] = Field(default_factory=dict)
    correlation: str | None = Field(default=None, max_length=200)
    unique_key: str | None = Field(default=None, max_length=100)
    applicant: str | None = Field(default=None, max_length=60)
    """The user name of whom a case is begun for, if a process starts with the message."""
    life_seconds: int = Field(default=0, ge=0, le=366 * 86_400)


class MessageView(Shape):
    id: str
    state: str
    case_id: str | None


@router.post("/messages", operation_id="send_message", response_model=MessageView)
def send_message(request: Request, actor: Administrator, message: MessageIn) -> MessageView:
    """Deliver a message to the case that waits for it, or keep it for as long as it lives."""
    life = timedelta(seconds=message.life_seconds)
    command = ReceiveMessage(
        actor,
        message.name,
        message.data,
        message.correlation,
        message.unique_key or _own_key(),
        life,
        message.applicant,
    )
    return MessageView.model_validate(take_message(application(request).uow, command))


def _own_key() -> str | None:
    """A message that brings no key has that of its request: sent again, it is the same."""
    sent = write_request.get()
    return sent.digest() if sent is not None and sent.key is not None else None


class SignalIn(Shape):
    name: str = Field(max_length=160)
    data: dict[str, Any] = Field(default_factory=dict)


class SignalView(Shape):
    cases: int


@router.post("/signals", operation_id="send_signal", response_model=SignalView)
def post_signal(request: Request, actor: Administrator, signal: SignalIn) -> SignalView:
    """Have a signal delivered to every case that listens for it."""
    command = SendSignal(actor, signal.name, signal.data)
    return SignalView(cases=application(request).uow.run(send_signal, command))


class Done(Shape):
    ok: bool = True


class Place(Shape):
    """Something the case waits at. `kind` is task, timer, message, signal or job."""

    key: str
    element: str
    kind: str


class PlaceList(Shape):
    items: list[Place]


@router.get("/cases/{case_id}/places", operation_id="list_places", response_model=PlaceList)
def list_places(
    request: Request, response: Response, actor: Administrator, case_id: str
) -> PlaceList:
    """Where the case stands, with the keys by which repair names each place."""
    with application(request).uow.read() as session:
        case = session.get(Case, case_id)
        if case is not None:
            show_revision(response, case.revision)
        found = places_of(session, case_id)
        return PlaceList(items=[Place(key=k, element=e, kind=kind) for k, e, kind in found])


class RepairIn(Shape):
    """`skip` and `move` need `key`, `move` an `element`, `correct` the `data`."""

    verb: Literal["skip", "move", "correct"]
    reason: str = Field(max_length=500)
    key: str = Field(default="", max_length=60)
    element: str = Field(default="", max_length=120)
    data: dict[str, Any] = Field(default_factory=dict)


@router.post("/cases/{case_id}/repairs", operation_id="repair_case", response_model=Done)
def repair(
    request: Request,
    response: Response,
    actor: Administrator,
    case_id: str,
    how: RepairIn,
    revision: WantedRevision,
) -> Done:
    """Skip or move what waits, or correct the case's data. The reason is kept in the audit.

    With `If-Match` 412 if the case has changed since.
    """
    uow, at = application(request).uow, (how.reason, revision)
    if how.verb == "skip":
        case = uow.run(skip_place, SkipPlace(actor, case_id, how.key, *at))
    elif how.verb == "move":
        case = uow.run(move_token, MoveToken(actor, case_id, how.key, how.element, *at))
    else:
        case = uow.run(correct_data, CorrectData(actor, case_id, how.data, *at))
    show_revision(response, case.revision)
    return Done()


class MigrationIn(Shape):
    """The cases named, or all open ones of the source version (of a stage or department)."""

    source_id: str
    target_id: str
    mapping: dict[str, str] = Field(default_factory=dict)
    case_ids: list[str] | None = Field(default=None, max_length=MOST_CASES)
    stage: str | None = None
    department: str | None = None
    apply: bool = False


class OutlookView(Shape):
    case_id: str
    reference: str
    places: dict[str, str | None]
    refusal: str | None
    message: str | None


class MigrationReport(Shape):
    applied: bool
    items: list[OutlookView]
    further: int
    """How many more cases there are than one request moves."""


@router.post("/migrations", operation_id="migrate_cases", response_model=MigrationReport)
def migrate(request: Request, actor: Designer, wanted: MigrationIn) -> MigrationReport:
    """Say case by case what moving to another version would do, and with `apply` do it."""
    wired, locale = application(request), request.state.locale
    migration = Migration(wanted.source_id, wanted.target_id, wanted.mapping)
    chosen = ChooseCases(wanted.source_id, wanted.case_ids, wanted.stage, wanted.department)
    ids = wired.uow.run(choose_cases, chosen)
    if wanted.apply:
        found = migrate_cases(wired.uow, actor, migration, ids[:MOST_CASES])
    else:
        with wired.uow.read() as session:
            found = preview(session, wired.ports, migration, ids[:MOST_CASES])
    return MigrationReport(
        applied=wanted.apply,
        items=[_outlook(each, locale) for each in found],
        further=max(0, len(ids) - MOST_CASES),
    )


def _outlook(outlook: CaseOutlook, locale: str) -> OutlookView:
    element = next((place.element for place in outlook.places if place.target is None), "")
    key = f"migration.{outlook.refusal}"
    message = None if outlook.refusal is None else say(locale, key, element=element)
    return OutlookView(
        case_id=outlook.case_id,
        reference=outlook.reference,
        places={place.element: place.target for place in outlook.places},
        refusal=outlook.refusal,
        message=outlook.refusal if message == key else message,
    )
