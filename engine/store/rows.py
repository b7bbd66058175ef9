"""Rows of a step, read and written in few round trips.

The object-relational session sends a statement for each row and spends most of a step's time on
it. A step knows beforehand what it reads, and writes everything at its end: `fetch` sends its
queries together, and `flush` all changes. Rows are the mapped classes of `engine.store.tables`,
without a session; what is set on them is written by `flush`.

On MySQL several statements go in one packet, so the connection must allow that (`MULTI_STATEMENTS`)
and no text from outside ever becomes part of a statement except as a literal that the driver has
escaped. A query's row comes back as one JSON array: PyMySQL reads one column three times as fast
as thirty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import Boolean, Connection, LargeBinary, Table, inspect
from sqlalchemy.orm import Mapper

from engine.store.tables.base import Base, Instant, Json, dump_json

T = TypeVar("T", bound=Base)
Value = Any
Statement = tuple[str, Sequence[Value]]
COMPOUND, COMPOUND_END = "BEGIN NOT ATOMIC\n", "\nEND"
"""What makes several statements one on MariaDB; MySQL has no such thing."""
AT_ONCE = 500
"""Rows of one INSERT, so that a packet stays far below the server's limit."""


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
class _Shape:
    """How the rows of one table are read and written."""

    table: str
    insert: str
    """Table and columns of an INSERT."""
    keys: tuple[str, ...]
    key_columns: tuple[str, ...]
    packed: tuple[tuple[str, Callable[[Any], Any]], ...]
    """The attributes that come in the JSON array, with how to read each."""
    bare: tuple[str, ...]
    """The attributes that come as columns of their own: bytes."""
    writers: Mapping[str, Callable[[Any], Any]]
    """How each attribute that can be written is written, in the order of the columns."""
    defaults: Mapping[str, Any]
    names: Mapping[str, str]


@dataclass(frozen=True)
class Join:
    """Rows of several `entities` by alias, from ``tables`` (FROM and WHERE), as one result."""

    entities: Mapping[str, type[Base]]
    tables: str
    params: Sequence[Value] = ()
    lock: bool = False


