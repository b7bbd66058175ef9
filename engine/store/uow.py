"""The unit of work: one command, one transaction, and the only commit in the product.

`run` opens a transaction, runs the use case, commits, and only then gives the answer back. When
the database says that two transactions met (MySQL 1205, 1213; a locked SQLite file) the whole
command runs again, at most `ATTEMPTS` times; after that `StoreUnavailable` is raised and nothing
has changed.

Reads and writes have pools of their own: only a writing connection takes several statements in
one packet (see `engine.store.rows`).
"""

from __future__ import annotations

import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Generic, NewType, TypeVar, cast

import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from engine.domain.ports import Ports
from engine.kernel.errors import EngineError, StoreUnavailable
from engine.kernel.faults import crash_point, defect
from engine.store.idempotency import remember, request_key, result_of
from engine.store.recent import RecentCases
from engine.store.rows import Rows
from engine.store.tables.base import dump_json

log = logging.getLogger("banshi.store")
ReadSession = NewType("ReadSession", Session)
WriteSession = NewType("WriteSession", Session)
ATTEMPTS = 5
_DUPLICATE = 1062
_MET = {1205, 1213, 1020}
_AWAY = {0, 1040, 1053, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013, 2014, 2055}
_FULL = {1021, 1114}

_DATABASE_ERRORS = (DBAPIError, pymysql.MySQLError, sqlite3.Error, OSError)

C = TypeVar("C")
R = TypeVar("R")


class _OutOfDate(Exception):
    """A step on recalled rows came to nothing; they may not be what the database holds."""


class Work:
    """What a use case works with: the rows, the ports, and the one instant it happens at."""

    def __init__(
        self,
        connection: Connection,
        ports: Ports,
        now: datetime,
        recent: RecentCases | None = None,
    ) -> None:
        self.rows = Rows(connection)
        self.recent = recent
        """The cases this process has just written, if they may be relied on."""
        self.ports = ports
        self.now = now
        self.kinds_to_wake: set[str] = set()
        self.locked: set[str] = set()
        """The cases whose rows this transaction has locked, or has recalled."""
        self.recalled: set[str] = set()
        self.clocks: dict[str, dict[str, Any]] = {}
        """The clocks of the cases whose clocks were read, by case and key."""
        self.committing = False
        self._connection = connection
        self._session: WriteSession | None = None

    @property
    def session(self) -> WriteSession:
        """The object-relational session of the same transaction, for what is not hot."""
        self.rows.flush()
        if self._session is None:
            self._session = WriteSession(Session(self._connection, expire_on_commit=False))
        return self._session

    def wake_after_commit(self, kind: str) -> None:
        """Nudge the workers for jobs of `kind` once this transaction is safe."""
        self.kinds_to_wake.add(kind)

    def commit(self) -> None:
        """Send every change and commit."""
        if self._session is not None:
            self._session.flush()
        crash_point("before_commit")
        if defect("commit_forgotten"):
            return
        self.committing = True
        if self._connection.dialect.name == "sqlite":
            self.rows.flush()
            self._connection.commit()
        else:
            # With the changes, in the same round trip.
            self.rows.flush("COMMIT")
        crash_point("after_commit")

    def close(self) -> None:
        """Let go of the session; what it read stays readable."""
        if self._session is not None:
            self._session.expunge_all()


def open_engine(url: str) -> Engine:
    """A SQLAlchemy engine with the settings both databases need to lose nothing."""
    if url.startswith("sqlite"):
        engine = create_engine(url, json_serializer=dump_json)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, **_POOL, pool_pre_ping=True, connect_args=_CONNECT)


