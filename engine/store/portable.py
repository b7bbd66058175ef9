"""Rows as they are stored, in a form that means the same on SQLite, MariaDB and MySQL.

A portable row is a JSON array of the stored values in the order of the table's columns: texts,
whole numbers, NULL, instants as the text in which SQLite keeps them, bytes in base 64. The tables
are read from the database itself, not from the mapped classes, so that rows of an older version's
tables can be moved as well.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Float, MetaData, Table

from engine.store.rows import AT_ONCE
from engine.store.uow import ReadSession, Work

BATCH_BYTES = 2_000_000
"""How much is read, or written in one transaction, at a time."""
MOST_ROWS = 2_000
_FIRST_ROWS = 50
_NOT_OURS = frozenset({"alembic_version"})


class RowUnreadable(Exception):
    """The database gave a row that is not JSON; the message names the table."""


@dataclass(frozen=True)
class PortableTable:
    """A table's columns: `packed` come as one JSON text, `floats` and `blobs` by themselves."""

    name: str
    key: tuple[str, ...]
    packed: tuple[str, ...]
    floats: tuple[str, ...]
    blobs: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.packed + self.floats + self.blobs


def portable_tables(connection: Connection) -> list[PortableTable]:
    """Every table of the product, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [portable(table) for table in found.sorted_tables if table.name not in _NOT_OURS]


def portable(table: Table) -> PortableTable:
    """A table as its portable rows show it."""
    floats = [each.name for each in table.columns if isinstance(each.type, Float)]
    blobs = [each.name for each in table.columns if each.type.python_type is bytes]
    apart = {*floats, *blobs}
    return PortableTable(
        table.name,
        tuple(each.name for each in table.primary_key.columns),
        tuple(each.name for each in table.columns if each.name not in apart),
        tuple(floats),
        tuple(blobs),
    )


def read_lines(session: ReadSession, table: PortableTable) -> Iterator[list[str]]:
    """All rows of the table in the order of its key, some at a time, each a line of JSON.

    Raises RowUnreadable.
    """
    after: tuple[Any, ...] | None = None
    size = _FIRST_ROWS
    while True:
        rows = _read(session, table, after, size)
        if not rows:
            return
        lines = [_line(table, row) for row in rows]
        yield lines
        if len(rows) < size:
            return
        last = json.loads(lines[-1])
        after = tuple(last[table.columns.index(name)] for name in table.key)
        size = _next_size(size, sum(map(len, lines)))


def _next_size(size: int, read: int) -> int:
    """As many rows as make a batch, judged by the last one."""
    return max(1, min(MOST_ROWS, 2 * size, size * BATCH_BYTES // max(read, 1)))


def _read(
    session: ReadSession, table: PortableTable, after: tuple[Any, ...] | None, size: int
) -> Sequence[Any]:
    connection = session.connection()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    sql, values = select_of(table), ()
    if after is not None:
        condition, values = _behind(table.key, after, mark)
        sql += f" WHERE {condition}"
    sql += f" ORDER BY {', '.join(_quoted(table.key))} LIMIT {size}"
    return connection.exec_driver_sql(sql, values).fetchall()


def select_of(table: PortableTable) -> str:
    """The SELECT of all portable rows of the table, to which a WHERE may be added."""
    listed = [f"JSON_ARRAY({', '.join(_quoted(table.packed))})"]
    # As text a FLOAT would lose digits.
    listed += [f"CAST({name} AS DOUBLE)" for name in _quoted(table.floats)]
    listed += _quoted(table.blobs)
    return f"SELECT {', '.join(listed)} FROM `{table.name}`"  # noqa: S608


def stored_values(table: PortableTable, row: Sequence[Any]) -> list[Any]:
    """The values of a row of `select_of`, in the order of the columns; bytes as they are.

    Raises RowUnreadable.
    """
    try:
        values: list[Any] = json.loads(row[0])
    except (TypeError, ValueError) as error:
        raise RowUnreadable(table.name) from error
    return values + list(row[1:])


def _quoted(names: Sequence[str]) -> list[str]:
    return [f"`{name}`" for name in names]


def _behind(key: tuple[str, ...], after: tuple[Any, ...], mark: str) -> tuple[str, tuple[Any, ...]]:
    """The condition that a row's key comes after `after`; MariaDB has no index for tuples."""
    first, *rest = _quoted(key)
    if not rest:
        return f"{first} > {mark}", after
    deeper, values = f"{first} > {mark}", [after[0]]
    for depth in range(1, len(key)):
        same = " AND ".join(f"{name} = {mark}" for name in _quoted(key[:depth]))
        deeper += f" OR ({same} AND `{key[depth]}` > {mark})"
        values += after[: depth + 1]
    return f"{first} >= {mark} AND ({deeper})", (after[0], *values)


def _line(table: PortableTable, row: Sequence[Any]) -> str:
    text = row[0]
    if len(row) > 1:
        apart = [
            base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for value in row[1:]
        ]
        text = f"{str(text)[:-1]},{json.dumps(apart)[1:]}"
    try:
        # Also seen here: a row that was too large for the server came as NULL.
        if len(json.loads(text)) == len(table.columns):
            return str(text)
    except (TypeError, ValueError):
        pass
    raise RowUnreadable(table.name)


@dataclass(frozen=True)
class PutRows:
    """Portable rows to insert into a table, each with its values in the order of `columns`."""

    table: PortableTable
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def put_rows(work: Work, command: PutRows) -> None:
    """Insert the rows."""
    blobs = [number for number, name in enumerate(command.columns) if name in command.table.blobs]
    rows = [list(row) for row in command.rows]
    for row in rows:
        for number in blobs:
            if row[number] is not None:
                row[number] = base64.b64decode(row[number])
    insert_stored(work, command.table.name, command.columns, rows)


def insert_stored(
    work: Work, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows of stored values; bytes as they are."""
    into = f"`{table}` ({', '.join(_quoted(columns))})"
    places = f"({', '.join(['%s'] * len(columns))})"
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        all_places = ", ".join([places] * len(some))
        values = [value for row in some for value in row]
        work.rows.later(f"INSERT INTO {into} VALUES {all_places}", *values)  # noqa: S608