class Rows:
    """The rows of one transaction on `connection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._mysql = connection.dialect.name in ("mysql", "mariadb")
        self._compound = getattr(connection.dialect, "is_mariadb", False)
        self._known: dict[tuple[type[Base], tuple[Any, ...]], Base] = {}
        self._before: dict[int, dict[str, Any]] = {}
        self._added: list[tuple[type[Base], dict[str, Any], bool, bool]] = []
        self._inserted: list[tuple[type[Base], dict[str, Any]]] = []
        self._written: set[int] = set()
        self._deferred: list[Statement] = []
        self.statements = 0
        """How many statements were sent."""

    # Reading

    def fetch(self, *queries: Query) -> list[list[Any]]:
        """The rows of each query, all in one round trip. A row read before is the same object."""
        statements = [self._select(query) for query in queries]
        results = self._send(statements, reading=True)
        return [
            [self._loaded(query.entity, row) for row in rows]
            for query, rows in zip(queries, results, strict=True)
        ]

    def joined(self, join: Join) -> list[tuple[Any, ...]]:
        """The rows of a join, each as one row of every entity."""
        columns = ", ".join(_columns(entity, alias) for alias, entity in join.entities.items())
        sql = f"SELECT {columns} FROM {join.tables}"  # noqa: S608
        if self._mysql and join.lock:
            sql += " FOR UPDATE"
        found = []
        for row in self._send([(sql, join.params)], reading=True)[0]:
            made, start = [], 0
            for entity in join.entities.values():
                end = start + 1 + len(_shape(entity).bare)
                made.append(self._loaded(entity, row[start:end]))
                start = end
            found.append(tuple(made))
        return found

    def select(self, entity: type[T], where: str, *params: Value, lock: bool = False) -> list[T]:
        """The rows of one query."""
        return cast("list[T]", self.fetch(Query(entity, where, params, lock))[0])

    def first(self, entity: type[T], where: str, *params: Value, lock: bool = False) -> T | None:
        found = self.select(entity, f"{where} LIMIT 1", *params, lock=lock)
        return found[0] if found else None

    def known(self, entity: type[T], *key: Any) -> T | None:
        """The row with this primary key if it was read or added before."""
        return cast("T | None", self._known.get((entity, key)))

    def know(self, entity: type[Base], values: dict[str, Any]) -> None:
        """Take a row as read that was read or written in an earlier transaction."""
        row = entity()
        row.__dict__.update(values)
        self._known[entity, tuple(values[key] for key in _shape(entity).keys)] = row
        self._before[id(row.__dict__)] = dict(values)

    def values_of(self, row: Base) -> dict[str, Any]:
        """The row's values by attribute."""
        fields = row.__dict__
        return {name: fields.get(name) for name in _shape(type(row)).writers}

    def inserted(self, entity: type[Base]) -> list[dict[str, Any]]:
        """The complete values of the rows of `entity` that were inserted by `insert`."""
        names = _shape(entity).writers
        defaults = _shape(entity).defaults
        return [
            {name: values.get(name, defaults.get(name)) for name in names}
            for kind, values in self._inserted
            if kind is entity
        ]

    def was_written(self, row: Base) -> bool:
        """Whether the row was inserted or updated here."""
        return id(row.__dict__) in self._written

    def all_known(self, entity: type[T]) -> list[T]:
        """The rows of `entity` that were read or added before."""
        return [cast("T", row) for (kind, _), row in self._known.items() if kind is entity]

    def get(self, entity: type[T], *key: Any) -> T | None:
        """The row with this primary key, as read before or read now."""
        known = self._known.get((entity, key))
        if known is not None:
            return cast("T", known)
        where = " AND ".join(f"`{name}` = %s" for name in _shape(entity).key_columns)
        found = self.select(entity, where, *key)
        return found[0] if found else None

    def get_one(self, entity: type[T], *key: Any) -> T:
        """As `get`. Raises LookupError if there is none."""
        found = self.get(entity, *key)
        if found is None:
            raise LookupError(entity.__tablename__, key)
        return found

    def values(self, sql: str, *params: Value) -> list[tuple[Any, ...]]:
        """The rows of any SELECT, as the driver gives them."""
        return self._send([(sql, params)], reading=True)[0]

    # Writing

    def add(self, row: Base) -> None:
        """Insert the row with the next `flush`."""
        entity, shape = type(row), _shape(type(row))
        self._added.append((entity, row.__dict__, False, True))
        self._known[entity, tuple(row.__dict__[key] for key in shape.keys)] = row

    def insert(
        self, entity: type[Base], values: dict[str, Any], *, unless_known: bool = False
    ) -> None:
        """Insert a row nobody reads again here; with `unless_known` only if its keys are new."""
        self._added.append((entity, values, unless_known, False))

    def later(self, sql: str, *params: Value) -> None:
        """Run a statement with the next `flush`, after all rows were inserted and updated."""
        self._deferred.append((sql, params))

    def forget(self, row: Base) -> None:
        """Do not write what was set on the row."""
        self._before.pop(id(row.__dict__), None)

    def flush(self) -> None:
        """Send every change."""
        self._send(self.changes())

    def flush_and_commit(self) -> None:
        """Send every change and commit, in one round trip where the database can."""
        statements = self.changes()
        if self._mysql:
            self._send([*statements, ("COMMIT", ())])
            return
        self._send(statements)
        self._connection.commit()

    def changes(self) -> list[Statement]:
        """The statements for all that has changed; it counts as sent."""
        statements = [*self._inserts(), *self._updates(), *self._deferred]
        self._deferred = []
        return statements

    def drop(self) -> None:
        """Forget every change that was not sent, and every row that was read."""
        self._added, self._deferred = [], []
        self._known, self._before = {}, {}

    def _inserts(self) -> list[Statement]:
        groups: dict[tuple[type[Base], bool], list[dict[str, Any]]] = {}
        for entity, values, unless_known, kept in self._added:
            groups.setdefault((entity, unless_known), []).append(values)
            if not unless_known and not kept:
                self._inserted.append((entity, values))
            if kept:
                self._written.add(id(values))
                shape = _shape(entity)
                for name in shape.writers:
                    values.setdefault(name, shape.defaults.get(name))
                self._before[id(values)] = {name: values[name] for name in shape.writers}
        self._added = []
        order, statements = _insert_order(), []
        for (entity, unless_known), rows in sorted(
            groups.items(), key=lambda each: order[each[0][0].__tablename__]
        ):
            for start in range(0, len(rows), AT_ONCE):
                some = rows[start : start + AT_ONCE]
                statements.append(self._insert(_shape(entity), some, unless_known))
        return statements

    def _insert(self, shape: _Shape, rows: list[dict[str, Any]], unless_known: bool) -> Statement:
        params: list[Any] = []
        for fields in rows:
            for name, write in shape.writers.items():
                value = fields.get(name, shape.defaults.get(name))
                params.append(None if value is None else write(value))
        places = f"({', '.join(['%s'] * len(shape.writers))})"
        sql = f"INSERT INTO {shape.insert} VALUES {', '.join([places] * len(rows))}"  # noqa: S608
        if unless_known:
            key = shape.key_columns[0]
            sql += (
                f" ON DUPLICATE KEY UPDATE `{key}` = `{key}`"
                if self._mysql
                else " ON CONFLICT DO NOTHING"
            )
        return sql, params

    def _updates(self) -> list[Statement]:
        statements: list[Statement] = []
        for row in self._known.values():
            before = self._before.get(id(row.__dict__))
            if before is None:
                continue
            fields, shape = row.__dict__, _shape(type(row))
            changed = [name for name, value in before.items() if fields.get(name) != value]
            if not changed:
                continue
            params = []
            for name in changed:
                value = fields.get(name)
                params.append(None if value is None else shape.writers[name](value))
                before[name] = value
            self._written.add(id(fields))
            sets = ", ".join(f"`{shape.names[name]}` = %s" for name in changed)
            where = " AND ".join(f"`{name}` = %s" for name in shape.key_columns)
            params += [fields[key] for key in shape.keys]
            sql = f"UPDATE {shape.table} SET {sets} WHERE {where}"  # noqa: S608
            statements.append((sql, params))
        return statements

    def _is_changed(self, row: Base, names: Iterable[str]) -> bool:
        before = self._before.get(id(row.__dict__))
        return before != {name: row.__dict__.get(name) for name in names}

    # The wire

    def _select(self, query: Query) -> Statement:
        table = _shape(query.entity).table
        sql = f"SELECT {_columns(query.entity, table)} FROM {table} WHERE {query.where}"  # noqa: S608
        if self._mysql and query.skip_locked:
            sql += " FOR UPDATE SKIP LOCKED"
        elif self._mysql and query.lock:
            sql += " FOR UPDATE"
        return sql, query.params

    def _loaded(self, entity: type[Base], row: Sequence[Any]) -> Base:
        shape = _shape(entity)
        values = json.loads(row[0])
        made = {
            name: None if value is None else read(value)
            for (name, read), value in zip(shape.packed, values, strict=True)
        }
        for name, value in zip(shape.bare, row[1:], strict=True):
            made[name] = value
        key = tuple(made[name] for name in shape.keys)
        known = self._known.get((entity, key))
        if known is None:
            known = self._known[entity, key] = entity()
        elif self._before.get(id(known.__dict__)) != {
            name: known.__dict__.get(name) for name in made
        }:
            # Changed here and not yet sent: what was read is older.
            return known
        known.__dict__.update(made)
        self._before[id(known.__dict__)] = made
        return known

    def _send(
        self, statements: Sequence[Statement], reading: bool = False
    ) -> list[list[tuple[Any, ...]]]:
        if not statements:
            return []
        self.statements += len(statements)
        cursor = self._connection.connection.cursor()
        try:
            if self._mysql:
                return self._send_mysql(cursor, statements, reading)
            found: list[list[tuple[Any, ...]]] = []
            for sql, params in statements:
                text, plain = _for_sqlite(sql, params)
                cursor.execute(text, plain)
                found.append(list(cursor.fetchall()) if reading else [])
            return found
        finally:
            cursor.close()

    def _send_mysql(
        self, cursor: Any, statements: Sequence[Statement], reading: bool
    ) -> list[list[tuple[Any, ...]]]:
        # The driver's own escaping, which knows the session's SQL mode.
        quoted = cursor.connection.escape
        text = ";\n".join([_for_mysql(sql, params, quoted) for sql, params in statements])
        if self._compound and not reading and len(statements) > 1:
            # One answer instead of one for each: half the time of writing goes with them.
            cursor.execute(f"{COMPOUND}{text};{COMPOUND_END}")
            return []
        cursor.execute(text)
        found = [list(cursor.fetchall())]
        while cursor.nextset():
            found.append(list(cursor.fetchall()))
        return found


