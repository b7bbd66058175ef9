"""Migrations are numbered, linear, and give exactly the tables the code expects.

Those since 0007 say how they go with a running product, and keep to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, event

from api.migrations import migrate, migrate_to
from api.migrations.chain import read_chain
from engine.store.pools import open_engine
from engine.store.tables import Base

VERSIONS = Path(__file__).resolve().parents[2] / "api/migrations/versions"
CHAIN = read_chain()
ONLINE = [each for each in CHAIN.migrations if each.number >= "0007"]
EXPANDING = [each for each in ONLINE if each.step == "expand"]
GENTLE = (
    r"CREATE TABLE IF NOT EXISTS ",
    r"ALTER TABLE `\w+` ADD COLUMN .*, ALGORITHM=INSTANT$",
    r"ALTER TABLE `\w+` (ADD (UNIQUE )?INDEX|MODIFY COLUMN) .*, ALGORITHM=INPLACE, LOCK=NONE$",
    r"SET SESSION lock_wait_timeout ",
    r"(SELECT|SHOW|DESCRIBE) ",
    r"UPDATE alembic_version ",
    r"ROLLBACK|COMMIT",
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    yield made
    made.dispose()


def test_numbered_and_linear() -> None:
    files = sorted(VERSIONS.glob("*.py"))
    numbers = [re.match(r"(\d{4})_", file.name) for file in files]
    assert [int(match[1]) for match in numbers if match] == list(range(1, len(files) + 1))
    assert [each.number for each in CHAIN.migrations] == [m[1] for m in numbers if m]


def test_migrating_gives_the_tables_and_again_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("migration", ONLINE, ids=lambda each: each.number)
def test_each_says_how_it_goes_with_a_running_product(migration: Any) -> None:
    assert migration.step in ("expand", "enforce")
    if migration.step == "enforce":
        # Whoever must know it is a version that exists, and not a later one.
        assert migration.needs_code in {each.number for each in CHAIN.upto(migration.number)}
    else:
        assert migration.needs_code is None


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("migration", EXPANDING, ids=lambda each: each.number)
def test_expanding_stops_nobody(migration: Any, engine: Engine) -> None:
    """Every statement that MariaDB gets is one that it carries out beside the others."""
    migrate_to(engine, before(migration.number))
    sent: list[str] = []

    def note(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        migrate_to(engine, migration.number)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert any(each.startswith(("CREATE", "ALTER")) for each in sent)
    assert [each for each in sent if not re.match("|".join(GENTLE), each)] == []


@pytest.mark.parametrize("migration", EXPANDING, ids=lambda each: each.number)
def test_older_versions_still_write_their_rows_after_it(migration: Any, engine: Engine) -> None:
    migrate_to(engine, before(migration.number))
    older = MetaData()
    older.reflect(engine)
    migrate_to(engine, migration.number)
    with engine.begin() as connection:
        for table in older.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(table.insert().values(made_up(table)))
        for table in reversed(older.sorted_tables):
            if table.name != "alembic_version":
                assert connection.execute(table.delete()).rowcount == 1


def before(number: str) -> str:
    return CHAIN.upto(number)[-2].number


def made_up(table: Any) -> dict[str, Any]:
    """A row of the table; the texts are all the same, so that rows of other tables are found."""
    sample = {
        str: "x",
        bytes: b"x",
        bool: True,
        int: 1,
        float: 1.0,
        Decimal: Decimal(1),
        datetime: datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    }
    # A row that refers to itself could not be deleted again.
    own = {key.parent.name for key in table.foreign_keys if key.column.table is table}
    return {
        column.name: None if column.name in own else sample[column.type.python_type]
        for column in table.columns
    }
