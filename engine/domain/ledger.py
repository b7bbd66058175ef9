"""A line of the ledger: what was done to a clock, why, and what the date became."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from engine.domain.limit import Limit, limit_from_mapping

Verb = Literal["start", "reset", "pause", "resume", "extend", "stop", "recount"]
VERBS: tuple[Verb, ...] = ("start", "reset", "pause", "resume", "extend", "stop")
"""What may be asked of a clock; a recount follows from something else that has changed."""


@dataclass(frozen=True)
class LedgerLine:
    """What was done to a clock. `working_days` are those given or left out; dues are instants.

    A line holds all that the clock had not known before, so that the lines alone give the clock
    (see `engine.domain.replay`). `limit` is what is counted from now on, or what it was
    extended by; `received` is where the count begins.
    """

    verb: Verb
    at: datetime
    working_days: int | None
    basis: Mapping[str, str]
    reason: str
    previous_due: datetime | None
    new_due: datetime | None
    since: datetime | None = None
    """For `resume`: when the pause began."""
    pause: str = ""
    """For `pause` and `resume`: which."""
    limit: Limit | None = None
    limit_name: str = ""
    begun_by: str = ""
    department: str = ""
    received: datetime | None = None
    provisional: bool = False

    def as_mapping(self) -> dict[str, Any]:
        """JSON-able, for the ledger's row; verb and instant stand in columns of their own."""
        mapping: dict[str, Any] = {
            "working_days": self.working_days,
            "basis": dict(self.basis),
            "reason": self.reason,
            "previous_due": _text(self.previous_due),
            "new_due": _text(self.new_due),
            "since": _text(self.since),
        }
        more = {
            "pause": self.pause,
            "limit": self.limit.as_mapping() if self.limit is not None else None,
            "limit_name": self.limit_name,
            "begun_by": self.begun_by,
            "department": self.department,
            "received": _text(self.received),
            "provisional": self.provisional,
        }
        return mapping | {name: value for name, value in more.items() if value}


def line_from_mapping(verb: Verb, at: datetime, body: Mapping[str, Any]) -> LedgerLine:
    """A line as it was stored; older ones know less."""
    limit = body.get("limit")
    return LedgerLine(
        verb=verb,
        at=at,
        working_days=body["working_days"],
        basis=body["basis"],
        reason=body["reason"],
        previous_due=_instant(body["previous_due"]),
        new_due=_instant(body["new_due"]),
        since=_instant(body.get("since")),
        pause=body.get("pause", ""),
        limit=limit_from_mapping(limit) if limit else None,
        limit_name=body.get("limit_name", ""),
        begun_by=body.get("begun_by", ""),
        department=body.get("department", ""),
        received=_instant(body.get("received")),
        provisional=body.get("provisional", False),
    )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
