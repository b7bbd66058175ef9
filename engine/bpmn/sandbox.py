"""Runs source in pydantic-monty: a Python subset in jailed worker processes, bounded in all.

The workers have no files, no network, no host functions and no rights (see jail.py). They are
started at first use, so that importing costs nothing. A process that forks may do so at any time.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from typing import Any

from engine.bpmn.broker import Broker
from engine.bpmn.prelude import PRELUDE
from engine.bpmn.workers import SandboxFailed, Workers, WorkersLost, jail_report


def run(source: str, inputs: Mapping[str, Any], definition: str = "") -> Any:
    """The value of the last expression of `source`, which may use the prelude. Inputs are plain.

    The `definition` is read before, unless it was already: its names must be its own for ever.
    Raises SandboxFailed.
    """
    workers = _current()
    try:
        return workers.run(source, dict(inputs), definition)
    except WorkersLost:
        return _current(lost=workers).run(source, dict(inputs), definition)


_lock = threading.Lock()
_workers: Workers | Broker | None = None
_forked_off = False


def _current(lost: Workers | Broker | None = None) -> Workers | Broker:
    global _workers  # noqa: PLW0603
    with _lock:
        if _workers is None or _workers is lost:
            try:
                _workers = Broker(PRELUDE) if _forked_off else Workers(PRELUDE)
            except (OSError, RuntimeError) as error:
                raise SandboxFailed(f"the workers do not start: {error}") from error
            atexit.register(_workers.close)
        return _workers


def _after_fork() -> None:
    global _lock, _workers, _forked_off  # noqa: PLW0603
    _lock = threading.Lock()  # another thread may have held it
    if _workers is None:
        return
    # What the parent holds must neither be used nor be ended here: it is kept alive for ever.
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_workers))
    atexit.unregister(_workers.close)
    _workers, _forked_off = None, True


os.register_at_fork(after_in_child=_after_fork)

__all__ = ["SandboxFailed", "jail_report", "run"]
