"""Alembic migrations: numbered, linear, equal to the tables in `engine.store.tables`.

A change goes in steps, so that the product need not stop: **expand** adds what the new version
wants, a **backfill** fills it in rows that are there already, and **enforce** takes away what only
older versions needed. `docs/adr/0009-online-migrations.md` says how each is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, Engine

from api.migrations.backfill import left_to_fill, run_backfill
from api.migrations.chain import VERSIONS, Chain, Migration, alembic_config, read_chain
from api.migrations.lock import alone
from api.migrations.serving import (
    FACTS_SINCE,
    SchemaUnfit,
    check_restored,
    check_schema,
    reading,
    revision_of,
)
from engine.kernel.clock import SystemClock
from engine.store.facts import BACKFILLED, OLDEST_CODE, read_fact, write_fact
from engine.store.pools import patiently

__all__ = [
    "Pending",
    "SchemaUnfit",
    "Watch",
    "check_schema",
    "migrate",
    "migrate_restored",
    "migrate_to",
    "pending",
]


@dataclass(frozen=True)
class Watch:
    """Whom to tell what happens. `filled` gets how many more rows a backfill has passed."""

    begun: Callable[[Migration], None] = lambda migration: None
    backfilling: Callable[[Migration, int], None] = lambda migration, rows: None
    filled: Callable[[int], None] = lambda rows: None
    waiting: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Pending:
    """A migration or backfill that the database has not had. `rows` are those left to fill."""

    migration: Migration
    rows: int | None = None


def migrate(
    engine: Engine,
    online: bool = False,
    watch: Watch | None = None,
    stop: threading.Event | None = None,
    versions: tuple[Path, ...] = VERSIONS,
) -> bool:
    """Bring the database up to the newest migration; an up-to-date one is left alone.

    With `online` it ends before the first step that older versions would not survive. False if
    that, or `stop`, left something to do. Raises SchemaUnfit for a database that a newer version
    has migrated or a restore has left half done, and AnotherMigrates.
    """
    chain = read_chain(versions)
    with reading(engine) as connection:
        check_restored(connection)
    if not _to_do(engine, chain):
        return True
    with alone(engine, (watch or Watch()).waiting):
        return _Run(engine, chain, versions, watch or Watch(), stop).all(online)


def migrate_to(engine: Engine, number: str, versions: tuple[Path, ...] = VERSIONS) -> None:
    """Make the tables as they were at migration `number`, for a caller who is `alone`."""
    _upgrade(engine, number, versions)


def migrate_restored(engine: Engine, watch: Watch | None = None) -> None:
    """As `migrate`, for a caller who is `alone` and whose restore is not finished."""
    _Run(engine, read_chain(), VERSIONS, watch or Watch(), None).all(online=False)


def pending(engine: Engine, versions: tuple[Path, ...] = VERSIONS) -> list[Pending]:
    """What `migrate` would do, in its order. Raises SchemaUnfit."""
    chain = read_chain(versions)
    with reading(engine) as connection:
        found = _known_revision(connection, chain)
        unfilled = [
            Pending(each, left_to_fill(connection, each.backfill))
            for each in _unfilled(connection, chain, found)
            if each.backfill is not None
        ]
    return unfilled + [Pending(each) for each in chain.after(found)]


def _to_do(engine: Engine, chain: Chain) -> bool:
    with reading(engine) as connection:
        found = _known_revision(connection, chain)
        return found != chain.head or bool(_unfilled(connection, chain, found))


def _known_revision(connection: Connection, chain: Chain) -> str | None:
    found = revision_of(connection)
    if found is not None and not chain.knows(found):
        check_schema(connection.engine, chain)
        raise SchemaUnfit(
            f"The database is at migration {found}, made by a newer version of banshi: "
            "this version can run on it, and has nothing to migrate"
        )
    return found


def _unfilled(connection: Connection, chain: Chain, found: str | None) -> list[Migration]:
    """The migrations that the database has, and whose backfill has not passed all rows."""
    with_backfill = [each for each in chain.upto(found) if each.backfill is not None]
    if not with_backfill or found is None or found < FACTS_SINCE:
        return []
    done = read_fact(connection, BACKFILLED) or []
    return [each for each in with_backfill if each.number not in done]


def _upgrade(engine: Engine, number: str, versions: tuple[Path, ...]) -> None:
    config = alembic_config(versions)
    # An index of a large table takes longer than any answer is waited for otherwise.
    with patiently(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, number)


@dataclass(frozen=True)
class _Run:
    engine: Engine
    chain: Chain
    versions: tuple[Path, ...]
    watch: Watch
    stop: threading.Event | None

    def all(self, online: bool) -> bool:
        with reading(self.engine) as connection:
            found = _known_revision(connection, self.chain)
            unfilled = _unfilled(connection, self.chain, found)
        if found is None:
            self.begin()
            return True
        if not all(self.fill(each) for each in unfilled):
            return False
        expanded: list[Migration] = []
        for migration in self.chain.upto(found):
            expanded = [] if migration.step == "enforce" else [*expanded, migration]
        for migration in self.chain.after(found):
            if online and migration.step != "expand":
                return False
            if not self.one(migration, expanded):
                return False
            expanded = [] if migration.step == "enforce" else [*expanded, migration]
        return True

    def begin(self) -> None:
        """Nobody runs on an empty database, and there is nothing to fill."""
        _upgrade(self.engine, "head", self.versions)
        filled = [each.number for each in self.chain.migrations if each.backfill is not None]
        if filled:
            self.note(BACKFILLED, filled)

    def one(self, migration: Migration, expanded: Sequence[Migration]) -> bool:
        """Carry out one migration; `expanded` are those since the last that enforced."""
        if self.stop is not None and self.stop.is_set():
            return False
        # Older versions may have written rows since the backfill passed.
        if migration.step == "enforce" and not all(self.fill(each) for each in expanded):
            return False
        self.watch.begun(migration)
        if migration.step == "enforce":
            # First, so that no older process starts any more.
            self.note(OLDEST_CODE, migration.needs_code or migration.number)
        _upgrade(self.engine, migration.number, self.versions)
        return self.fill(migration)

    def fill(self, migration: Migration) -> bool:
        """Run the migration's backfill, if it has one; False if it was stopped."""
        backfill = migration.backfill
        if backfill is None:
            return True
        with reading(self.engine) as connection:
            rows = left_to_fill(connection, backfill)
        if rows:
            self.watch.backfilling(migration, rows)
        if not run_backfill(self.engine, backfill, self.watch.filled, self.stop):
            return False
        with reading(self.engine) as connection:
            done = read_fact(connection, BACKFILLED) or []
        self.note(BACKFILLED, sorted({*done, migration.number}))
        return True

    def note(self, name: str, value: object) -> None:
        with self.engine.begin() as connection:
            write_fact(connection, name, value, SystemClock().now())
