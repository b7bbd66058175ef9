"""Waiting in tests for what comes soon, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 25


def eventually(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether it becomes true within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False
