"""The unit of work: one command, one transaction, and the only commit in the product.

`run` opens a transaction, runs the use case, commits, and only then gives the answer back. When
the database says that two transactions met (MySQL 1205, 1213; a locked SQLite file) the whole
command runs again, at most `ATTEMPTS` times; after that `StoreUnavailable` is raised and nothing
has changed. When the connection is lost between the commit and its answer, `run` finds out what
became of it; if that cannot be learned it raises `OutcomeUnknown`, never that nothing has changed.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Generic, NewType, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from engine.domain.ports import Ports
from engine.kernel.errors import EngineError, OutcomeUnknown, StoreUnavailable
from engine.kernel.faults import crash_point, defect
from engine.store.doubt import CommitUnanswered, leave_proof, proof_of, was_kept
from engine.store.failures import DATABASE_ERRORS, is_away, is_full, is_lost, may_repeat
from engine.store.idempotency import WriteRequest, aside, remember, result_of, write_request
from engine.store.pools import open_for_writing
from engine.store.recent import RecentCases
from engine.store.rows import Rows

log = logging.getLogger("banshi.store")
ReadSession = NewType("ReadSession", Session)
WriteSession = NewType("WriteSession", Session)
ATTEMPTS = 5
_DROP = "DELETE FROM jobs WHERE unique_key IN %s AND state <> 'running'"
PATIENCE = 10.0
"""After so many seconds a command is not tried again."""

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
        self.dropped_jobs: set[str] = set()
        """The keys of jobs that are deleted with the commit."""
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

    @property
    def uses_session(self) -> bool:
        return self._session is not None

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
        if self.dropped_jobs:
            # One that was promised again meanwhile is not among them.
            self.rows.later(_DROP, sorted(self.dropped_jobs))
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
        self._writing = open_for_writing(engine)
        self.recent = RecentCases()

    def close(self) -> None:
        """Close the connections that write."""
        self._writing.dispose()

    def run(self, use_case: Callable[[Work, C], R], command: C) -> R:
        """Run `use_case` with `command` and give its result after the commit.

        Raises what the use case raises (after a rollback), StoreUnavailable if nothing has
        changed, or OutcomeUnknown.
        """
        request = write_request.get()
        key = request.next_command() if request is not None else None
        recent: RecentCases | None = self.recent
        attempt, unsure, end = 1, False, time.monotonic() + PATIENCE
        while True:
            try:
                return self._once(use_case, command, recent, request, key)
            except _OutOfDate:
                recent = None
                continue
            except EngineError as error:
                return cast("R", self._refused(error, key))
            except CommitUnanswered as doubt:
                if key is None:
                    if request is not None and was_kept(self._reading, doubt.proof):
                        return cast("R", self._settled(doubt.work, request, doubt.result))
                    raise OutcomeUnknown from doubt
                # With the key it cannot be done twice.
                unsure = again = True
                problem: Exception = doubt
            except DATABASE_ERRORS as error:
                again = may_repeat(error) or getattr(error, "nothing_sent", False)
                if not (again or is_away(error) or is_full(error)):
                    raise
                problem = error
            if not again or attempt == ATTEMPTS or time.monotonic() > end:
                raise (OutcomeUnknown if unsure else StoreUnavailable) from problem
            time.sleep(random.uniform(0.002, 0.02) * attempt)  # noqa: S311
            attempt += 1

    def _refused(self, error: EngineError, key: str | None) -> Any:
        """The result if an equal request was carried out meanwhile; else raises `error`."""
        if key is not None:
            with _reachable(), self._opened(None) as work:
                done, result = result_of(work.rows, key)
            if done:
                return result
        if self._after_failure is not None:
            with aside():
                self._after_failure(self, error)
        raise error

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
        request: WriteRequest | None,
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
                elif request is not None:
                    leave_proof(work.rows, work.now, work.uses_session)
                work.commit()
            except (EngineError, *DATABASE_ERRORS) as error:
                if work.committing and is_lost(error):
                    raise CommitUnanswered(work, result, proof_of(work.rows)) from error
                # It may be so only on the rows that were recalled.
                if work.recalled and not is_away(error):
                    self._drop_recalled(work)
                    raise _OutOfDate from error
                raise
        return cast("R", self._settled(work, request, result))

    def _settled(self, work: Work, request: WriteRequest | None, result: Any) -> Any:
        """After the commit: remember what was written, wake the workers, give the result."""
        if request is not None:
            request.changed = True
        self.recent.keep(work.rows, complete=not work.uses_session)
        if work.kinds_to_wake:
            self.ports.waker.wake(sorted(work.kinds_to_wake))
        return result

    def _drop_recalled(self, work: Work) -> None:
        for case_id in work.recalled:
            self.recent.drop(case_id)

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
                if is_away(error) and not (work.committing and is_lost(error)):
                    error.nothing_sent = True  # type: ignore[attr-defined]
                self._abandon(connection, error)
                raise

    def _abandon(self, connection: Connection, error: BaseException) -> None:
        """Undo on the connection, or give it up; if the database went away, all of them."""
        away = isinstance(error, CommitUnanswered) or is_away(error)
        if isinstance(error, Exception) and not away:
            with suppress(*DATABASE_ERRORS):
                connection.connection.rollback()
                return
        connection.invalidate()
        if away:
            # Those that read have gone with them.
            for pool in (self._writing, self.engine):
                pool.dispose(close=False)

    @contextmanager
    def read_rows(self) -> Iterator[Rows]:
        """Rows that are only read, for what every page wants first. Raises StoreUnavailable."""
        with _reachable(), self._reading.connect() as connection:
            yield Rows(connection)

    @contextmanager
    def read(self, snapshot: bool = False) -> Iterator[ReadSession]:
        """A session that only reads; nothing it does is kept. Raises StoreUnavailable.

        With `snapshot` all of its queries see the database as it was at the first.
        """
        engine = self._reading
        if snapshot and engine.dialect.name != "sqlite":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with _reachable(), Session(engine) as session:
            yield ReadSession(session)
            # What was read stays readable after the session has ended.
            session.expunge_all()


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except DATABASE_ERRORS as error:
        if is_away(error) or is_full(error):
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
