"""Connections: a pool that reads and one that writes, with settings that lose nothing.

Only a writing connection takes several statements in one packet (see `engine.store.rows`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DisconnectionError

from engine.store.tables.base import dump_json

LOCK_WAIT_SECONDS = 8
"""How long a statement waits for somebody else's lock: less than we wait for its answer."""
WRITE_SECONDS = 15
"""How long the answer to a write may take; a step takes milliseconds."""
READ_SECONDS = 30
TRUSTED_SECONDS = 5.0
"""How long a connection that lay unused is believed to be alive."""
TRUSTED_FOR_READING_SECONDS = 1.0
"""The same for one that reads: less than a database needs to come back, so that a read that could
succeed does not fail on a connection from before."""

_CONNECT: dict[str, Any] = {
    "charset": "utf8mb4",
    "connect_timeout": 5,
    "read_timeout": READ_SECONDS,
    "write_timeout": WRITE_SECONDS,
}
_POOL: dict[str, Any] = {
    "json_serializer": dump_json,
    "isolation_level": "READ COMMITTED",
    "pool_recycle": 1800,
    # What goes beyond the size is opened and closed each time: as many as a process has threads.
    "pool_size": 40,
    "max_overflow": 10,
    "pool_timeout": 10,
}


def open_engine(url: str, patient: bool = False) -> Engine:
    """A SQLAlchemy engine with the settings both databases need to lose nothing.

    A `patient` one waits for an answer as long as it takes, as changes of large tables do.
    """
    if url.startswith("sqlite"):
        engine = create_engine(url, json_serializer=dump_json)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    waits = {"read_timeout": None, "write_timeout": None} if patient else {}
    made = create_engine(url, **_POOL, connect_args=_CONNECT | waits)
    event.listen(made, "checkin", _note_the_time)
    event.listen(made, "checkout", _ask_before_reading)
    return made


@contextmanager
def patiently(engine: Engine) -> Iterator[Connection]:
    """A connection to the same database that waits for an answer as long as it takes."""
    patient = open_engine(engine.url.render_as_string(hide_password=False), patient=True)
    try:
        with patient.connect() as connection:
            yield connection
    finally:
        patient.dispose()


def open_aside(engine: Engine) -> Engine:
    """Connections for a look in the middle of a step, which must not wait for those of steps."""
    if engine.dialect.name != "sqlite":
        return engine
    made = create_engine(engine.url, poolclass=NullPool)
    event.listen(made, "connect", _prepare_sqlite)
    event.listen(made, "begin", _begin_sqlite)
    return made.execution_options(banshi_reads=True)


def open_for_writing(engine: Engine) -> Engine:
    """The pool of connections that take a whole step in one packet; on SQLite the same engine."""
    if engine.dialect.name == "sqlite":
        return engine
    settings = {
        "client_flag": CLIENT.MULTI_STATEMENTS | CLIENT.FOUND_ROWS,
        "read_timeout": WRITE_SECONDS,
        "init_command": f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}",
    }
    # Each transaction is ended by its own packet.
    made = create_engine(
        engine.url, **_POOL, pool_reset_on_return=None, connect_args=_CONNECT | settings
    )
    event.listen(made, "checkin", _note_the_time)
    event.listen(made, "checkout", _ask_whether_alive)
    return made


def _note_the_time(_: Any, record: Any) -> None:
    record.info["unused_since"] = time.monotonic()


def _ask_whether_alive(connection: Any, record: Any, _: Any) -> None:
    # A step may be a single packet, and a dead connection would leave it in doubt.
    _ask_unless_trusted(connection, record, TRUSTED_SECONDS)


def _ask_before_reading(connection: Any, record: Any, _: Any) -> None:
    _ask_unless_trusted(connection, record, TRUSTED_FOR_READING_SECONDS)


def _ask_unless_trusted(connection: Any, record: Any, seconds: float) -> None:
    since = record.info.get("unused_since")
    if since is None or time.monotonic() - since < seconds:
        return
    try:
        connection.ping(reconnect=False)
    except (pymysql.MySQLError, OSError) as error:
        raise DisconnectionError from error


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # The driver's own transactions lose updates silently; we begin them ourselves.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=5000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    reads = connection.get_execution_options().get("banshi_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
