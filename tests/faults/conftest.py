"""An office whose database stands behind a proxy that can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator
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
from tests.faults.support.proxy import Proxy, proxy


@dataclass(frozen=True)
class Behind:
    """`wired` reaches its database through the `proxy`; `direct` does not."""

    wired: Application
    proxy: Proxy
    direct: Application


@pytest.fixture
def behind(mariadb_url: str, tmp_path: Path) -> Iterator[Behind]:
    """An office on MariaDB behind a proxy."""
    server = make_url(mariadb_url)
    name = f"f{uuid4().hex}"
    settings = {"host": "127.0.0.1", "port": server.port, "user": server.username}
    with pymysql.connect(**settings) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    with proxy(int(server.port or 3306)) as made:
        url = server.set(database=name)
        direct = _office(url, tmp_path)
        migrate(direct.engine)
        open_office(direct)
        wired = _office(url.set(port=made.port), tmp_path)
        try:
            yield Behind(wired, made, direct)
        finally:
            made.heal()
            wired.close()
            direct.close()
    with pymysql.connect(**settings) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


def _office(url: object, folder: Path) -> Application:
    text = url.render_as_string(hide_password=False)  # type: ignore[attr-defined]
    environment = {"BANSHI_DATABASE_URL": text, "BANSHI_DATA_DIR": str(folder), "BANSHI_DEMO": "1"}
    return wire(read_settings(environment), waker=ThreadWaker())
