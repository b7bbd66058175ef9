"""One process changes the tables at a time, whoever else is started at the same moment."""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

PATIENCE = 3600.0
_PAUSE = 0.2


class AnotherMigrates(Exception):
    """Another process has been changing the tables for longer than anybody wants to wait."""


@contextmanager
def alone(
    engine: Engine, waiting: Callable[[], None] = lambda: None, patience: float = PATIENCE
) -> Iterator[None]:
    """Hold the lock; `waiting` is told once if another process has it. Raises AnotherMigrates."""
    if engine.dialect.name == "sqlite":
        with _file_locked(engine, waiting, patience):
            yield
        return
    with engine.connect() as connection:
        _wait(lambda: _named_lock(connection, engine), waiting, patience)
        try:
            yield
        finally:
            # Closed and not given back: the lock ends with the connection.
            connection.invalidate()


def _named_lock(connection: Connection, engine: Engine) -> bool:
    # The name is the server's, so the database is part of it.
    name = hashlib.sha256(str(engine.url.database).encode()).hexdigest()[:32]
    taken = connection.exec_driver_sql(f"SELECT GET_LOCK('banshi.migrate.{name}', 0)").scalar()
    return bool(taken)


@contextmanager
def _file_locked(engine: Engine, waiting: Callable[[], None], patience: float) -> Iterator[None]:
    if not engine.url.database or engine.url.database == ":memory:":
        yield
        return
    path = Path(f"{engine.url.database}.migrating")
    with path.open("a") as file:

        def take() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait(take, waiting, patience)
        yield


def _wait(take: Callable[[], bool], waiting: Callable[[], None], patience: float) -> None:
    end, told = time.monotonic() + patience, False
    while not take():
        if not told:
            waiting()
            told = True
        if time.monotonic() > end:
            raise AnotherMigrates
        time.sleep(_PAUSE)
