"""The caller's key for a request: the same key again gives the same result, and does nothing twice.

The key is written in the transaction of the command it belongs to. A request that runs several
commands has a key for each, by their order.
"""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from engine.kernel.errors import AlreadyDone
from engine.kernel.faults import defect
from engine.store.rows import Rows
from engine.store.tables import Base, IdempotencyKey

KEPT = timedelta(days=2)
_PLAIN = (str, int, float, bool, list, dict, type(None))


@dataclass
class RequestKey:
    """The key of the request being answered; `who` and `what` keep apart what others ask for."""

    key: str
    who: str
    what: str
    commands: int = 0

    def next_command(self) -> str:
        """The key of the next command that the request runs."""
        self.commands += 1
        text = "\0".join((self.who, self.what, self.key, str(self.commands)))
        return hashlib.sha256(text.encode()).hexdigest()


request_key: ContextVar[RequestKey | None] = ContextVar("request_key", default=None)
"""Set by the web process for a request that has a key."""


def result_of(rows: Rows, key: str) -> tuple[bool, Any]:
    """Whether the command was carried out before, and its result as it stands now.

    Raises AlreadyDone if it was and the result is nothing that is kept.
    """
    known = rows.get(IdempotencyKey, key)
    if known is None:
        return False, None
    if "plain" in known.result:
        return True, known.result["plain"]
    if "table" not in known.result:
        raise AlreadyDone
    table, row_key = known.result["table"], known.result["key"]
    return True, rows.get_one(_entities()[table], *row_key)


def remember(rows: Rows, key: str, result: Any, at: Any) -> None:
    """Write the key down with the command it belongs to."""
    if defect("key_forgotten"):
        return
    kept: dict[str, Any] = {}
    if isinstance(result, Base):
        kept = {"table": result.__tablename__, "key": list(rows.key_of(result))}
    elif isinstance(result, _PLAIN):
        kept = {"plain": result}
    rows.insert(IdempotencyKey, {"key": key, "result": kept, "at": at})


def _entities() -> dict[str, type[Base]]:
    return {
        mapper.class_.__tablename__: cast("type[Base]", mapper.class_)
        for mapper in Base.registry.mappers
    }
