"""Putting very many made-up rows into an empty database, faster than any use case could.

For demonstrations and measurements only: nothing here is one transaction, and what is broken off
is to be thrown away. Rows travel as lines of text, tab between the columns, as ``LOAD DATA``
reads them; where a server does not take that, and on SQLite, the same lines become INSERTs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pymysql
from sqlalchemy import Engine, LargeBinary, Table, text

from engine.store.pools import patiently
from engine.store.tables.base import Base
from engine.store.wire import shape_of, stored_instant

NULL = "\\N"
_NO_LOCAL_FILES = {1148, 2068, 3948, 4166}
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})


class LineTemplate:
    """Lines for a table of which most columns are the same each time.

    `line` takes the columns of the `varying` attributes in their order, as `column` makes them:
    what stands in several lines is made once.
    """

    def __init__(
        self, entity: type[Base], constant: Mapping[str, Any], varying: Sequence[str] = ()
    ) -> None:
        shape = shape_of(entity)
        parts = []
        for name, write in shape.writers.items():
            if name in varying:
                parts.append(f"{{{varying.index(name)}}}")
            else:
                value = constant.get(name, shape.defaults.get(name))
                written = column(None if value is None else write(value))
                parts.append(written.replace("{", "{{").replace("}", "}}"))
        self.line: Callable[..., str] = ("\t".join(parts) + "\n").format


def column(value: Any) -> str:
    """A value as it stands in a line; JSON must be text already."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return value.translate(_ESCAPED)
    if isinstance(value, datetime):
        return stored_instant(value)
    return value.hex() if isinstance(value, bytes) else str(int(value))


class BulkLoader:
    """Loads lines over a connection of its own; to be used by one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._local_files = not self._sqlite
        self._connection: Any = None

    def __enter__(self) -> BulkLoader:
        if self._sqlite:
            pooled = self._engine.raw_connection()
            self._connection = pooled.driver_connection
            # What is set on it must not come back to the pool.
            pooled.detach()
            self._connection.execute("PRAGMA foreign_keys=OFF")
        else:
            url = self._engine.url
            self._connection = pymysql.connect(
                host=url.host, port=url.port or 3306, user=url.username,
                password=str(url.password or ""), database=url.database, charset="utf8mb4",
                autocommit=True, local_infile=True,
            )  # fmt: skip
            self._execute("SET unique_checks = 0, foreign_key_checks = 0")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def load(self, entity: type[Base], lines: str) -> None:
        """Insert the rows of `lines`, made by templates for `entity`."""
        if self._local_files:
            try:
                self._load_file(entity, lines)
                return
            except pymysql.MySQLError as error:
                if error.args[0] not in _NO_LOCAL_FILES:
                    raise
                self._local_files = False
        self._insert(entity, lines)

    def _load_file(self, entity: type[Base], lines: str) -> None:
        columns, sets = [], []
        for name, column in _columns(entity):
            if isinstance(column.type, LargeBinary):
                columns.append(f"@{name}")
                sets.append(f"`{name}` = UNHEX(@{name})")
            else:
                columns.append(f"`{name}`")
        with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            self._execute(
                f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE `{entity.__tablename__}` "
                f"CHARACTER SET utf8mb4 ({', '.join(columns)})"
                + (f" SET {', '.join(sets)}" if sets else "")
            )

    def _insert(self, entity: type[Base], lines: str) -> None:
        columns = _columns(entity)
        names = ", ".join(f"`{name}`" for name, _ in columns)
        place = "?" if self._sqlite else "%s"
        places = ", ".join([place] * len(columns))
        sql = f"INSERT INTO `{entity.__tablename__}` ({names}) VALUES ({places})"  # noqa: S608
        binary = [isinstance(column.type, LargeBinary) for _, column in columns]
        rows = [
            [_value(field, is_binary) for field, is_binary in zip(line, binary, strict=True)]
            for line in (line.split("\t") for line in lines.split("\n")[:-1])
        ]
        cursor = self._connection.cursor()
        if self._sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany(sql, rows)
        if self._sqlite:
            cursor.execute("COMMIT")

    def _execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)


def _columns(entity: type[Base]) -> list[tuple[str, Any]]:
    shape, table = shape_of(entity), entity.__table__
    return [(shape.names[name], table.columns[shape.names[name]]) for name in shape.writers]


def _value(field: str, binary: bool) -> Any:
    if field == NULL:
        return None
    if binary:
        return bytes.fromhex(field)
    if "\\" not in field:
        return field
    return field.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\0", "\\")


@contextmanager
def without_indexes(engine: Engine, tables: Sequence[type[Base]]) -> Iterator[None]:
    """Drop the plain indexes of `tables` and make them anew at the end: sorted, and much faster.

    Those that a foreign key leans on stay.
    """
    if engine.dialect.name == "sqlite":
        yield
        return
    found = [(table, index) for each in tables for table, index in _plain_indexes(each.__table__)]
    with engine.begin() as connection:
        connection.execute(text("SET foreign_key_checks = 0"))
        for _, index in found:
            index.drop(connection, checkfirst=True)
    try:
        yield
    finally:
        for table in {table.name: table for table, _ in found}.values():
            _make_anew(engine, [index for each, index in found if each is table])


def _plain_indexes(table: Any) -> Iterator[tuple[Table, Any]]:
    leaned_on = {column.name for key in table.foreign_keys for column in [key.parent]}
    for index in sorted(table.indexes, key=lambda each: each.name):
        if next(iter(index.columns)).name not in leaned_on:
            yield table, index


def _make_anew(engine: Engine, indexes: Sequence[Any]) -> None:
    """All indexes of a table in one statement, which reads it once."""
    table = indexes[0].table.name
    parts = [
        f"ADD INDEX `{index.name}` ({', '.join(f'`{column.name}`' for column in index.columns)})"
        for index in indexes
    ]
    with patiently(engine) as connection:
        connection.execute(text(f"ALTER TABLE `{table}` {', '.join(parts)}"))
