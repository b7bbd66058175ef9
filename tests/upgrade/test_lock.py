"""Whoever is started at the same moment, one process migrates, and nobody who works is held up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from api.installation import make_fit
from api.migrations import SchemaUnfit, check_schema, migrate, migrate_to
from api.migrations.lock import AnotherMigrates, alone
from engine.store.pools import open_engine

ROOT = Path(__file__).resolve().parents[2]
WAITING = (
    "SELECT COUNT(*) FROM information_schema.processlist "
    "WHERE state = 'Waiting for table metadata lock' AND info LIKE 'ALTER TABLE%'"
)
COMMAND = [sys.executable, "-c", "from api.shell import main; main()"]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    yield made
    made.dispose()


def environment(url: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "BANSHI_DATABASE_URL": url,
        "BANSHI_DATA_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }


def test_several_processes_that_migrate_at_once(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    started = [
        subprocess.Popen(
            [*COMMAND, "migrate"],
            env=environment(database_url, tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    for process in started:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
    check_schema(engine)


def test_the_second_waits_and_gives_up_in_words(engine: Engine, database_url: str) -> None:
    other = open_engine(database_url)
    told: list[str] = []
    try:
        with alone(engine):
            with (
                pytest.raises(AnotherMigrates),
                alone(other, lambda: told.append("waits"), patience=0.3),
            ):
                pytest.fail("two at once")
            assert told == ["waits"]
        with alone(other, lambda: told.append("waits"), patience=0.0):
            assert told == ["waits"]
    finally:
        other.dispose()


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_the_web_process_of_several_migrates_nothing(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    migrate_to(engine, "0005")
    started = subprocess.run(
        [*COMMAND, "serve"],
        env=environment(database_url, tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 2
    assert "banshi migrate" in " ".join(started.stdout.split())
    with pytest.raises(SchemaUnfit):
        check_schema(engine)


def test_a_single_machine_is_brought_up_to_date_when_it_starts(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'one.db'}")
    try:
        migrate_to(engine, "0005")
        make_fit(engine)
        check_schema(engine)
    finally:
        engine.dispose()


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_long_reader_holds_up_the_migration_and_nobody_else(engine: Engine) -> None:
    """Without patience of its own the change would wait, and everybody behind it."""
    migrate_to(engine, "0006")
    migrating = threading.Thread(target=migrate, args=(engine,))
    slowest, waited = 0.0, 0
    with engine.connect() as reader:
        reader.execute(text("SELECT COUNT(*) FROM cases"))
        migrating.start()
        end = time.monotonic() + 60
        # Through several of its attempts, each of which everybody behind it waits for.
        while waited < 3 and time.monotonic() < end:
            began = time.monotonic()
            with engine.connect() as other:
                waiting = other.execute(text(WAITING)).scalar_one()
                other.execute(text("SELECT COUNT(*) FROM cases"))
            slowest = max(slowest, time.monotonic() - began)
            waited += waiting
            time.sleep(0.05)
        assert migrating.is_alive()
    migrating.join(timeout=60)
    assert not migrating.is_alive()
    check_schema(engine)
    assert waited >= 3
    assert slowest < 5
