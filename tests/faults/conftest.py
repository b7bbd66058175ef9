"""An office whose database stands behind a proxy that can be made to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pymysql
import pytest
from sqlalchemy.engine import make_url

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from tests.connectors.conftest import open_with  # noqa: F401 - a fixture
from tests.faults.support.proxy import Proxy, proxy


@dataclass(frozen=True)
class Behind:
    """`wired` reaches its database through the `proxy`; `direct` does not."""

    wired: Application
    proxy: Proxy
    direct: Application


NewDatabase = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def new_database(mariadb_url: str) -> NewDatabase:
    """Makes an empty database on MariaDB for as long as the context lasts; gives its address."""
    server = make_url(mariadb_url)

    def execute(statement: str) -> None:
        with (
            pymysql.connect(
                host=server.host or "127.0.0.1",
                port=server.port or 3306,
                user=server.username,
                password=server.password or "",
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    @contextmanager
    def new() -> Iterator[str]:
        name = f"f{uuid4().hex}"
        execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield server.set(database=name).render_as_string(hide_password=False)
        execute(f"DROP DATABASE {name}")

    return new


@pytest.fixture
def behind(new_database: NewDatabase, tmp_path: Path) -> Iterator[Behind]:
    """An office on MariaDB behind a proxy."""
    with new_database() as address:
        url = make_url(address)
        with proxy(url.port or 3306) as made:
            direct = _office(address, tmp_path)
            migrate(direct.engine)
            open_office(direct)
            through = url.set(host="127.0.0.1", port=made.port)
            wired = _office(through.render_as_string(hide_password=False), tmp_path)
            try:
                yield Behind(wired, made, direct)
            finally:
                made.heal()
                wired.close()
                direct.close()


def _office(url: str, folder: Path) -> Application:
    environment = {"BANSHI_DATABASE_URL": url, "BANSHI_DATA_DIR": str(folder), "BANSHI_DEMO": "1"}
    return wire(read_settings(environment), waker=ThreadWaker())
