"""What the signed-in member of staff is told of cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api.access import application, require_caseworker
from api.notice_words import notice_words
from api.rest.schemas import Shape
from engine.domain.access import Actor
from engine.store.queries.notices import notices_of, unread_count
from engine.usecases.notices import ReadNotices, notice_facts, read_notices

router = APIRouter(prefix="/notices", tags=["notices"])
Caseworker = Annotated[Actor, Depends(require_caseworker)]


class NoticeView(Shape):
    """`rung` is the step of the ladder it was sent at; `personal` ones go to nobody else."""

    id: str
    case_id: str
    reference: str
    title: str
    text: str
    rung: str
    due_at: datetime
    created_at: datetime
    read_at: datetime | None
    personal: bool


class NoticePage(Shape):
    items: list[NoticeView]
    next: str | None
    unread: int


class ReadIn(Shape):
    """The notices that were read; none means all of them."""

    ids: list[str] = Field(default_factory=list, max_length=500)


class ReadOut(Shape):
    count: int


@router.get("", operation_id="list_notices", response_model=NoticePage)
def list_notices(
    request: Request,
    actor: Caseworker,
    unread: bool = False,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> NoticePage:
    """One's own notices and those of one's department, newest first."""
    wired, locale = application(request), request.state.locale
    with wired.uow.read() as session:
        rows = notices_of(session, actor, unread, limit + 1, cursor)
        items = []
        for row in rows[:limit]:
            facts = notice_facts(session, wired.ports, row)
            words = notice_words(facts, locale)
            items.append(
                NoticeView(
                    id=row.id,
                    case_id=row.case_id,
                    reference=facts.reference,
                    title=words.subject,
                    text=words.body,
                    rung=row.rung,
                    due_at=row.due_at,
                    created_at=row.created_at,
                    read_at=row.read_at,
                    personal=row.user_id is not None,
                )
            )
        more = rows[limit - 1].id if len(rows) > limit else None
        return NoticePage(items=items, next=more, unread=unread_count(session, actor))


@router.post("/read", operation_id="read_notices", response_model=ReadOut)
def post_read(request: Request, actor: Caseworker, read: ReadIn) -> ReadOut:
    """Mark notices as read; those of others are passed over."""
    command = ReadNotices(actor, tuple(read.ids))
    return ReadOut(count=application(request).uow.run(read_notices, command))
