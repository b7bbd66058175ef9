"""A row that goes from one database to another is the same row, whatever it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    cast,
    select,
)

from engine.store.portable import PutRows, portable_tables, put_rows, read_lines
from engine.store.tables.base import Instant, Json, blob, identifier, long_text
from engine.store.uow import UnitOfWork
from tests.support.databases import fresh_database, opened

SAMPLE = Table(
    "sample",
    MetaData(),
    Column("first", identifier(20), primary_key=True),
    Column("second", Integer, primary_key=True, autoincrement=False),
    Column("text", long_text(), nullable=True),
    Column("data", Json, nullable=True),
    Column("content", blob(), nullable=True),
    Column("at", Instant, nullable=True),
    Column("score", Float, nullable=True),
    Column("large", BigInteger, nullable=True),
    Column("so", Boolean, nullable=True),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "first": st.text("aAbB0-~", min_size=1, max_size=3),
            "second": st.integers(-3, 3),
            "text": st.none() | TEXTS,
            "data": st.none() | PLAIN,
            "content": st.none() | st.binary(max_size=60),
            "at": st.none()
            | st.datetimes(
                datetime(1900, 1, 1),  # noqa: DTZ001
                datetime(2200, 1, 1),  # noqa: DTZ001
                timezones=st.just(UTC),
            ),
            # In MariaDB the column keeps 24 bits.
            "score": st.none() | st.integers(-(2**23), 2**23).map(lambda n: n / 1024),
            "large": st.none() | st.integers(-(2**63), 2**63 - 1),
            "so": st.none() | st.booleans(),
        }
    ),
    max_size=8,
    unique_by=lambda row: (row["first"], row["second"]),
)
Pair = tuple[UnitOfWork, UnitOfWork]


@pytest.fixture(params=["sqlite-mariadb", "mariadb-sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path, mariadb_url: str) -> Iterator[Pair]:
    """Two databases of different kinds with the sample table."""
    source, target = request.param.split("-")
    with (
        fresh_database(source, tmp_path, mariadb_url) as source_url,
        fresh_database(target, tmp_path, mariadb_url) as target_url,
        opened(source_url, tmp_path) as first,
        opened(target_url, tmp_path) as second,
    ):
        SAMPLE.create(first.engine)
        SAMPLE.create(second.engine)
        yield first.uow, second.uow


@given(rows=ROWS, many=st.booleans())
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_it_is_the_same_row(pair: Pair, rows: list[dict[str, Any]], many: bool) -> None:
    source, target = pair
    if many:
        rows = rows + [{"first": f"{n:03d}", "second": n, "large": n} for n in range(130)]
    with source.engine.begin() as connection:
        connection.execute(SAMPLE.delete())
        for row in rows:
            connection.execute(SAMPLE.insert().values(row))
    with target.engine.begin() as connection:
        connection.execute(SAMPLE.delete())
    with source.read(snapshot=True) as session:
        (table,) = portable_tables(session.connection())
        for lines in read_lines(session, table):
            values = [json.loads(line) for line in lines]
            target.run(put_rows, PutRows(table, table.columns, values))
    assert held(target.engine) == held(source.engine)
    assert len(held(target.engine)) == len(rows)


def held(engine: Engine) -> list[tuple[Any, ...]]:
    # As it is, a FLOAT is shown with six digits.
    exact = [cast(each, Double) if each.name == "score" else each for each in SAMPLE.columns]
    with engine.connect() as connection:
        rows = connection.execute(select(*exact))
        return sorted((tuple(row) for row in rows), key=lambda row: row[:2])
