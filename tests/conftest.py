"""What tests share: real databases, a real Redis, and the wired product on a movable clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pymysql
import pytest
from sqlalchemy.engine import make_url

from api.demo.office import open_office
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.kernel.clock import SettableClock
from tests.support import servers

REQUIRED = os.environ.get("BANSHI_REQUIRE_SERVICES") == "1"
BEGINNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def leave_out(what: str) -> None:
    """Skip the test for want of `what`, or fail where nothing may be left out."""
    if REQUIRED:
        pytest.fail(f"{what} is missing, and BANSHI_REQUIRE_SERVICES=1")
    pytest.skip(f"{what} is missing: run make services")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright's event loop would break what comes after it.
    items.sort(key=lambda item: "tests/browser" in str(item.path))


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    given = os.environ.get("BANSHI_TEST_MYSQL_URL")
    if given:
        yield given
    elif servers.binary("mariadbd") is None:
        leave_out("MariaDB")
    else:
        with servers.mariadb() as url:
            yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    given = os.environ.get("BANSHI_TEST_REDIS_URL")
    if given:
        yield given
    elif servers.binary("redis-server") is None:
        leave_out("Redis")
    else:
        with servers.redis_server() as url:
            yield url


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, empty database; each test that asks for one runs on both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server = make_url(request.getfixturevalue("mariadb_url"))
    name = f"t{uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield server.set(database=name).render_as_string(hide_password=False)
    _execute(server, f"DROP DATABASE {name}")


def _execute(server: object, statement: str) -> None:
    url = make_url(server)  # type: ignore[arg-type]
    connection = pymysql.connect(
        host=url.host or "127.0.0.1",
        port=url.port or 3306,
        user=url.username or "root",
        password=url.password or "",
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(BEGINNING)


@pytest.fixture
def office(database_url: str, tmp_path: Path, clock: SettableClock) -> Iterator[Application]:
    """The wired product with the demonstration's people and packages."""
    yield from _opened(database_url, tmp_path, clock)


@pytest.fixture
def small_office(tmp_path: Path, clock: SettableClock) -> Iterator[Application]:
    """The same on SQLite only, for what does not depend on the database."""
    yield from _opened(f"sqlite:///{tmp_path / 'test.db'}", tmp_path, clock)


def _opened(url: str, folder: Path, clock: SettableClock) -> Iterator[Application]:
    settings = read_settings(
        {"BANSHI_DATABASE_URL": url, "BANSHI_DATA_DIR": str(folder), "BANSHI_DEMO": "1"}
    )
    wired = wire(settings, clock, ThreadWaker())
    try:
        wired.bring_up_to_date()
        open_office(wired)
        yield wired
    finally:
        wired.close()
