"""Two versions of the product on one database: the older one goes on until it is replaced."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api.migrations import Pending, SchemaUnfit, Watch, check_schema, migrate, migrate_to, pending
from api.migrations.chain import read_chain
from engine.store.facts import OLDEST_CODE, read_fact
from engine.store.pools import open_engine
from tests.support.versions import ENFORCE, EXPAND, Later, later_version


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The database of the present version."""
    made = open_engine(database_url)
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture
def later(tmp_path: Path) -> Later:
    return later_version(tmp_path / "later")


def numbers(found: list[Pending]) -> list[tuple[str, int | None]]:
    return [(each.migration.number, each.rows) for each in found]


def test_the_older_version_works_until_the_newer_enforces(engine: Engine, later: Later) -> None:
    later.old_look(engine, "before")
    assert migrate(engine, online=True, versions=later.versions) is False
    assert numbers(pending(engine, later.versions)) == [(ENFORCE, None)]
    # Both versions run.
    check_schema(engine)
    check_schema(engine, read_chain(later.versions))
    later.old_look(engine, "between")
    later.new_look(engine, "new")
    assert later.origins(engine) == {"before": "from look", "between": None, "new": "new"}
    # The older version is gone: what it wrote last is filled in before that is required.
    assert migrate(engine, versions=later.versions) is True
    assert pending(engine, later.versions) == []
    assert later.origins(engine)["between"] == "from look"
    later.new_look(engine, "newer")
    with pytest.raises(DBAPIError):
        later.old_look(engine, "after")
    with pytest.raises(SchemaUnfit, match="Install the version"):
        check_schema(engine)
    check_schema(engine, read_chain(later.versions))
    with engine.connect() as connection:
        assert read_fact(connection, OLDEST_CODE) == EXPAND


def test_a_stopped_backfill_goes_on_where_it_was(engine: Engine, later: Later) -> None:
    for number in range(35):
        later.old_look(engine, f"{number:02d}")
    stop, passed = threading.Event(), []

    def filled(count: int) -> None:
        passed.append(count)
        stop.set()

    assert migrate(engine, watch=Watch(filled=filled), stop=stop, versions=later.versions) is False
    assert passed == [10]
    assert numbers(pending(engine, later.versions)) == [(EXPAND, 25), (ENFORCE, None)]
    told: list[tuple[str, int]] = []
    watch = Watch(
        backfilling=lambda each, rows: told.append((each.number, rows)), filled=passed.append
    )
    assert migrate(engine, watch=watch, versions=later.versions) is True
    assert told == [(EXPAND, 25)]
    assert passed == [10, 10, 10, 5]
    assert None not in later.origins(engine).values()


def test_a_backfill_that_dies_keeps_the_batches_before(engine: Engine, later: Later) -> None:
    for number in range(12):
        later.old_look(engine, f"a{number:02d}")
    later.old_look(engine, "dies")
    with pytest.raises(RuntimeError):
        migrate(engine, versions=later.versions)
    origins = later.origins(engine)
    assert [id_ for id_, origin in origins.items() if origin is None] == ["a10", "a11", "dies"]
    assert numbers(pending(engine, later.versions)) == [(EXPAND, 3), (ENFORCE, None)]


def test_an_empty_database_gets_all_at_once(database_url: str, later: Later) -> None:
    engine = open_engine(database_url)
    try:
        assert migrate(engine, online=True, versions=later.versions) is True
        assert pending(engine, later.versions) == []
    finally:
        engine.dispose()


def test_what_the_product_says_of_tables_it_cannot_use(
    database_url: str, tmp_path: Path, later: Later
) -> None:
    engine = open_engine(database_url)
    try:
        with pytest.raises(SchemaUnfit, match=r"no tables yet\. Run: banshi migrate"):
            check_schema(engine)
        migrate_to(engine, "0005")
        with pytest.raises(
            SchemaUnfit, match=rf"is at migration 0005, .* needs {read_chain().needed}\."
        ):
            check_schema(engine)
        migrate(engine)
        check_schema(engine)
        # The newer version runs on what it only has to take something away from.
        expanded = later_version(tmp_path / "expanded", with_enforcing=False)
        migrate(engine, versions=expanded.versions)
        check_schema(engine, read_chain(later.versions))
        with pytest.raises(SchemaUnfit, match="nothing to migrate"):
            migrate(engine)
    finally:
        engine.dispose()
