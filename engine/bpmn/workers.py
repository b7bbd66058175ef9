"""The sandbox's worker processes, each in the jail of jail.py, and the sessions held open in them.

A session has read the helpers once and is used for many sources, one at a time: that halves the
time of each. Nothing of a source stays behind but definitions a later one cannot name, so a
session is closed after some turns, and at once after any failure.

Run as a program (`python -P workers.py`), it serves one forked process: see broker.py.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import queue
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pydantic_monty

MAX_SECONDS = 0.5
MAX_MEMORY = 32_000_000
MAX_PRINTED = 64_000
PROCESSES = 2
WAIT = 10.0
_GRACE = 0.07  # what a worker may take longer, before it is killed
_NOTICED = 0.1  # the longest it takes to find that a worker is dead
_TURNS = 200  # of a session
_SESSIONS = 50  # of a worker
_JAIL = str(Path(__file__).with_name("jail.py"))
_LIMITS: pydantic_monty.ResourceLimits = {
    "max_feed_duration_secs": MAX_SECONDS,
    "max_memory": MAX_MEMORY,
    "max_recursion_depth": 200,
    "max_suspensions": 1,
    "max_total_sleep_secs": 0.0,
}


class SandboxFailed(Exception):
    """The source did not end well; `str()` says why, in the sandbox's words."""


class WorkersLost(SandboxFailed):
    """No worker starts any more, so that the pool must be made anew."""


class Workers:
    """A pool of workers. Safe in threads; of no use in a process forked off later."""

    def __init__(self, prelude: str) -> None:
        import pydantic_monty

        self._prelude = prelude
        self._pool = pydantic_monty.Monty(
            binary_path=_launcher(),
            min_processes=1,
            max_processes=PROCESSES,
            request_timeout=5.0,
            checkout_timeout=WAIT,
            max_checkouts_per_worker=_SESSIONS,
            feed_duration_limit_grace=_GRACE,
        )
        self._pool.__enter__()
        # One place a process: the session last used there, or None. The last one back is next.
        self._places: queue.LifoQueue[_Session | None] = queue.LifoQueue()
        self._opened: set[_Session] = set()
        for _ in range(PROCESSES):
            self._places.put(None)

    def run(self, source: str, inputs: dict[str, Any], definition: str = "") -> Any:
        """The value of the last expression of `source`. Raises SandboxFailed."""
        import pydantic_monty

        try:
            session = self._places.get(timeout=WAIT)
        except queue.Empty:
            raise SandboxFailed("all workers are busy") from None
        kept = None
        try:
            value, kept = self._run(session, source, inputs, definition)
            return value
        except SandboxFailed:
            raise
        except (pydantic_monty.MontyError, OSError, RuntimeError, ValueError, TypeError) as error:
            raise SandboxFailed(str(error)[:300]) from error
        finally:
            self._places.put(kept)

    def close(self) -> None:
        """End the workers."""
        for session in tuple(self._opened):
            self._close(session)
        self._pool.__exit__(None, None, None)

    def _run(
        self, session: _Session | None, source: str, inputs: dict[str, Any], definition: str
    ) -> tuple[Any, _Session | None]:
        import pydantic_monty

        old, session = session, session or self._open()
        started = time.monotonic()
        try:
            value = session.feed(source, inputs, definition)
        except pydantic_monty.MontyCrashedError as error:
            self._close(session)
            if old is None or error.timed_out or time.monotonic() - started > _NOTICED:
                raise
            # It had died before, which is no fault of the source.
            return self._run(None, source, inputs, definition)
        except BaseException:
            self._close(session)
            raise
        if session.turns < _TURNS:
            return value, session
        self._close(session)
        return value, None

    def _open(self) -> _Session:
        try:
            session = _Session(self._pool)
        except (OSError, RuntimeError) as error:
            # Who became a daemon, for one, has closed the launcher with all other files.
            raise WorkersLost(str(error)[:300]) from error
        self._opened.add(session)
        try:
            session.feed(self._prelude, {})
        except BaseException:
            self._close(session)
            raise
        return session

    def _close(self, session: _Session) -> None:
        self._opened.discard(session)
        with contextlib.suppress(Exception):
            session.close()


class _Session:
    def __init__(self, pool: pydantic_monty.Monty) -> None:
        self._held = pool.checkout(limits=_LIMITS)
        self._held.__enter__()
        self.turns = 0
        self._defined: set[str] = set()

    def feed(self, source: str, inputs: dict[str, Any], definition: str = "") -> Any:
        import pydantic_monty

        self.turns += 1
        if definition not in self._defined:
            self._defined.add(definition)
            source = f"{definition}\n{source}"
        printed = pydantic_monty.CollectString(MAX_PRINTED)
        return self._held.feed_run(source, inputs=inputs, print_callback=printed)

    def close(self) -> None:
        self._held.__exit__(None, None, None)


def _launcher() -> str | None:
    """The program the pool starts as its worker: a script that runs the jail with the true one.

    It is a file in memory, as folders for temporary files are swept, or forbid programs.
    """
    if not hasattr(os, "memfd_create"):
        return None
    from pydantic_monty._binary import find_monty_binary

    words = shlex.join([sys.executable, "-I", "-S", _JAIL, find_monty_binary()])
    script = os.memfd_create("banshi-jail", os.MFD_ALLOW_SEALING)
    os.write(script, f'#!/bin/sh\nexec {words} "$@"\n'.encode())
    seal_writing = 0x0001 | 0x0002 | 0x0004 | 0x0008
    import fcntl

    fcntl.fcntl(script, fcntl.F_ADD_SEALS, seal_writing)
    os.set_inheritable(script, True)
    return f"/proc/self/fd/{script}"


def jail_report() -> list[str]:
    """A sentence for each wall around the workers that cannot be put up here."""
    if not hasattr(os, "memfd_create"):
        return ["The workers of scripts are confined on Linux only."]
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", _JAIL, "--report"],
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=True,
            env={},
        )
    except (OSError, subprocess.SubprocessError) as error:
        return [f"The workers of scripts cannot be confined: {error}"]
    return done.stdout.splitlines()


def send(stream: IO[bytes], message: Any) -> None:
    """Write plain data with its length. Raises ValueError if it is not plain."""
    told = marshal.dumps(message)
    stream.write(len(told).to_bytes(8, "big") + told)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """What `send` wrote at the other end of the pipe. Raises EOFError."""
    length = stream.read(8)
    if len(length) < 8:
        raise EOFError
    return marshal.loads(stream.read(int.from_bytes(length, "big")))  # noqa: S302 (own process)


def main() -> None:
    """Answer requests from the standard input until it ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    try:
        workers = Workers(receive(requests))
        while True:
            source, inputs, definition = receive(requests)
            try:
                send(answers, [workers.run(source, inputs, definition), None])
            except (SandboxFailed, ValueError) as error:
                send(answers, [None, str(error)])
    except EOFError:
        workers.close()


if __name__ == "__main__":
    main()
