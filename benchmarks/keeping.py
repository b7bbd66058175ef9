"""Backup, restore and archive: how long, and how large, on MariaDB with durable commits."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, text

from api.backup.restoring import Restore, check_backup, restore
from api.backup.taking import take_backup
from api.settings import read_settings
from api.wiring import Application, wired
from benchmarks.measure import database, machine
from benchmarks.office import Office
from engine.domain.access import Actor
from engine.kernel.clock import SettableClock
from engine.store.tables import Base, Case
from engine.usecases.archive import UnarchiveCase, archive_closed, unarchive_case
from engine.usecases.job_runner import run_due

CASES = 3_000
CLERK = Actor("shell", "shell", "shell", frozenset({"administrator"}))


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    made = run()
    return time.perf_counter() - began, made


def bytes_of_tables(application: Application) -> int:
    """Data and indexes, each table written anew so that no free space is counted."""
    with application.engine.connect() as connection:
        for name in Base.metadata.tables:
            connection.execute(text(f"OPTIMIZE TABLE `{name}`")).all()
            connection.execute(text(f"ANALYZE TABLE `{name}`")).all()
        statement = (
            "SELECT SUM(data_length + index_length) FROM information_schema.tables "
            "WHERE table_schema = DATABASE()"
        )
        return int(connection.execute(text(statement)).scalar_one())


def measure(url: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    with Office.opened(url) as office, tempfile.TemporaryDirectory() as folder:
        application, empty = office.wired, bytes_of_tables(office.wired)
        office.play_together(CASES, 50)
        while run_due(application.uow):
            pass
        before = bytes_of_tables(application) - empty
        file = Path(folder) / "backup.tar"
        seconds, manifest = timed(lambda: take_backup(application, file))
        found += [
            ("cases", CASES),
            ("rows", manifest.rows),
            ("backup, rows a second", round(manifest.rows / seconds)),
            ("backup, bytes a case", round(file.stat().st_size / CASES)),
        ]
        seconds, _ = timed(lambda: check_backup(file))
        found.append(("checking a backup, rows a second", round(manifest.rows / seconds)))
        with create_engine(url).begin() as connection:
            connection.execute(text("CREATE DATABASE copied CHARACTER SET utf8mb4"))
        for name, copy_url in (
            ("MariaDB", f"{url}/copied"),
            ("SQLite", f"sqlite:///{folder}/copied.db"),
        ):
            settings = read_settings({"BANSHI_DATABASE_URL": copy_url, "BANSHI_DATA_DIR": folder})
            with wired(settings) as copy:
                seconds, _ = timed(lambda to=copy: restore(to, Restore(file)))  # type: ignore[misc]
            found.append((f"restore to {name}, rows a second", round(manifest.rows / seconds)))
        found += archive(application, before, empty)
    return found


def archive(application: Application, before: int, empty: int) -> list[tuple[str, Any]]:
    later = SettableClock(application.ports.clock.now())
    later.advance(timedelta(days=400))
    settings = application.settings
    with wired(settings, later) as old:
        seconds, made = timed(lambda: archive_closed(old.uow, CLERK, later.now()))
        after = bytes_of_tables(old) - empty
        with old.uow.read() as session:
            ids = list(session.scalars(select(Case.id).limit(500)))

        def back() -> None:
            for id_ in ids:
                old.uow.run(unarchive_case, UnarchiveCase(CLERK, id_))

        back_seconds, _ = timed(back)
    return [
        ("archive, cases a second", round(made.count / seconds)),
        ("unarchive, cases a second", round(len(ids) / back_seconds)),
        ("bytes a case before", round(before / CASES)),
        ("bytes a case in the archive", round(after / CASES)),
    ]


if __name__ == "__main__":
    with database() as (address, _):
        figures = measure(address)
    if "--json" in sys.argv:
        print(json.dumps({"machine": machine(), "keeping": dict(figures)}, indent=2))
    else:
        for name, value in figures:
            print(f"{name:40} {value:>12,}")
