"""The business audit: an event for each change, chained by hash, in the change's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from engine.domain.access import Actor
from engine.kernel.ids import new_id
from engine.store.tables import Event
from engine.store.tables.base import dump_json
from engine.store.uow import ReadSession, Work

FIRST = "0" * 64


def record(work: Work, case_id: str, kind: str, actor: Actor, **details: Any) -> Event:
    """Append an event to the case's chain. The case's row must be locked by the caller."""
    number, previous = _last(work, case_id)
    row = Event(
        id=new_id(),
        case_id=case_id,
        number=number + 1,
        kind=kind,
        actor_id=actor.user_id,
        actor_name=actor.display_name,
        at=work.now,
        details=details,
        digest=_digest(
            previous,
            case_id,
            number + 1,
            kind,
            actor.user_id,
            actor.display_name,
            work.now,
            details,
        ),
    )
    work.session.add(row)
    work.session.flush()
    return row


def first_broken_event(session: ReadSession, case_id: str) -> int | None:
    """The number of the first event whose hash does not follow from the one before, or None."""
    previous = FIRST
    rows = session.scalars(select(Event).where(Event.case_id == case_id).order_by(Event.number))
    for expected, row in enumerate(rows, start=1):
        digest = _digest(
            previous,
            case_id,
            row.number,
            row.kind,
            row.actor_id,
            row.actor_name,
            row.at,
            row.details,
        )
        if row.number != expected or row.digest != digest:
            return expected
        previous = row.digest
    return None


def _last(work: Work, case_id: str) -> tuple[int, str]:
    newest = select(func.max(Event.number)).where(Event.case_id == case_id).scalar_subquery()
    row = work.session.execute(
        select(Event.number, Event.digest).where(Event.case_id == case_id, Event.number == newest)
    ).first()
    return (row.number, row.digest) if row else (0, FIRST)


def _digest(
    previous: str,
    case_id: str,
    number: int,
    kind: str,
    actor_id: str,
    actor_name: str,
    at: datetime,
    details: Mapping[str, Any],
) -> str:
    body = dump_json([case_id, number, kind, actor_id, actor_name, at.isoformat(), details])
    return hashlib.sha256(f"{previous}{body}".encode()).hexdigest()