def _for_mysql(sql: str, params: Sequence[Value], quoted: Callable[[str], str]) -> str:
    return sql % tuple([_literal(value, quoted) for value in params]) if params else sql


def _literal(value: Value, quoted: Callable[[str], str]) -> str:
    kind = type(value)
    if kind is str:
        # Most texts are identifiers and have nothing to escape.
        return f"'{value}'" if value.isalnum() and value.isascii() else quoted(value)
    if value is None:
        return "NULL"
    if kind is datetime:
        return f"'{_stored(value)}'"
    if kind is int:
        return str(value)
    if kind is bytes:
        return "X'" + value.hex() + "'"
    if kind is bool:
        return "1" if value else "0"
    if kind is float:
        return repr(value)
    if isinstance(value, list | tuple | set | frozenset):
        return f"({','.join([_literal(each, quoted) for each in value])})"
    raise TypeError(f"{kind.__name__} cannot be written")


def _for_sqlite(sql: str, params: Sequence[Value]) -> tuple[str, list[Any]]:
    plain: list[Any] = []
    places = []
    for value in params:
        if isinstance(value, list | tuple | set | frozenset):
            places.append(f"({','.join('?' * len(value))})")
            plain += value
        else:
            places.append("?")
            plain.append(_stored(value) if isinstance(value, datetime) else value)
    text = sql.replace("STRAIGHT_JOIN", "CROSS JOIN")  # the word for it that SQLite has
    return text % tuple(places) if params else text, plain


