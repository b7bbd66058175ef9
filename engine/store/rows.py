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
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from engine.store.statements import (
    Join,
    Query,
    Statement,
    delete,
    insert,
    overwrite,
    select,
    select_joined,
    update,
)
from engine.store.tables.base import Base
from engine.store.wire import (
    Value,
    for_mysql,
    for_sqlite,
    insert_order,
    shape_of,
)

T = TypeVar("T", bound=Base)
COMPOUND, COMPOUND_END = "BEGIN NOT ATOMIC\n", "\nEND"
"""What makes several statements one on MariaDB; MySQL has no such thing."""
AT_ONCE = 500
"""Rows of one INSERT, so that a packet stays far below the server's limit."""


class Rows:
    """The rows of one transaction on `connection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._mysql = connection.dialect.name in ("mysql", "mariadb")
        self._compound = getattr(connection.dialect, "is_mariadb", False)
        self._known: dict[tuple[type[Base], tuple[Any, ...]], Base] = {}
        self._of_case: dict[tuple[type[Base], str | None], list[Base]] = {}
        self._before: dict[int, dict[str, Any]] = {}
        self._added: list[tuple[type[Base], dict[str, Any], bool, bool]] = []
        self._inserted: list[tuple[type[Base], dict[str, Any]]] = []
        self._removed: dict[type[Base], list[Base]] = {}
        self._written: set[int] = set()
        self._deferred: list[Statement] = []
        self._gathered: dict[tuple[str, tuple[Value, ...]], list[Value]] = {}
        self._whole: set[tuple[type[Base], str]] = set()
        self._unseen: set[str] = set()
        self.statements = 0
        """How many statements were sent."""

    # Reading

    def fetch(self, *queries: Query) -> list[list[Any]]:
        """The rows of each query, all in one round trip. A row read before is the same object."""
        statements = [select(query, self._mysql) for query in queries]
        results = self._send(statements, reading=True)
        return [
            [self._loaded(query.entity, row) for row in rows]
            for query, rows in zip(queries, results, strict=True)
        ]

    def joined(self, join: Join) -> list[tuple[Any, ...]]:
        """The rows of a join, each as one row of every entity."""
        found = []
        for row in self._send([select_joined(join, self._mysql)], reading=True)[0]:
            made, start = [], 0
            for entity in join.entities.values():
                end = start + 1 + len(shape_of(entity).bare)
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
        row = shape_of(entity).record()
        row.__dict__.update(values)
        self._note(entity, tuple(values[key] for key in shape_of(entity).keys), row, values)
        self._before[id(row.__dict__)] = dict(values)

    def key_of(self, row: Base) -> tuple[Any, ...]:
        """The row's primary key."""
        return tuple(row.__dict__[name] for name in shape_of(row.__class__).keys)

    def values_of(self, row: Base) -> dict[str, Any]:
        """The row's values by attribute."""
        fields = row.__dict__
        return {name: fields.get(name) for name in shape_of(row.__class__).writers}

    def sent_values_of(self, row: Base) -> dict[str, Any]:
        """As `values_of`, once all changes were sent."""
        sent = self._before.get(id(row.__dict__))
        return dict(sent) if sent is not None else self.values_of(row)

    def inserted(self, entity: type[Base]) -> list[dict[str, Any]]:
        """The complete values of the rows of `entity` that were inserted by `insert`."""
        blank = shape_of(entity).blank
        return [{**blank, **values} for kind, values in self._inserted if kind is entity]

    def inserted_by_case(self, entity: type[Base]) -> Counter[str]:
        """How many rows of `entity` were inserted by `insert`, for each case."""
        return Counter(values["case_id"] for kind, values in self._inserted if kind is entity)

    def inserts(self, entity: type[Base]) -> bool:
        """Whether a row of `entity` is inserted here, by `insert`, sent already or not."""
        return any(kind is entity for kind, _ in self._inserted) or any(
            kind is entity for kind, *_ in self._added
        )

    def was_written(self, row: Base) -> bool:
        """Whether the row was inserted or updated here."""
        return id(row.__dict__) in self._written

    def whole(self, entity: type[Base], case_id: str) -> None:
        """All rows of `entity` that the case has, and a step may look at, are known."""
        self._whole.add((entity, case_id))

    def is_whole(self, entity: type[Base], case_id: str) -> bool:
        return (entity, case_id) in self._whole

    def known_of_case(self, entity: type[T], case_id: str | None) -> list[T]:
        """The rows of `entity` that the case has, as far as they were read or added before."""
        return cast("list[T]", list(self._of_case.get((entity, case_id), ())))

    def wrote_unseen(self, entity: type[Base]) -> bool:
        """Whether a statement given to `later` changed rows of `entity` that are not known here."""
        name = re.compile(rf"(UPDATE|DELETE FROM|INSERT INTO) `?{entity.__tablename__}\b")
        return any(name.match(sql) for sql in self._unseen)

    def all_known(self, entity: type[T]) -> list[T]:
        """The rows of `entity` that were read or added before."""
        return [cast("T", row) for (kind, _), row in self._known.items() if kind is entity]

    def get(self, entity: type[T], *key: Any) -> T | None:
        """The row with this primary key, as read before or read now."""
        known = self._known.get((entity, key))
        if known is not None:
            return cast("T", known)
        where = " AND ".join(f"`{name}` = %s" for name in shape_of(entity).key_columns)
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
        return self.values_of_each((sql, params))[0]

    def values_of_each(self, *statements: Statement) -> list[list[tuple[Any, ...]]]:
        """The rows of several SELECTs, in one round trip."""
        return self._send(statements, reading=True)

    # Writing

    def add(self, row: Base) -> None:
        """Insert the row with the next `flush`."""
        entity = row.__class__
        self._added.append((entity, row.__dict__, False, True))
        self._note(entity, self.key_of(row), row, row.__dict__)

    def insert(
        self, entity: type[Base], values: dict[str, Any], *, unless_known: bool = False
    ) -> None:
        """Insert a row nobody reads again here; with `unless_known` only if its keys are new."""
        self._added.append((entity, values, unless_known, False))

    def later(self, sql: str, *params: Value) -> None:
        """Run a statement with the next `flush`, after all rows were inserted and updated."""
        self._deferred.append((sql, params))
        self._unseen.add(sql)

    def later_for(self, sql: str, value: Value, *params: Value) -> None:
        """As `later`, where the last ``%s`` of `sql` is of an IN and takes the `value`.

        One statement does it for all that are given with the same `sql` and `params`.
        """
        self._gathered.setdefault((sql, params), []).append(value)
        self._unseen.add(sql)

    def remove(self, row: Base) -> None:
        """Delete the row, of a table with a key of one column, with the next `flush`."""
        self.forget(row)
        self._removed.setdefault(row.__class__, []).append(row)

    def forget(self, row: Base) -> None:
        """Do not write what was set on the row."""
        self._before.pop(id(row.__dict__), None)

    def has_changes(self) -> bool:
        """Whether anything is to be sent."""
        waiting = self._added or self._deferred or self._gathered or self._removed
        return bool(waiting) or any(
            before != {name: row.__dict__.get(name) for name in before}
            for row in self._known.values()
            if (before := self._before.get(id(row.__dict__))) is not None
        )

    def flush(self, *more: str) -> None:
        """Send every change, and `more` statements with it."""
        self._send([*self.changes(), *((sql, ()) for sql in more)])

    def changes(self) -> list[Statement]:
        """The statements for all that has changed; it counts as sent."""
        gathered = [(sql, (*params, each)) for (sql, params), each in self._gathered.items()]
        statements = [*self._inserts(), *self._updates(), *self._removals()]
        statements += [*self._deferred, *gathered]
        self._deferred, self._gathered, self._removed = [], {}, {}
        return statements

    def drop(self) -> None:
        """Forget every change that was not sent, and every row that was read."""
        self._added, self._deferred, self._gathered, self._removed = [], [], {}, {}
        self._known, self._of_case, self._before, self._whole = {}, {}, {}, set()

    def _note(
        self, entity: type[Base], key: tuple[Any, ...], row: Base, values: Mapping[str, Any]
    ) -> None:
        self._known[entity, key] = row
        if "case_id" in values:
            self._of_case.setdefault((entity, values["case_id"]), []).append(row)

    def _inserts(self) -> list[Statement]:
        groups: dict[tuple[type[Base], bool], list[dict[str, Any]]] = {}
        for entity, values, unless_known, kept in self._added:
            groups.setdefault((entity, unless_known), []).append(values)
            if not unless_known and not kept:
                self._inserted.append((entity, values))
            if kept:
                self._written.add(id(values))
                shape = shape_of(entity)
                for name in shape.writers:
                    values.setdefault(name, shape.defaults.get(name))
                self._before[id(values)] = {name: values[name] for name in shape.writers}
        self._added = []
        order, statements = insert_order(), []
        for (entity, unless_known), rows in sorted(
            groups.items(), key=lambda each: order[each[0][0].__tablename__]
        ):
            for start in range(0, len(rows), AT_ONCE):
                some = rows[start : start + AT_ONCE]
                statements.append(insert(shape_of(entity), some, unless_known, self._mysql))
        return statements

    def _updates(self) -> list[Statement]:
        statements: list[Statement] = []
        whole: dict[type[Base], list[dict[str, Any]]] = {}
        for row in self._known.values():
            before = self._before.get(id(row.__dict__))
            if before is None:
                continue
            fields = row.__dict__
            if fields == before:
                continue
            shape = shape_of(row.__class__)
            changed = [name for name, value in before.items() if fields[name] != value]
            if not changed:
                continue
            params = []
            for name in changed:
                value = fields.get(name)
                params.append(None if value is None else shape.writers[name](value))
                before[name] = value
            self._written.add(id(fields))
            if self._mysql and len(changed) + len(shape.keys) == len(shape.writers):
                whole.setdefault(row.__class__, []).append(fields)
                continue
            params += [fields[key] for key in shape.keys]
            statements.append((update(shape, changed), params))
        return statements + [overwrite(shape_of(each), rows) for each, rows in whole.items()]

    def _removals(self) -> list[Statement]:
        made: list[Statement] = []
        for entity, rows in self._removed.items():
            shape = shape_of(entity)
            made.append((delete(shape), ([row.__dict__[shape.keys[0]] for row in rows],)))
        return made

    # The wire

    def _loaded(self, entity: type[Base], row: Sequence[Any]) -> Base:
        shape = shape_of(entity)
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
            known = shape.record()
            self._note(entity, key, known, made)
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
                text, plain = for_sqlite(sql, params)
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
        text = ";\n".join([for_mysql(sql, params, quoted) for sql, params in statements])
        if self._compound and not reading and len(statements) > 1:
            # One answer instead of one for each: half the time of writing goes with them.
            cursor.execute(f"{COMPOUND}{text};{COMPOUND_END}")
            return []
        cursor.execute(text)
        found = [list(cursor.fetchall())]
        while cursor.nextset():
            found.append(list(cursor.fetchall()))
        return found
