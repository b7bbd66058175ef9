"""Bring back a backup: into an empty database, of either kind, or in place of what is there.

Until all of it is there a table marks the database, and no process of the product starts on it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import Column, Connection, Integer, MetaData, Table, select
from sqlalchemy.exc import DBAPIError

from api.backup.manifest import BackupUnreadable, Manifest
from api.backup.reader import BackupReader, FileMember, RowsMember
from api.backup.taking import Stopped
from api.migrations import migrate_restored, migrate_to
from api.migrations.chain import read_chain
from api.migrations.lock import alone
from api.migrations.serving import RESTORING, reading
from api.version import VERSION
from api.wiring import Application
from api.worker.files import DiskFiles
from engine.store.portable import (
    BATCH_BYTES,
    MOST_ROWS,
    PortableTable,
    PutRows,
    portable_tables,
    put_rows,
)
from engine.usecases.after_restore import SettleRestored, settle_restored


class DatabaseNotEmpty(Exception):
    """There are rows in the database already."""


class RowRefused(Exception):
    """A row fits the kind of database it was taken from and not this one; the message says why."""


@dataclass(frozen=True)
class Watch:
    """Whom to tell what is done: bytes checked, then rows and files put back."""

    bytes_ahead: Callable[[int], None] = lambda count: None
    checked: Callable[[int], None] = lambda count: None
    rows_ahead: Callable[[int], None] = lambda count: None
    rows: Callable[[int], None] = lambda count: None


@dataclass(frozen=True)
class Restore:
    """The backup `file`. With `replace` what the database holds is dropped; with `hold` no mail
    and no call to another system goes out until an operator says so."""

    file: Path
    replace: bool = False
    hold: bool = False


def check_backup(file: Path, watch: Watch | None = None) -> BackupReader:
    """Read all of the backup and compare every hash and count. Raises BackupUnreadable."""
    watch = watch or Watch()
    reader = BackupReader(file)
    if not read_chain().knows(reader.manifest.migration):
        raise BackupUnreadable(
            f"The backup was taken at migration {reader.manifest.migration} by banshi "
            f"{reader.manifest.version}; this is {VERSION}. Install that version first"
        )
    watch.bytes_ahead(file.stat().st_size)
    reader.check(watch.checked)
    return reader


def restore(
    wired: Application,
    command: Restore,
    watch: Watch | None = None,
    stop: threading.Event | None = None,
) -> Manifest:
    """Check the backup, then bring it back. Nothing is changed unless all of it can be read.

    Raises BackupUnreadable, DatabaseNotEmpty, RowRefused or Stopped: a restore that ended once it
    had begun to write must be done again, with `replace`.
    """
    watch, engine = watch or Watch(), wired.engine
    reader = check_backup(command.file, watch)
    with alone(engine):
        with reading(engine) as connection:
            if not command.replace and not _is_empty(connection):
                raise DatabaseNotEmpty
        _begin(wired)
        migrate_to(engine, reader.manifest.migration)
        _Restoring(wired, reader, watch, stop or threading.Event()).all()
        migrate_restored(engine)
        kept = {
            "version": reader.manifest.version,
            "migration": reader.manifest.migration,
            "taken_at": reader.manifest.taken_at.isoformat(),
        }
        wired.uow.run(settle_restored, SettleRestored(kept, command.hold))
        _mark().drop(engine)
    return reader.manifest


def _is_empty(connection: Connection) -> bool:
    found = MetaData()
    found.reflect(connection)
    return RESTORING not in found.tables and not any(
        connection.execute(select(1).select_from(table).limit(1)).first()
        for name, table in found.tables.items()
        if name not in ("alembic_version", "installation_facts")
    )


def _mark() -> Table:
    return Table(RESTORING, MetaData(), Column("begun", Integer))


def _begin(wired: Application) -> None:
    """Mark the database, and drop every table but the mark."""
    with wired.engine.begin() as connection:
        _mark().create(connection, checkfirst=True)
        found = MetaData()
        found.reflect(connection)
        found.remove(found.tables[RESTORING])
        found.drop_all(connection)


@dataclass(frozen=True)
class _Restoring:
    wired: Application
    reader: BackupReader
    watch: Watch
    stop: threading.Event

    def all(self) -> None:
        manifest = self.reader.manifest
        self.watch.rows_ahead(manifest.rows + manifest.files)
        with reading(self.wired.engine) as connection:
            tables = {table.name: table for table in portable_tables(connection)}
        files = DiskFiles(self.wired.settings.data_dir / "files")
        for member in self.reader.members():
            if isinstance(member, FileMember):
                self.go_on()
                files.put_as(member.key, member.content)
                self.watch.rows(1)
            else:
                self.table(tables[member.table], member)

    def table(self, table: PortableTable, member: RowsMember) -> None:
        for rows in _batches(member.rows):
            self.go_on()
            try:
                self.wired.uow.run(put_rows, PutRows(table, member.columns, rows))
            except (DBAPIError, pymysql.MySQLError, sqlite3.Error) as error:
                raise RowRefused(f"{table.name}: {error}") from error
            self.watch.rows(len(rows))

    def go_on(self) -> None:
        if self.stop.is_set():
            raise Stopped


def _batches(rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """Rows for one transaction each, far below the largest packet a server takes."""
    batch: list[list[Any]] = []
    size = 0
    for row in rows:
        length = sum(len(value) if isinstance(value, str) else 8 for value in row)
        if batch and (size + length > BATCH_BYTES or len(batch) >= MOST_ROWS):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch
