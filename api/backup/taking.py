"""Take a backup: every row and every uploaded file, as they were at one instant.

All rows are read in one transaction that sees the database as it was when it began; nobody waits
for it. A file is written before the row that names it and is never changed, so the files that
these rows name are there, whatever is uploaded meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.backup.manifest import Manifest
from api.backup.writer import BackupWriter, new_backup
from api.migrations.serving import check_restored, revision_of
from api.version import VERSION
from api.wiring import Application
from engine.store.portable import PortableTable, portable_tables, read_lines
from engine.store.uow import ReadSession

CHUNK = 4_000_000
"""About how many characters of rows go into one member."""
_TABLE_CHANGED = 1412
_FILES = 500


class Stopped(Exception):
    """Somebody stopped it; no file is left."""


class TablesChanged(Exception):
    """A migration changed the tables while they were read."""


@dataclass(frozen=True)
class Watch:
    """Whom to tell how much is to be done (rows are estimated) and has been done."""

    rows_ahead: Callable[[int], None] = lambda count: None
    rows: Callable[[int], None] = lambda count: None
    files_ahead: Callable[[int], None] = lambda count: None
    files: Callable[[int], None] = lambda count: None


def file_name(wired: Application) -> str:
    """What a backup is called that is taken now."""
    return f"banshi-{wired.ports.clock.now():%Y%m%dT%H%M%SZ}.tar"


def take_backup(
    wired: Application,
    target: Path,
    watch: Watch | None = None,
    stop: threading.Event | None = None,
) -> Manifest:
    """Write a backup to the new file `target`.

    Raises FileExistsError, SchemaUnfit, Stopped, TablesChanged, RowUnreadable or StoreUnavailable;
    no file is left then.
    """
    now = wired.ports.clock.now()
    with new_backup(target, now) as writer, wired.uow.read(snapshot=True) as session:
        connection = session.connection()
        check_restored(connection)
        manifest = Manifest(
            version=VERSION,
            migration=str(revision_of(connection)),
            database=connection.dialect.name,
            taken_at=now,
        )
        taking = _Taking(wired, session, writer, watch or Watch(), stop or threading.Event())
        try:
            return writer.finish(taking.files(taking.tables(manifest)))
        except OperationalError as error:
            if getattr(error.orig, "args", (0,))[0] == _TABLE_CHANGED:
                raise TablesChanged from error
            raise


@dataclass(frozen=True)
class _Taking:
    wired: Application
    session: ReadSession
    writer: BackupWriter
    watch: Watch
    stop: threading.Event

    def tables(self, manifest: Manifest) -> Manifest:
        tables = portable_tables(self.session.connection())
        self.watch.rows_ahead(self.estimate(tables))
        return replace(manifest, tables={table.name: self.table(table) for table in tables})

    def table(self, table: PortableTable) -> int:
        rows = member = size = 0
        chunk: list[str] = []
        for lines in read_lines(self.session, table):
            self.go_on()
            chunk += lines
            size += sum(map(len, lines))
            rows += len(lines)
            if size >= CHUNK:
                member += 1
                self.writer.add_rows(table.name, member, table.columns, chunk)
                chunk, size = [], 0
            self.watch.rows(len(lines))
        if chunk:
            self.writer.add_rows(table.name, member + 1, table.columns, chunk)
        return rows

    def estimate(self, tables: list[PortableTable]) -> int:
        """About how many rows there are; counting those of a large table takes too long."""
        if self.session.connection().dialect.name == "sqlite":
            counts = [f"(SELECT COUNT(*) FROM `{table.name}`)" for table in tables]  # noqa: S608
            statement = f"SELECT {' + '.join(counts)}"
        else:
            statement = (
                "SELECT SUM(table_rows) FROM information_schema.tables "
                "WHERE table_schema = DATABASE()"
            )
        return int(self.session.scalar(text(statement)) or 0)

    def files(self, manifest: Manifest) -> Manifest:
        self.watch.files_ahead(manifest.tables["documents"])
        count = size = missing = damaged = 0
        for key, digest in self.documents():
            self.go_on()
            try:
                with self.wired.ports.files.open(key) as content:
                    length, found = self.writer.add_file(key, content)
            except FileNotFoundError:
                missing += 1
            else:
                count, size, damaged = count + 1, size + length, damaged + (found != digest)
            self.watch.files(1)
        return replace(manifest, files=count, file_bytes=size, missing=missing, damaged=damaged)

    def documents(self) -> Iterator[tuple[str, str]]:
        """The key and SHA-256 of each uploaded file."""
        after = ""
        statement = text(
            "SELECT id, storage_key, sha256 FROM documents "
            "WHERE id > :after ORDER BY id LIMIT :most"
        )
        while True:
            rows = self.session.execute(statement, {"after": after, "most": _FILES}).all()
            yield from ((row.storage_key, row.sha256) for row in rows)
            if not rows:
                return
            after = rows[-1].id

    def go_on(self) -> None:
        if self.stop.is_set():
            raise Stopped
