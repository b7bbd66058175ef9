"""Runs source in pydantic-monty: a Python subset in worker processes, bounded in all it may use.

The workers have no files, no network, no clock and no host functions. They are started at first
use, so that importing costs nothing. A server that forks must do so before its first script: a
child of a process that has started workers is refused them, instead of hanging.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pydantic_monty

MAX_SECONDS = 0.5
MAX_MEMORY = 32_000_000
_LIMITS: pydantic_monty.ResourceLimits = {
    "max_feed_duration_secs": MAX_SECONDS,
    "max_memory": MAX_MEMORY,
    "max_recursion_depth": 200,
    "max_suspensions": 1,
    "max_total_sleep_secs": 0.0,
}


class SandboxFailed(Exception):
    """The source did not end well; `str()` says why, in the sandbox's words."""


def run(source: str, inputs: Mapping[str, Any]) -> Any:
    """The value of the last expression of `source`. Raises SandboxFailed."""
    import pydantic_monty

    try:
        with _pool().checkout(limits=_LIMITS) as session:
            return session.feed_run(
                source,
                inputs=dict(inputs),
                print_callback=pydantic_monty.CollectString(10_000),
            )
    except (pydantic_monty.MontyError, TimeoutError, ValueError, TypeError) as error:
        raise SandboxFailed(str(error)[:300]) from error


_lock = threading.Lock()
_pools: list[pydantic_monty.Monty] = []
_inherited = False


def _pool() -> pydantic_monty.Monty:
    with _lock:
        if _inherited:
            raise SandboxFailed("started before this process was forked off")
        if not _pools:
            import pydantic_monty

            made = pydantic_monty.Monty(
                min_processes=1,
                max_processes=2,
                request_timeout=2.0,
                checkout_timeout=10.0,
                max_checkouts_per_worker=500,
            )
            made.__enter__()
            atexit.register(_stop)
            _pools.append(made)
        return _pools[0]


def _stop() -> None:
    if not _inherited:
        for pool in _pools:
            pool.__exit__(None, None, None)


def _after_fork() -> None:
    # The threads of a pool do not survive a fork, and a call would wait for them for ever.
    global _lock, _inherited  # noqa: PLW0603
    _lock = threading.Lock()  # another thread may have held it
    _inherited = bool(_pools)


os.register_at_fork(after_in_child=_after_fork)
