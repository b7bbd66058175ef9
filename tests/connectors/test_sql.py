"""The connector `sql` on real databases, which it must not be able to change."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymysql
import pytest
from sqlalchemy.engine import make_url

from api.connectors.environment import Environment
from api.connectors.sql import SqlConnector, checked
from engine.domain.connector import Call, ConnectorFailed
from tests.connectors.conftest import OpenOffice
from tests.support.connector_models import calling, data_of, incidents_of
from tests.support.play import done, drain
from tests.support.small_package import begun, published

ROWS = "INSERT INTO plots VALUES (1, '张伟', 12.5), (2, '李静', 7), (3, 'x'';--', NULL)"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
Count = Callable[[], int]


@pytest.fixture(params=["sqlite", "mariadb"])
def register(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Count]]:
    """The address of a small land register, and how many plots it holds."""
    table = "CREATE TABLE plots (id INTEGER PRIMARY KEY, owner VARCHAR(60), area DECIMAL(9, 2))"
    if request.param == "sqlite":
        file = tmp_path / "land & register.db"
        with sqlite3.connect(file) as made:
            made.execute(table)
            made.execute(ROWS)

        def count() -> int:
            with sqlite3.connect(file) as again:
                return int(again.execute("SELECT count(*) FROM plots").fetchone()[0])

        yield f"sqlite:///{file}", count
        return
    server, name = make_url(request.getfixturevalue("mariadb_url")), f"t{uuid4().hex}"
    connection = pymysql.connect(
        host=server.host or "", port=server.port or 0, user="root", charset="utf8mb4",
        autocommit=True,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        cursor.execute(f"USE {name}")
        cursor.execute(table)
        cursor.execute(ROWS)

        def count_there() -> int:
            cursor.execute("SELECT count(*) FROM plots")
            return int(cursor.fetchone()[0])  # type: ignore[index]

        yield server.set(database=name).render_as_string(hide_password=False), count_there
        cursor.execute(f"DROP DATABASE {name}")


def run(url: str, statement: str, **settings: Any) -> Any:
    plain = {name.replace("__", "."): value for name, value in settings.items()}
    call = Call("k", {"database": "LAND", "statement": statement} | plain, NOW, {})
    return SqlConnector(Environment({"BANSHI_SQL_LAND": url})).run(call)


def test_rows_become_process_data(
    open_with: OpenOffice, register: tuple[str, Count], tmp_path: Path
) -> None:
    file = tmp_path / "address"
    file.write_text(f"{register[0]}\n")
    office = open_with(BANSHI_SQL_LAND_FILE=str(file))
    published(
        office,
        calling(
            "sql",
            database="land",
            statement="SELECT id, owner, area FROM plots WHERE owner = :who OR id > :least",
            parameter__who="=application['applicant_name']",
            parameter__least="=2",
            result_variable="plots",
        ),
    )
    case = begun(office)
    done(office, case, "a", "foi_officer")
    drain(office)
    assert incidents_of(office, case) == []
    assert data_of(office, case)["plots"] == [
        {"id": 1, "owner": "张伟", "area": 12.5},
        {"id": 3, "owner": "x';--", "area": None},
    ]


def test_a_value_is_never_part_of_the_statement(register: tuple[str, Count]) -> None:
    url, count = register
    evil = "' OR '1'='1'; DELETE FROM plots; --"
    statement = "SELECT id FROM plots WHERE owner = :who"
    assert run(url, statement, parameter__who=evil) == []
    assert run(url, statement, parameter__who="x';--") == [{"id": 3}]
    assert count() == 3


def test_shapes_of_the_result(register: tuple[str, Count]) -> None:
    url, _ = register
    one = "SELECT owner, area FROM plots WHERE id = :id"
    assert run(url, one, parameter__id=2, result_format="row") == {"owner": "李静", "area": 7}
    assert run(url, one, parameter__id=2, result_format="value") == "李静"
    assert run(url, one, parameter__id=9, result_format="row") is None
    with pytest.raises(ConnectorFailed, match="more than 1 rows"):
        run(url, "SELECT id FROM plots", result_format="value")
    with pytest.raises(ConnectorFailed, match="more than 2 rows") as failed:
        run(url, "SELECT id FROM plots", max_rows="2")
    assert (failed.value.kinds, failed.value.again) == (("too_many",), False)


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM plots", "WITH x AS (SELECT 1) DELETE FROM plots", "UPDATE plots SET area = 0",
     "SELECT 1; DELETE FROM plots", "SELECT id FROM plots FOR UPDATE", "CALL x()", "PRAGMA x",
     "INSERT INTO plots VALUES (9)", "SELECT 1 INTO OUTFILE '/tmp/x'", "/*! DELETE */ SELECT 1",
     "SELECT 1 /*!; DELETE*/", "CREATE TABLE x (id INTEGER)"],
)  # fmt: skip
def test_nothing_but_one_query_is_run(register: tuple[str, Count], statement: str) -> None:
    url, count = register
    with pytest.raises(ConnectorFailed) as failed:
        run(url, statement)
    assert not failed.value.again
    assert count() == 3


def test_what_passes_as_a_query_still_changes_nothing(
    register: tuple[str, Count], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction holds, were the check of the words to be deceived."""
    monkeypatch.setattr("api.connectors.sql.checked", lambda statement: statement)
    url, count = register
    for statement in ("DELETE FROM plots", "SELECT 1; DELETE FROM plots"):
        with pytest.raises(ConnectorFailed):
            run(url, statement)
    assert count() == 3


def test_a_semicolon_in_a_text_is_no_second_statement() -> None:
    assert checked("SELECT 'a;b' ;") == "SELECT 'a;b'"
    assert checked("with x as (select 1) select * from x")


def test_a_slow_query_is_ended(register: tuple[str, Count]) -> None:
    url, _ = register
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
        "SELECT max(i) FROM n"
        if url.startswith("sqlite")
        else "SELECT SLEEP(30)"
    )
    began = time.monotonic()
    with pytest.raises(ConnectorFailed, match="takes too long") as failed:
        run(url, endless, timeout="1")
    assert time.monotonic() - began < 10
    assert failed.value.again


def test_a_column_too_many_is_told_without_anybodys_data(register: tuple[str, Count]) -> None:
    with pytest.raises(ConnectorFailed) as failed:
        run(register[0], "SELECT nothing FROM plots WHERE owner = :who", parameter__who="张伟")
    assert "nothing" in str(failed.value)
    assert "张伟" not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "words", "again"),
    [
        ("", "BANSHI_SQL_LAND is not set", False),
        ("postgresql://x", "not queried", False),
        ("sqlite:////nowhere/at/all.db", "unable to open", False),
        ("mysql+pymysql://u:hidden-word@127.0.0.1:1/x", "the database said", True),
    ],
)
def test_a_database_that_is_not_there(url: str, words: str, again: bool) -> None:
    with pytest.raises(ConnectorFailed, match=words) as failed:
        run(url, "SELECT 1")
    assert failed.value.again is again
    assert "hidden-word" not in str(failed.value)
