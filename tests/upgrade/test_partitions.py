"""Tables split by month: rows land in their month, and the product notices nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from typer.testing import CliRunner

from api.backup.restoring import Restore, restore
from api.backup.taking import take_backup
from api.cli import app
from api.demo.office import open_office
from api.wiring import Application
from engine.kernel.clock import SettableClock, SystemClock
from engine.store.partitions import SPLIT, Partition, partition_of, split_statement
from engine.store.tables import Base, Event
from engine.usecases.archive import archive_closed
from engine.usecases.invariants import violations
from engine.usecases.record_access import RecordAccess, record_access
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.archive.test_archive import CLERK
from tests.support.databases import fresh_database
from tests.support.play import actor, done, drain, filed

NOW = SystemClock().now()
"""The keys of rows have the real time in them."""


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture(params=["mariadb"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_database("mariadb", Path(), request.getfixturevalue("mariadb_url")) as url:
        yield url


def run(wired: Application, *arguments: str) -> tuple[int, str]:
    environment = {
        "BANSHI_DATABASE_URL": wired.settings.database_url,
        "BANSHI_DATA_DIR": str(wired.settings.data_dir),
    }
    made = CliRunner().invoke(app, list(arguments), env=environment)
    return made.exit_code, " ".join(made.stdout.split())


def rows_in(wired: Application, table: str, month: datetime) -> int:
    name = partition_of(month).name
    with wired.engine.connect() as connection:
        statement = f"SELECT COUNT(*) FROM {table} PARTITION ({name})"  # noqa: S608
        return int(connection.execute(text(statement)).scalar_one())


def test_the_product_on_split_tables(
    office: Application, clock: SettableClock, tmp_path: Path
) -> None:
    filed(office)
    assert run(office, "partition", "--months", "2") == (
        0, "events: 4 partitions archived_cases: 4 partitions access_log: 4 partitions",
    )  # fmt: skip
    case = done(office, filed(office), "check_request", "foi_officer", outcome="accept")
    office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), case.id))
    office.uow.run(record_access, RecordAccess(actor(office, "manager"), case.id, "get_case"))
    drain(office)
    with office.uow.read() as session:
        events = len(session.scalars(select(Event)).all())
    assert rows_in(office, "events", NOW) == events
    assert rows_in(office, "access_log", NOW) == 1
    clock.advance(timedelta(days=400))
    assert archive_closed(office.uow, CLERK, clock.now()).count == 1
    assert rows_in(office, "archived_cases", NOW) == 1
    assert list(violations(office.uow)) == []
    with office.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
        plan = connection.execute(
            text("EXPLAIN PARTITIONS SELECT * FROM events WHERE case_id = :id"), {"id": case.id}
        ).mappings()
        assert [row["partitions"] for row in plan] == [partition_of(NOW).name]
    take_backup(office, tmp_path / "b.tar")
    restore(office, Restore(tmp_path / "b.tar", replace=True))
    assert run(office, "partition", "--months", "2", "--table", "events")[0] == 0
    with office.uow.read() as session:
        assert rows_in(office, "events", NOW) == len(session.scalars(select(Event)).all()) > 0
    open_office(office)


def test_again_and_later(office: Application) -> None:
    filed(office)
    before = run(office, "partition", "--show")[1]
    assert before.count("PARTITION BY RANGE COLUMNS") == 3
    assert run(office, "partition", "--months", "1", "--table", "events")[1] == (
        "events: 3 partitions"
    )
    assert run(office, "partition", "--months", "1", "--table", "events")[1] == "events: has them"
    # A row of a month for which nobody had made a partition moves into its own.
    ahead = datetime(NOW.year + 1, 6, 15, tzinfo=UTC)
    key = f"{int(ahead.timestamp() * 1000):012x}" + "7" + "0" * 19
    with office.engine.begin() as connection:
        insert = (
            "INSERT INTO events SELECT :key, number, kind, actor_id, actor_name, at, details, "
            "digest FROM events LIMIT 1"
        )
        connection.execute(text(insert), {"key": key})
    months = str((ahead.year - NOW.year) * 12 + ahead.month - NOW.month)
    assert run(office, "partition", "--months", months, "--table", "events")[0] == 0
    assert rows_in(office, "events", ahead) == 1
    assert run(office, "partition", "--table", "cases")[0] == 1


def test_what_sqlite_says(small_office: Application) -> None:
    assert run(small_office, "partition") == (0, "SQLite has no partitions: nothing to do.")


INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS)
def test_a_key_is_below_the_limit_of_its_month_only(at: datetime) -> None:
    key = f"{int(at.timestamp() * 1000):012x}" + "7fff8fffffffffffffff"
    before = at.replace(day=1) - timedelta(days=1)
    assert str(partition_of(before).below) <= key < str(partition_of(at).below)
    assert partition_of(at).name == f"m{at:%Y%m}"


@given(INSTANTS, st.integers(0, 30), st.integers(1, 24), st.integers(0, 24))
def test_months_follow_each_other_without_a_gap(
    now: datetime, past: int, months: int, passed: int
) -> None:
    """However long nobody has made any."""
    oldest = now - timedelta(days=30 * past)
    first = made(split_statement("events", [], oldest, now, months))
    later = now + timedelta(days=30 * passed)
    again = split_statement("events", first, oldest, later, months)
    names = [each.name for each in first[:-1]]
    if again is not None:
        assert "REORGANIZE PARTITION `later`" in again
        names += [each.name for each in made(again)[:-1]]
    assert names == sorted(set(names))
    year, month = int(names[0][1:5]), int(names[0][5:])
    assert names == [f"m{year + (month - 1 + n) // 12}{(month - 1 + n) % 12 + 1:02d}"
                     for n in range(len(names))]  # fmt: skip
    assert names[0] == f"m{oldest:%Y%m}"


def made(statement: str | None) -> list[Partition]:
    assert statement is not None
    found = re.findall(r"PARTITION `(\w+)` VALUES LESS THAN \((?:'(\w+)'|MAXVALUE)\)", statement)
    return [Partition(name, below or None) for name, below in found]


def test_only_tables_without_foreign_keys_are_split() -> None:
    for name, key in SPLIT.items():
        table: Any = Base.metadata.tables[name]
        assert not table.foreign_keys
        assert next(iter(table.primary_key)).name == key
        assert not any(
            reference.column.table is table
            for other in Base.metadata.sorted_tables
            for reference in other.foreign_keys
        )
