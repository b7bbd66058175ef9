"""Filling a new column in rows that are there already: small batches, each committed by itself.

What is still to do is read from the rows, so a backfill that was stopped, or died, goes on where
it was, and rows that an older version writes meanwhile are found by the next pass.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, text

BATCH = 500
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Backfill:
    """Rows of `table` with the primary key `key` for which the SQL condition `missing` holds.

    `fill` gets some of them by their keys, and must leave none for which `missing` still holds.
    """

    table: str
    key: tuple[str, ...]
    missing: str
    fill: Callable[[Connection, Sequence[Key]], None]
    batch: int = BATCH


def left_to_fill(connection: Connection, backfill: Backfill) -> int:
    """How many rows still lack what the backfill gives."""
    statement = f"SELECT COUNT(*) FROM {backfill.table} WHERE {backfill.missing}"  # noqa: S608
    return int(connection.execute(text(statement)).scalar_one())


def run_backfill(
    engine: Engine,
    backfill: Backfill,
    progress: Callable[[int], None] = lambda count: None,
    stop: threading.Event | None = None,
) -> bool:
    """Fill every row; False if `stop` was set before the end. Each batch is a transaction."""
    after: Key | None = None
    while not (stop is not None and stop.is_set()):
        with engine.begin() as connection:
            keys = _next_keys(connection, backfill, after)
            if not keys:
                return True
            backfill.fill(connection, keys)
        after = keys[-1]
        progress(len(keys))
    return False


def _next_keys(connection: Connection, backfill: Backfill, after: Key | None) -> list[Key]:
    listed = ", ".join(backfill.key)
    where, values = f"({backfill.missing})", {}
    if after is not None:
        values = {f"k{number}": value for number, value in enumerate(after)}
        where += f" AND ({_behind(backfill.key)})"
    statement = (
        f"SELECT {listed} FROM {backfill.table} WHERE {where} "  # noqa: S608
        f"ORDER BY {listed} LIMIT {backfill.batch}"
    )
    return [tuple(row) for row in connection.execute(text(statement), values)]


def _behind(key: tuple[str, ...]) -> str:
    """The condition that the key comes after ``:k0, :k1…``; MariaDB has no index for tuples."""
    first = f"{key[0]} > :k0"
    if len(key) == 1:
        return first
    deeper = " OR ".join(
        " AND ".join([*(f"{key[i]} = :k{i}" for i in range(depth)), f"{key[depth]} > :k{depth}"])
        for depth in range(1, len(key))
    )
    return f"{key[0]} >= :k0 AND ({first} OR {deeper})"
