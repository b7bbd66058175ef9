"""Migrations are numbered, linear, and give exactly the tables the code expects."""

from __future__ import annotations

import re
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from api.migrations import migrate
from engine.store.pools import open_engine
from engine.store.tables import Base

VERSIONS = Path(__file__).resolve().parents[2] / "api/migrations/versions"


def test_numbered_and_linear() -> None:
    files = sorted(VERSIONS.glob("*.py"))
    numbers = [re.match(r"(\d{4})_", file.name) for file in files]
    assert [int(match[1]) for match in numbers if match] == list(range(1, len(files) + 1))


def test_migrating_gives_the_tables_and_again_changes_nothing(database_url: str) -> None:
    engine = open_engine(database_url)
    try:
        migrate(engine)
        migrate(engine)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": False})
            assert compare_metadata(context, Base.metadata) == []
    finally:
        engine.dispose()
