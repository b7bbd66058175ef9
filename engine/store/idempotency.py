"""The caller's key for a request: the same key again gives the same result, and does nothing twice.

The key is written in the transaction of the command it belongs to. A request that runs several
commands has a key for each, by their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.kernel.errors import AlreadyDone
from engine.kernel.faults import defect
from engine.store import results
from engine.store.rows import Rows
from engine.store.tables import IdempotencyKey

KEPT = timedelta(days=2)


@dataclass
class WriteRequest:
    """A request that may change something; `key` is its sender's, or None.

    `who` and `what` keep apart what others ask for.
    """

    key: str | None
    who: str
    what: str
    commands: int = 0
    changed: bool = False
    """Whether something that the request asked for has been committed."""

    def next_command(self) -> str | None:
        """The key of the next command that the request runs, if the request has one."""
        if self.key is None:
            return None
        self.commands += 1
        return self.digest(str(self.commands))

    def digest(self, part: str = "") -> str:
        """What the key is for one `part` of the request, or for all of it."""
        text = "\0".join((self.who, self.what, self.key or "", part))
        return hashlib.sha256(text.encode()).hexdigest()


write_request: ContextVar[WriteRequest | None] = ContextVar("write_request", default=None)
"""Set by the web process for each request that may change something."""


@contextmanager
def aside() -> Iterator[None]:
    """Commands in here are not what the request asked for: its key does not stand for them."""
    before = write_request.set(None)
    try:
        yield
    finally:
        write_request.reset(before)


def result_of(rows: Rows, key: str) -> tuple[bool, Any]:
    """Whether the command was carried out before, and its result as it stands now.

    Raises AlreadyDone if it was and the result is nothing that is kept.
    """
    known = rows.get(IdempotencyKey, key)
    if known is None:
        return False, None
    if "value" not in known.result:
        raise AlreadyDone
    return True, results.given(rows, known.result["value"])


def remember(rows: Rows, key: str, result: Any, at: datetime) -> None:
    """Write the key down with the command it belongs to."""
    if defect("key_forgotten"):
        return
    try:
        kept = {"value": results.kept(rows, result)}
    except results.NotKeepable:
        kept = {}
    rows.insert(IdempotencyKey, {"key": key, "result": kept, "at": at})