_CONNECT: dict[str, Any] = {
    "charset": "utf8mb4",
    "connect_timeout": 5,
    "read_timeout": 30,
    "write_timeout": 30,
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


def _open_for_writing(engine: Engine) -> Engine:
    """The pool of connections that take a whole step in one packet; on SQLite the same engine."""
    if engine.dialect.name == "sqlite":
        return engine
    flags = {"client_flag": CLIENT.MULTI_STATEMENTS | CLIENT.FOUND_ROWS}
    # Each transaction is ended by its own packet; a stale connection shows at the first one.
    return create_engine(
        engine.url, **_POOL, pool_reset_on_return=None, connect_args=_CONNECT | flags
    )


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


class UnitOfWork:
    """Runs use cases, each in one transaction."""

    def __init__(
        self,
        engine: Engine,
        ports: Ports,
        after_failure: Callable[[UnitOfWork, Exception], None] | None = None,
    ) -> None:
        self.engine = engine
        self.ports = ports
        self._after_failure = after_failure
        self._reading = engine.execution_options(banshi_reads=True)
        self._writing = _open_for_writing(engine)
        self.recent = RecentCases()

    def close(self) -> None:
        """Close the connections that write."""
        self._writing.dispose()

    def run(self, use_case: Callable[[Work, C], R], command: C) -> R:
        """Run `use_case` with `command` and give its result after the commit.

        Raises what the use case raises (after a rollback), or StoreUnavailable.
        """
        recent: RecentCases | None = self.recent
        request = request_key.get()
        key = request.next_command() if request is not None else None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(use_case, command, recent, key)
            except _OutOfDate:
                recent = None
            except EngineError as error:
                # The first of two equal requests may have been carried out meanwhile.
                done, result = self._done_before(key) if key is not None else (False, None)
                if done:
                    return cast("R", result)
                if self._after_failure is not None:
                    self._after_failure(self, error)
                raise
            except _DATABASE_ERRORS as error:
                again = _may_repeat(error) or getattr(error, "nothing_sent", False)
                if not again or attempt == ATTEMPTS:
                    if again or _is_away(error):
                        raise StoreUnavailable from error
                    raise
                time.sleep(random.uniform(0.002, 0.02) * attempt)  # noqa: S311
        raise AssertionError("unreachable")

    def run_together(
        self,
        use_case: Callable[[Work, C], R],
        commands: Sequence[C],
        prepare: Callable[[Work, Sequence[C]], None] | None = None,
    ) -> list[R | Exception]:
        """Run a command for each of several cases in one transaction; results in their order.

        `prepare` may read what all of them need at once. If one of them cannot be carried out,
        each runs in a transaction of its own, and the result of those that fail is the error.
        Two commands must not be for the same case.
        """
        if len(commands) > 1:
            try:
                return list(self.run(_Together(use_case, prepare), commands))
            except Exception as error:
                log.info("%s commands do not go together: %s", len(commands), error)
        results: list[R | Exception] = []
        for command in commands:
            try:
                results.append(self.run(use_case, command))
            except Exception as error:  # the caller decides for each what becomes of it
                results.append(error)
        return results

    def _once(
        self,
        use_case: Callable[[Work, C], R],
        command: C,
        recent: RecentCases | None,
        key: str | None,
    ) -> R:
        with self._opened(recent) as work:
            try:
                done, result = result_of(work.rows, key) if key is not None else (False, None)
                if done:
                    return cast("R", result)
                result = use_case(work, command)
                if work.recalled and not work.rows.has_changes():
                    # Nothing to do, and nothing that would show whether the rows were old.
                    self._drop_recalled(work)
                    raise _OutOfDate
                if key is not None:
                    remember(work.rows, key, result, work.now)
                work.commit()
            except (EngineError, *_DATABASE_ERRORS) as error:
                # It may be so only on the rows that were recalled.
                if work.recalled and not _is_away(error):
                    self._drop_recalled(work)
                    raise _OutOfDate from error
                raise
        self.recent.keep(work.rows)
        if work.kinds_to_wake:
            self.ports.waker.wake(sorted(work.kinds_to_wake))
        return result

    def _drop_recalled(self, work: Work) -> None:
        for case_id in work.recalled:
            self.recent.drop(case_id)

    def _done_before(self, key: str) -> tuple[bool, Any]:
        with self._opened(None) as work:
            return result_of(work.rows, key)

    @contextmanager
    def _opened(self, recent: RecentCases | None) -> Iterator[Work]:
        with self._writing.connect() as connection:
            work = Work(connection, self.ports, self.ports.clock.now(), recent)
            try:
                if connection.dialect.name == "sqlite":
                    connection.begin()
                yield work
                work.close()
                if not work.committing:
                    # The pool does not end transactions.
                    connection.connection.rollback()
            except BaseException as error:
                if _is_away(error) and not work.committing:
                    error.nothing_sent = True  # type: ignore[attr-defined]
                self._abandon(connection, error)
                raise

    def _abandon(self, connection: Connection, error: BaseException) -> None:
        """Undo on the connection, or give it up; if the database went away, all of them."""
        if isinstance(error, Exception) and not _is_away(error):
            with suppress(DBAPIError, pymysql.MySQLError, sqlite3.Error, OSError):
                connection.connection.rollback()
                return
        connection.invalidate()
        if _is_away(error):
            self._writing.dispose(close=False)

    @contextmanager
    def read_rows(self) -> Iterator[Rows]:
        """Rows that are only read, for what every page wants first. Raises StoreUnavailable."""
        try:
            with self._reading.connect() as connection:
                yield Rows(connection)
        except _DATABASE_ERRORS as error:
            if _is_away(error):
                raise StoreUnavailable from error
            raise

    @contextmanager
    def read(self, snapshot: bool = False) -> Iterator[ReadSession]:
        """A session that only reads; nothing it does is kept. Raises StoreUnavailable.

        With `snapshot` all of its queries see the database as it was at the first.
        """
        engine = self._reading
        if snapshot and engine.dialect.name != "sqlite":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        try:
            with Session(engine) as session:
                yield ReadSession(session)
                # What was read stays readable after the session has ended.
                session.expunge_all()
        except DBAPIError as error:
            if _is_away(error):
                raise StoreUnavailable from error
            raise


class _Together(Generic[C, R]):
    """Several commands as one use case; what fails alone must not spoil what was written."""

    def __init__(
        self,
        use_case: Callable[[Work, C], R],
        prepare: Callable[[Work, Sequence[C]], None] | None,
    ) -> None:
        self._use_case, self._prepare = use_case, prepare

    def __call__(self, work: Work, commands: Sequence[C]) -> list[R]:
        if self._prepare is not None:
            self._prepare(work, commands)
        return [self._use_case(work, command) for command in commands]


def _number(error: BaseException) -> int | None:
    args = getattr(getattr(error, "orig", error), "args", ())
    return args[0] if args and isinstance(args[0], int) else None


def _may_repeat(error: Exception) -> bool:
    """Whether two transactions met and the second may simply try again."""
    text = str(getattr(error, "orig", error))
    if isinstance(error, IntegrityError | sqlite3.IntegrityError | pymysql.err.IntegrityError):
        # Two writers inserted the same key: the second sees the first's row on its next try.
        return _number(error) == _DUPLICATE or "UNIQUE" in text
    return _number(error) in _MET or "database is locked" in text


def _is_away(error: BaseException) -> bool:
    """Whether the database does not answer, or has no room left to write."""
    if isinstance(error, pymysql.err.InterfaceError | OSError):
        return True
    database = isinstance(error, DBAPIError | pymysql.MySQLError)
    return database and _number(error) in _AWAY | _FULL
