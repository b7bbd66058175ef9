"""A commit whose answer was lost, and the row that proves it was carried out.

A transaction is kept as a whole or not at all: one row of it tells about all of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from engine.kernel.ids import new_secret
from engine.store.failures import DATABASE_ERRORS
from engine.store.rows import Rows
from engine.store.tables import Base, Event, IdempotencyKey

LOOK_SECONDS = 2.0
_PAUSE = 0.1


@dataclass(frozen=True)
class Proof:
    """Rows of `entity` that meet `where` exist only if the transaction was carried out."""

    entity: type[Base]
    where: str
    params: Sequence[Any]


class CommitUnanswered(Exception):
    """The commit was sent and its answer never came; `result` is what the command gave."""

    def __init__(self, work: Any, result: Any, proof: Proof | None) -> None:
        super().__init__("the answer to a commit was lost")
        self.work, self.result, self.proof = work, result, proof


def leave_proof(rows: Rows, at: datetime, writes: bool) -> None:
    """See to it that the transaction has a row that proves it, if it `writes` anything."""
    if not rows.inserts(Event) and (writes or rows.has_changes()):
        rows.insert(IdempotencyKey, {"key": new_secret(), "result": {}, "at": at})


def proof_of(rows: Rows) -> Proof | None:
    """What proves that these changes were kept, once they were sent."""
    for event in rows.inserted(Event):
        where = "case_id = %s AND number = %s AND digest = %s"
        return Proof(Event, where, (event["case_id"], event["number"], event["digest"]))
    for row in rows.inserted(IdempotencyKey):
        return Proof(IdempotencyKey, "`key` = %s", (row["key"],))
    return None


def was_kept(engine: Engine, proof: Proof | None) -> bool:
    """Whether the proof is found within `LOOK_SECONDS`; if not, nothing is known."""
    if proof is None:
        return False
    end = time.monotonic() + LOOK_SECONDS
    while True:
        with suppress(*DATABASE_ERRORS), engine.connect() as connection:
            if Rows(connection).first(proof.entity, proof.where, *proof.params) is not None:
                return True
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