def _stored(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("only aware times are stored")
    aware = value if value.tzinfo is UTC else value.astimezone(UTC)
    text: str = aware.replace(tzinfo=None).isoformat(" ", timespec="microseconds")
    return text


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _number(value: bool) -> int:
    return int(value)


def _same(value: Any) -> Any:
    return value


@lru_cache(maxsize=128)
def _shape(entity: type[Base]) -> _Shape:
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
    return _Shape(
        table=f"`{table.name}`",
        insert=f"`{table.name}` ({', '.join(f'`{names[each]}`' for each in writers)})",
        keys=tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key),
        key_columns=tuple(column.name for column in mapper.primary_key),
        packed=tuple(packed),
        bare=tuple(bare),
        writers=writers,
        defaults=defaults,
        names=names,
    )


@lru_cache(maxsize=256)
def _columns(entity: type[Base], alias: str) -> str:
    """What is selected of the entity's table under this name: the JSON array, then the bytes."""
    shape = _shape(entity)
    array = ", ".join(f"{alias}.`{shape.names[name]}`" for name, _ in shape.packed)
    return f"JSON_ARRAY({array})" + "".join(
        f", {alias}.`{shape.names[name]}`" for name in shape.bare
    )


@lru_cache(maxsize=1)
def _insert_order() -> Mapping[str, int]:
    tables: Iterable[Any] = Base.metadata.sorted_tables
    return {table.name: number for number, table in enumerate(tables)}
