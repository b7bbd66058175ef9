"""Further databases of a test, of either kind, and all that is in one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.engine import make_url

from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.kernel.clock import Clock
from engine.store.pools import open_engine


@contextlib.contextmanager
def fresh_database(kind: str, folder: Path, mariadb_url: str | None = None) -> Iterator[str]:
    """The address of an empty database of this kind, gone afterwards."""
    name = f"t{uuid4().hex}"
    if kind == "sqlite":
        yield f"sqlite:///{folder / name}.db"
        return
    assert mariadb_url is not None
    server = make_url(mariadb_url).set(drivername="mysql+pymysql")
    engine = create_engine(server)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield server.set(database=name).render_as_string(hide_password=False)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
    finally:
        engine.dispose()


@contextlib.contextmanager
def opened(url: str, folder: Path, clock: Clock | None = None) -> Iterator[Application]:
    """The product on the database, whatever tables it has, with its files in `folder`."""
    folder.mkdir(exist_ok=True)
    settings = read_settings({"BANSHI_DATABASE_URL": url, "BANSHI_DATA_DIR": str(folder)})
    application = wire(settings, clock, ThreadWaker())
    try:
        yield application
    finally:
        application.close()


def everything(url: str, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table as it means the same on both kinds, in the order of the keys."""
    from engine.store.tables import Base

    engine = open_engine(url)
    try:
        found = MetaData()
        found.reflect(engine)
        assert set(found.tables) - {"alembic_version"} == set(Base.metadata.tables)
        with engine.connect() as connection:
            return {
                table.name: [
                    tuple(row)
                    for row in connection.execute(select(table).order_by(*table.primary_key))
                ]
                for table in Base.metadata.sorted_tables
                if table.name not in without
            }
    finally:
        engine.dispose()
