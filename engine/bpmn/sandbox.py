"""Runs source in pydantic-monty: a Python subset in worker processes, bounded in all it may use.

The workers have no files, no network, no clock and no host functions. They are started at first
use, one pool for each process of ours, so that importing costs nothing and forking is safe.
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
_pools: dict[int, pydantic_monty.Monty] = {}


def _pool() -> pydantic_monty.Monty:
    with _lock:
        made = _pools.get(os.getpid())
        if made is None:
            import pydantic_monty

            made = pydantic_monty.Monty(
                min_processes=1,
                max_processes=2,
                request_timeout=2.0,
                checkout_timeout=10.0,
                max_checkouts_per_worker=500,
            )
            made.__enter__()
            atexit.register(_stop, os.getpid())
            _pools[os.getpid()] = made
        return made


def _stop(owner: int) -> None:
    pool = _pools.get(owner)
    if pool is not None and owner == os.getpid():
        pool.__exit__(None, None, None)
