"""The sandbox of a process that was forked off one which had workers already.

The client of the workers does not survive a fork: it shares its event queue with the parent's, so
that a call in the child hangs, and makes the parent's hang. The child asks a new process instead,
which has workers of its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
from typing import Any

from engine.bpmn import workers
from engine.bpmn.workers import SandboxFailed

_WAIT = 15.0


class Broker:
    """Runs sources in another process, one at a time. Safe in threads."""

    def __init__(self, prelude: str) -> None:
        self._prelude = prelude
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, source: str, inputs: dict[str, Any], definition: str = "") -> Any:
        """See `Workers.run`."""
        with self._lock:
            try:
                answer, reason = self._ask([source, inputs, definition])
            except (OSError, EOFError, ValueError) as error:
                self.close()
                raise SandboxFailed(f"no answer of the sandbox: {error}") from error
        if reason is not None:
            raise SandboxFailed(reason)
        return answer

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()

    def _ask(self, request: list[Any]) -> list[Any]:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        process = self._process or self._start()
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        workers.send(process.stdin, request)
        if not select.select([process.stdout], [], [], _WAIT)[0]:
            raise TimeoutError("it takes too long")
        answer: list[Any] = workers.receive(process.stdout)
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        # -P, as the folder of this package holds modules with very common names.
        self._process = subprocess.Popen(
            [sys.executable, "-P", workers.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert self._process.stdin is not None  # noqa: S101
        workers.send(self._process.stdin, self._prelude)
        return self._process
