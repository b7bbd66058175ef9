"""Child processes that know everything when they are born, and die where a test says."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

PRELOADED = ["tests.faults.support.acts", "tests.faults.support.seeded"]
SECONDS = 60
Act = Callable[[Mapping[str, str], Callable[[str], None]], None]
"""Does something with the environment it is given, and tells what was acknowledged."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOADED)


class Nursery:
    """Forks a child for each act off a process that has read the packages on offer."""

    def __init__(self, orders: Connection, told: Connection) -> None:
        self._orders, self._told = orders, told
        self.child = 0
        """The process id of the child that was born last."""

    def played(
        self, act: Act, environment: Mapping[str, str], crash_at: str = "", defect: str = ""
    ) -> tuple[int, list[str]]:
        """How the child that ran `act` ended, and what it had told until then.

        ``crash_at`` and ``defect`` are those of `engine.kernel.faults`.
        """
        self._orders.send((act, dict(environment), crash_at, defect))
        told: list[str] = []
        while self._told.poll(SECONDS):
            kind, each = self._told.recv()
            if kind == "ended":
                return each, told
            if kind == "born":
                self.child = each
            else:
                told.append(each)
        raise TimeoutError(f"{act.__name__} does not end")

    def kill(self) -> None:
        """Kill -9 the child that was born last."""
        assert self.child
        os.kill(self.child, signal.SIGKILL)


@contextmanager
def nursery(environment: Mapping[str, str]) -> Iterator[Nursery]:
    """A nursery for the installation that the environment describes."""
    its_orders, orders = _context.Pipe(duplex=False)
    told, its_told = _context.Pipe(duplex=False)
    process = _context.Process(target=_serve, args=(dict(environment), its_orders, its_told))
    process.start()
    its_orders.close()
    its_told.close()
    try:
        yield Nursery(orders, told)
    finally:
        orders.close()
        process.join(SECONDS)
        told.close()


def _serve(environment: dict[str, str], orders: Connection, told: Connection) -> None:
    _warm(environment)
    while True:
        try:
            act, given, crash_at, defect = orders.recv()
        except EOFError:
            return
        pid = os.fork()
        if pid == 0:
            _be_born(act, given, crash_at, defect, told)
        told.send(("born", pid))
        _, status = os.waitpid(pid, 0)
        told.send(("ended", os.waitstatus_to_exitcode(status)))


def _be_born(act: Act, given: Any, crash_at: str, defect: str, told: Connection) -> None:
    from engine.kernel import faults

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faults._CRASH_AT, _, faults._TIMES = crash_at.partition(":")
    faults._DEFECT = defect or None
    code = 1
    try:
        act(given, lambda what: told.send(("told", what)))
        code = 0
    except BaseException as error:
        told.send(("told", f"{type(error).__name__}: {error}"))
    finally:
        os._exit(code)


def _warm(environment: Mapping[str, str]) -> None:
    """Read the packages on offer, so that no child has to."""
    from sqlalchemy import select

    from api.settings import read_settings
    from api.wiring import wired
    from engine.store.tables import OfferedServiceRow
    from engine.usecases.definition import definition

    with wired(read_settings(environment)) as application, application.uow.read() as session:
        for offered in session.scalars(select(OfferedServiceRow)):
            definition(session, offered.package_version_id, application.ports)
