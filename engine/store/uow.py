"""The unit of work: one command, one transaction, and the only commit in the product.

`run` opens a transaction, runs the use case, commits, and only then gives the answer back. When
the database says that two transactions met (MySQL 1205, 1213; a locked SQLite file) the whole
command runs again, at most `ATTEMPTS` times; after that `StoreUnavailable` is raised and nothing
has changed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from engine.domain.ports import Ports
from engine.kernel.errors import EngineError, StoreUnavailable
from engine.kernel.faults import crash_point
from engine.store.tables.base import dump_json

ReadSession = NewType("ReadSession", Session)
WriteSession = NewType("WriteSession", Session)
ATTEMPTS = 3
_DUPLICATE = 1062
_MET = {1205, 1213, 1020}
_AWAY = {2002, 2003, 2006, 2013, 2055, 1040, 1053}
_WAKE = "kinds_to_wake"

C = TypeVar("C")
R = TypeVar("R")


@dataclass(frozen=True)
class Work:
    """What a use case works with: a write session, the ports, and the one instant it happens at."""

    session: WriteSession
    ports: Ports
    now: datetime

    def wake_after_commit(self, kind: str) -> None:
        """Nudge the workers for jobs of `kind` once this transaction is safe."""
        self.session.info.setdefault(_WAKE, set()).add(kind)


def open_engine(url: str) -> Engine:
    """A SQLAlchemy engine with the settings both databases need to lose nothing."""
    if url.startswith("sqlite"):
        engine = create_engine(url, json_serializer=dump_json)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        json_serializer=dump_json,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_recycle=1800,
        pool_size=10,
        max_overflow=20,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": 5,
            "read_timeout": 30,
            "write_timeout": 30,
        },
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

    def run(self, use_case: Callable[[Work, C], R], command: C) -> R:
        """Run `use_case` with `command` and give its result after the commit.

        Raises what the use case raises (after a rollback), or StoreUnavailable.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(use_case, command)
            except EngineError as error:
                if self._after_failure is not None:
                    self._after_failure(self, error)
                raise
            except (DBAPIError, OSError) as error:
                if not _may_repeat(error) or attempt == ATTEMPTS:
                    if _is_away(error) or _may_repeat(error):
                        raise StoreUnavailable from error
                    raise
                time.sleep(random.uniform(0.005, 0.03) * attempt)  # noqa: S311
        raise AssertionError("unreachable")

    def _once(self, use_case: Callable[[Work, C], R], command: C) -> R:
        with Session(self.engine, expire_on_commit=False) as session:
            work = Work(WriteSession(session), self.ports, self.ports.clock.now())
            result = use_case(work, command)
            session.flush()
            crash_point("before_commit")
            session.commit()
            crash_point("after_commit")
            kinds = session.info.pop(_WAKE, None)
        if kinds:
            self.ports.waker.wake(sorted(kinds))
        return result

    @contextmanager
    def read(self) -> Iterator[ReadSession]:
        """A session that only reads; nothing it does is kept. Raises StoreUnavailable."""
        try:
            with Session(self._reading) as session:
                yield ReadSession(session)
                # What was read stays readable after the session has ended.
                session.expunge_all()
        except DBAPIError as error:
            if _is_away(error):
                raise StoreUnavailable from error
            raise


def _number(error: Exception) -> int | None:
    args = getattr(getattr(error, "orig", None), "args", ())
    return args[0] if args and isinstance(args[0], int) else None


def _may_repeat(error: Exception) -> bool:
    """Whether two transactions met and the second may simply try again."""
    if isinstance(error, IntegrityError):
        # Two writers inserted the same key: the second sees the first's row on its next try.
        return _number(error) == _DUPLICATE or "UNIQUE" in str(error.orig)
    if _number(error) in _MET:
        return True
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


def _is_away(error: Exception) -> bool:
    return _number(error) in _AWAY or isinstance(error, OSError)
