"""The business audit: an event for each change, chained by hash, in the change's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.domain.access import Actor
from engine.kernel.faults import defect
from engine.store.queries.case_rows import CaseRows
from engine.store.tables import Case, Event
from engine.store.tables.base import dump_json
from engine.store.tables.cases import FIRST
from engine.store.uow import ReadSession, Work


def record(work: Work, case: Case, kind: str, actor: Actor, **details: Any) -> None:
    """Append an event to the case's chain. The case's row must be locked by the caller.

    Of a substitute the event keeps both: who did it, and for whom.
    """
    if actor.acting_for is not None:
        principal = actor.acting_for
        details = {**details, "for_id": principal.user_id, "for_name": principal.display_name}
    number = case.events + 1
    digest = digest_of(
        case.head,
        case.id,
        number,
        kind,
        actor.user_id,
        actor.display_name,
        work.now,
        details,
    )
    work.rows.insert(
        Event,
        {
            "case_id": case.id,
            "number": number,
            "kind": kind,
            "actor_id": actor.user_id,
            "actor_name": actor.display_name,
            "at": work.now,
            "details": details,
            "digest": digest,
        },
    )
    case.events = number
    if not defect("audit_unchained"):
        case.head = digest


def first_broken_event(session: ReadSession, case_id: str) -> int | None:
    """The number of the first event whose hash does not follow from the one before, or None.

    A chain whose end was cut off is broken at the first event that is missing. An archived case
    has its chain in the archive; raises ArchiveDamaged.
    """
    case = session.get(Case, case_id)
    if case is None:
        return None
    previous, expected = FIRST, 0
    for expected, row in enumerate(CaseRows(session, case).all(Event, "number"), start=1):
        digest = digest_of(
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
    if (case.events, case.head) != (expected, previous):
        return expected + 1
    return None


def digest_of(
    previous: str,
    case_id: str,
    number: int,
    kind: str,
    actor_id: str,
    actor_name: str,
    at: datetime,
    details: Mapping[str, Any],
) -> str:
    """SHA-256, in hexadecimal, of the event together with the digest of the one before."""
    body = dump_json([case_id, number, kind, actor_id, actor_name, at.isoformat(), details])
    return hashlib.sha256(f"{previous}{body}".encode()).hexdigest()
