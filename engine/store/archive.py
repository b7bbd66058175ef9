"""The packed record of a closed case: all its rows in one compressed, hashed body.

A body is zstd(msgpack) of the stored values of each row, by table, with the names of the columns
they had then. A column that came later has its default; one that is gone is passed over. What
changes the meaning of a column needs another `FORMAT`, and a reader for the one before.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgpack
import zstandard
from sqlalchemy import Table, inspect

from engine.kernel.errors import ArchiveDamaged
from engine.store.portable import PortableTable, portable
from engine.store.tables import (
    AccessRecord,
    ArchivedCase,
    ArchivedDepartment,
    Base,
    CaseState,
    ClockEntry,
    ClockRow,
    Document,
    Draft,
    Event,
    ExternalJob,
    Incident,
    Job,
    Letter,
    Message,
    Notice,
    Rating,
    Subscription,
    Suggestion,
    Task,
    TaskMove,
    VariableNote,
)
from engine.store.wire import shape_of

FORMAT = 1
MAX_BYTES = 200_000_000
PACKED: tuple[type[Base], ...] = (
    CaseState,
    ClockEntry,
    ClockRow,
    Event,
    ExternalJob,
    Incident,
    Job,
    Letter,
    Notice,
    Subscription,
    Suggestion,
    Task,
    TaskMove,
    VariableNote,
)
"""The tables whose rows of a case go into its archived body."""
LEFT: Mapping[type[Base], str] = {
    AccessRecord: "who looked at a case is not of the case",
    ArchivedCase: "the body itself",
    ArchivedDepartment: "who finds the case",
    Document: "names an uploaded file, which stays where it is",
    Draft: "the citizen's own, and small",
    Message: "its unique key is promised for ever",
    Rating: "small, and counted in the office's figures",
}
"""The tables with rows of cases that stay, and why."""
_LEVEL = 3
_local = threading.local()

T = TypeVar("T", bound=Base)
Stored = tuple[list[str], list[list[Any]]]
"""Columns, and rows of the values as they are stored."""


@lru_cache(maxsize=1)
def packed_tables() -> Mapping[type[Base], PortableTable]:
    return {entity: portable(cast("Table", inspect(entity).local_table)) for entity in PACKED}


def pack(rows: Mapping[str, Stored]) -> tuple[bytes, str]:
    """The body of the rows by table, and its SHA-256."""
    body = _codec()[0].compress(msgpack.packb({name: list(each) for name, each in rows.items()}))
    return body, hashlib.sha256(body).hexdigest()


def unpack(row: ArchivedCase | None) -> dict[str, Stored]:
    """The stored rows by table. Raises ArchiveDamaged."""
    if row is None or row.format != FORMAT:
        raise ArchiveDamaged
    if hashlib.sha256(row.body).hexdigest() != row.sha256:
        raise ArchiveDamaged
    try:
        raw = _codec()[1].decompress(row.body, max_output_size=MAX_BYTES)
        return {name: (columns, rows) for name, (columns, rows) in msgpack.unpackb(raw).items()}
    except (zstandard.ZstdError, ValueError, TypeError) as error:
        raise ArchiveDamaged from error


def mapped(entity: type[T], stored: Stored | None) -> list[T]:
    """The stored rows as rows of the mapped class, without a session."""
    if stored is None:
        return []
    shape = shape_of(entity)
    readers, names = dict(shape.packed), {column: name for name, column in shape.names.items()}
    known = [(names.get(column), number) for number, column in enumerate(stored[0])]
    made = []
    for values in stored[1]:
        row = entity()
        fields = row.__dict__
        fields.update(shape.defaults)
        for name, number in known:
            if name is not None:
                value = values[number]
                read = readers.get(name)
                fields[name] = value if value is None or read is None else read(value)
        for name in shape.writers:
            fields.setdefault(name, None)
        made.append(row)
    return made


def as_now(entity: type[Base], stored: Stored) -> Stored:
    """The stored rows with the columns that the table has now."""
    columns = list(packed_tables()[entity].columns)
    if stored[0] == columns:
        return stored
    shape = shape_of(entity)
    writers = [(name, shape.writers[name]) for name in shape.writers]
    rows = [
        [None if (value := row.__dict__[name]) is None else write(value) for name, write in writers]
        for row in mapped(entity, stored)
    ]
    return [shape.names[name] for name, _ in writers], rows


def grouped(table: PortableTable, rows: Iterable[Sequence[Any]]) -> dict[str, list[list[Any]]]:
    """Rows of stored values by their case."""
    place = table.columns.index("case_id")
    found: dict[str, list[list[Any]]] = {}
    for row in rows:
        found.setdefault(row[place], []).append(list(row))
    return found


def _codec() -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    if not hasattr(_local, "codec"):
        _local.codec = zstandard.ZstdCompressor(level=_LEVEL), zstandard.ZstdDecompressor()
    made: tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor] = _local.codec
    return made
