"""Facts of the installation by name: read and written in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.orm import Session

from engine.store.tables import InstallationFact

OLDEST_CODE = "oldest_code"
"""The newest migration that a version of the product must know to run on this database."""
BACKFILLED = "backfilled"
"""The migrations whose backfill has passed all rows."""
HELD_KINDS = "held_kinds"
"""The kinds of jobs that wait until an operator releases them."""
RESTORED = "restored"
"""From which backup the database was restored."""

_TABLE = InstallationFact.__table__


def read_fact(source: Connection | Session, name: str) -> Any:
    """The fact's value, or None."""
    return source.execute(select(_TABLE.c.value).where(_TABLE.c.name == name)).scalar()


def write_fact(target: Connection | Session, name: str, value: Any, at: datetime) -> None:
    """Set the fact; None removes it."""
    assert isinstance(_TABLE, Table)  # noqa: S101
    target.execute(delete(_TABLE).where(_TABLE.c.name == name))
    if value is not None:
        row: Mapping[str, Any] = {"name": name, "value": value, "at": at}
        target.execute(insert(_TABLE).values(row))
