"""Processes that were just stored, kept as they stand so that the next step need not read them.

A kept process goes by the very bytes of its stored state: whoever brings that state gets it, once.
A step that fails has taken it away with it, and the next one reads the stored state as ever.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Generic, TypeVar

KEPT = 1_000
"""Processes; each takes some 20 kB."""
LARGEST = 20_000
"""Bytes of a stored state up to which its process is kept."""
W = TypeVar("W")


class LiveProcesses(Generic[W]):
    """The processes stored last. Safe in threads: a process is given to one taker only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, bytes], W] = OrderedDict()

    def take(self, definition: Any, state: bytes) -> W | None:
        """The process of `definition` that was stored as `state`, or None."""
        with self._lock:
            return self._kept.pop((definition, state), None)

    def keep(self, definition: Any, state: bytes, process: W) -> None:
        """Keep the process until it is taken, or others were stored since."""
        if len(state) > LARGEST:
            return
        with self._lock:
            self._kept[definition, state] = process
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
