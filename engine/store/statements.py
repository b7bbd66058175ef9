"""The statements by which rows are read and written, with ``%s`` for each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.store.tables.base import Base
from engine.store.wire import Shape, Value, columns_of, shape_of

Statement = tuple[str, Sequence[Value]]


@dataclass(frozen=True)
class Query:
    """Rows of `entity` that meet `where`, with ``%s`` for each of `params`.

    `where` may go on with ORDER BY and LIMIT. `lock` keeps others from changing the rows;
    ``SKIP LOCKED`` passes over those that others hold.
    """

    entity: type[Base]
    where: str
    params: Sequence[Value] = ()
    lock: bool = False
    skip_locked: bool = False


@dataclass(frozen=True)
class Join:
    """Rows of several `entities` by alias, from ``tables`` (FROM and WHERE), as one result.

    `lock` and `skip_locked` as for a `Query`.
    """

    entities: Mapping[str, type[Base]]
    tables: str
    params: Sequence[Value] = ()
    lock: bool = False
    skip_locked: bool = False


def select(query: Query, mysql: bool) -> Statement:
    table = shape_of(query.entity).table
    sql = f"SELECT {columns_of(query.entity, table)} FROM {table} WHERE {query.where}"  # noqa: S608
    return sql + _locking(query, mysql), query.params


def select_joined(join: Join, mysql: bool) -> Statement:
    columns = ", ".join(columns_of(entity, alias) for alias, entity in join.entities.items())
    sql = f"SELECT {columns} FROM {join.tables}"  # noqa: S608
    return sql + _locking(join, mysql), join.params


def _locking(asked: Query | Join, mysql: bool) -> str:
    if not mysql:
        return ""
    if asked.skip_locked:
        return " FOR UPDATE SKIP LOCKED"
    return " FOR UPDATE" if asked.lock else ""


def insert(
    shape: Shape, rows: Sequence[dict[str, Any]], unless_known: bool, mysql: bool
) -> Statement:
    """Insert `rows`; with `unless_known` only those whose keys are new."""
    written = [shape.written(fields) for fields in rows]
    # A long row is mostly NULL, and the server reads every one of them.
    nulls = {
        place
        for place, column in enumerate(zip(*written, strict=True))
        if place in shape.omissible and column.count(None) == len(rows)
    }
    used = [place for place in range(len(shape.columns)) if place not in nulls]
    params = [row[place] for row in written for place in used]
    sql = _insert_of(shape, [shape.columns[place] for place in used], len(rows))
    if unless_known:
        key = shape.key_columns[0]
        sql += f" ON DUPLICATE KEY UPDATE `{key}` = `{key}`" if mysql else " ON CONFLICT DO NOTHING"
    return sql, params


def overwrite(shape: Shape, rows: Sequence[dict[str, Any]]) -> Statement:
    """Write rows that are there and have changed in every column, all at once. MySQL only."""
    sql = _insert_of(shape, shape.columns, len(rows))
    params = [value for fields in rows for value in shape.written(fields)]
    sets = [f"`{name}` = VALUES(`{name}`)" for name in shape.names.values()]
    return f"{sql} ON DUPLICATE KEY UPDATE {', '.join(sets)}", params


def _insert_of(shape: Shape, columns: Sequence[str], count: int) -> str:
    places = f"({', '.join(['%s'] * len(columns))})"
    head = f"INSERT INTO {shape.table} ({', '.join(columns)})"
    return f"{head} VALUES {', '.join([places] * count)}"


def update(shape: Shape, changed: Sequence[str]) -> str:
    """Set these attributes of one row: first their values, then those of its key."""
    sets = ", ".join(f"`{shape.names[name]}` = %s" for name in changed)
    where = " AND ".join(f"`{name}` = %s" for name in shape.key_columns)
    return f"UPDATE {shape.table} SET {sets} WHERE {where}"  # noqa: S608


def delete(shape: Shape) -> str:
    """Delete the rows whose key, of one column, is in a list."""
    return f"DELETE FROM {shape.table} WHERE `{shape.key_columns[0]}` IN %s"  # noqa: S608
