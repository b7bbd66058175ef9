"""How rows and values travel: table shapes, literals for MySQL, parameters for SQLite.

A row comes back as one JSON array, and bytes beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import FunctionType
from typing import Any, cast

from sqlalchemy import Boolean, LargeBinary, Table, inspect
from sqlalchemy.orm import Mapper

from engine.store.tables.base import Base, Instant, Json, dump_json

Value = Any
_HINT = re.compile(r" USE INDEX \(\w+\)")


@dataclass(frozen=True)
class Shape:
    """How the rows of one table are read and written."""

    table: str
    columns: tuple[str, ...]
    """Every column that can be written, in quotes."""
    omissible: frozenset[int]
    """The places of those that are NULL when an INSERT leaves them out."""
    keys: tuple[str, ...]
    key_columns: tuple[str, ...]
    packed: tuple[tuple[str, Callable[[Any], Any]], ...]
    """The attributes that come in the JSON array, with how to read each."""
    bare: tuple[str, ...]
    """The attributes that come as columns of their own: bytes."""
    writers: Mapping[str, Callable[[Any], Any]]
    """How each attribute that can be written is written, in the order of the columns."""
    changing: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Of these the ones that are not written as they are, by their place."""
    blank: Mapping[str, Any]
    """Every attribute that can be written, with its default."""
    defaults: Mapping[str, Any]
    names: Mapping[str, str]
    record: type[Any]
    """What a row that was read is an instance of: like the mapped class, with plain attributes."""

    def written(self, values: Mapping[str, Any]) -> list[Any]:
        """What is written of a row, in the order of the columns; what is left out is default."""
        # Whatever else an object carries comes after the columns.
        row = list({**self.blank, **values}.values())[: len(self.blank)]
        for place, write in self.changing:
            if row[place] is not None:
                row[place] = write(row[place])
        return row


def for_mysql(sql: str, params: Sequence[Value], quoted: Callable[[str], str]) -> str:
    return sql % tuple(literals(params, quoted)) if params else sql


def literals(values: Iterable[Value], quoted: Callable[[str], str]) -> list[str]:
    """Values as they stand in a statement; `quoted` is the driver's escaping of texts."""
    made = []
    instant, written = None, ""
    for value in values:
        kind = type(value)
        if kind is str:
            # Most texts are identifiers and have nothing to escape.
            plain = value.isalnum() and value.isascii()
            made.append(f"'{value}'" if plain else quoted(value))
        elif value is None:
            made.append("NULL")
        elif kind is datetime:
            if value is not instant:  # most are the instant of the step
                instant, written = value, f"'{stored_instant(value)}'"
            made.append(written)
        else:
            write = _LITERALS.get(kind)
            made.append(write(value) if write is not None else _listed(value, quoted))
    return made


_LITERALS: Mapping[type, Callable[[Any], str]] = {
    int: str,
    bytes: lambda value: f"X'{value.hex()}'",
    bool: lambda value: "1" if value else "0",
    float: repr,
}


def _listed(value: Value, quoted: Callable[[str], str]) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return f"({','.join(literals(value, quoted))})"
    raise TypeError(f"{type(value).__name__} cannot be written")


def for_sqlite(sql: str, params: Sequence[Value]) -> tuple[str, list[Any]]:
    plain: list[Any] = []
    places = []
    for value in params:
        if isinstance(value, list | tuple | set | frozenset):
            places.append(f"({','.join('?' * len(value))})")
            plain += value
        else:
            places.append("?")
            plain.append(stored_instant(value) if isinstance(value, datetime) else value)
    # SQLite has another word for the one, and takes no hints.
    text = _HINT.sub("", sql.replace("STRAIGHT_JOIN", "CROSS JOIN"))
    return text % tuple(places) if params else text, plain


def stored_instant(value: datetime) -> str:
    """An aware instant as it stands in a column. Raises ValueError for a naive one."""
    if value.tzinfo is None:
        raise ValueError("only aware times are stored")
    aware = value if value.tzinfo is UTC else value.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat(" ", timespec="microseconds")


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _number(value: bool) -> int:
    return int(value)


def _same(value: Any) -> Any:
    return value


@lru_cache(maxsize=128)
def shape_of(entity: type[Base]) -> Shape:
    mapper: Mapper[Any] = inspect(entity)
    table = cast("Table", mapper.local_table)
    names: dict[str, str] = {}
    packed: list[tuple[str, Callable[[Any], Any]]] = []
    bare: list[str] = []
    writers: dict[str, Callable[[Any], Any]] = {}
    defaults: dict[str, Any] = {}
    for column in table.columns:
        name = mapper.get_property_by_column(column).key
        names[name] = column.name
        if column.computed is not None:
            continue
        kind = column.type
        read: Callable[[Any], Any] = _same
        writers[name] = _same
        if isinstance(kind, LargeBinary):
            bare.append(name)
        else:
            if isinstance(kind, Instant):
                read = _instant
            elif isinstance(kind, Json):
                read, writers[name] = json.loads, dump_json
            elif isinstance(kind, Boolean):
                read, writers[name] = bool, _number
            packed.append((name, read))
        default: Any = column.default
        if default is not None:
            defaults[name] = default.arg(None) if default.is_callable else default.arg
    blank = {name: defaults.get(name) for name in writers}
    return Shape(
        table=f"`{table.name}`",
        columns=tuple(f"`{names[each]}`" for each in writers),
        omissible=frozenset(
            place
            for place, each in enumerate(writers)
            if (column := table.columns[names[each]]).nullable and column.server_default is None
        ),
        keys=tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key),
        key_columns=tuple(column.name for column in mapper.primary_key),
        packed=tuple(packed),
        bare=tuple(bare),
        writers=writers,
        changing=tuple(
            (place, write) for place, write in enumerate(writers.values()) if write is not _same
        ),
        blank=blank,
        defaults=defaults,
        names=names,
        record=_record(entity),
    )


def _record(entity: type[Base]) -> type[Any]:
    """A class that passes for `entity` and has its methods, without what the session needs."""
    own = {
        name: value
        for name, value in vars(entity).items()
        if isinstance(value, property | FunctionType) and not name.startswith("_")
    }
    own |= {"__tablename__": entity.__tablename__, "__class__": property(lambda self: entity)}
    return type(entity.__name__, (), own)


@lru_cache(maxsize=256)
def columns_of(entity: type[Base], alias: str) -> str:
    """What is selected of the entity's table under this name: the JSON array, then the bytes."""
    shape = shape_of(entity)
    array = ", ".join(f"{alias}.`{shape.names[name]}`" for name, _ in shape.packed)
    return f"JSON_ARRAY({array})" + "".join(
        f", {alias}.`{shape.names[name]}`" for name in shape.bare
    )


@lru_cache(maxsize=1)
def insert_order() -> Mapping[str, int]:
    tables: Iterable[Any] = Base.metadata.sorted_tables
    return {table.name: number for number, table in enumerate(tables)}
