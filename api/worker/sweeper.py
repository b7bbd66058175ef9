"""Finding what is due although nobody wakes the worker: Redis, or beat, may be away for hours."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from api.worker.celery_app import SLOW, SWEEP_SECONDS, queue_names

log = logging.getLogger("banshi.worker")
SILENCE_SECONDS = SWEEP_SECONDS - 1
"""After so long without a wake-up the worker looks for itself."""


class Sweeper:
    """Runs what is due, queue by queue, as long as no wake-up comes. Its threads end with `stop`.

    Slow calls have a thread of their own, so that they hold up nothing else.
    """

    def __init__(self, run: Callable[[list[str]], int], stop: threading.Event) -> None:
        self._run, self._stop = run, stop
        self._heard = time.monotonic() - SILENCE_SECONDS
        others = [queue for queue in queue_names() if queue != SLOW]
        self._threads = [
            threading.Thread(target=self._sweep, args=(queues,), name="banshi-sweep", daemon=True)
            for queues in ([SLOW], others)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float = 10.0) -> None:
        """Let the running jobs end; to be told to stop first."""
        for thread in self._threads:
            thread.join(timeout=seconds)

    def heard(self) -> None:
        """A wake-up has come."""
        self._heard = time.monotonic()

    def _sweep(self, queues: Sequence[str]) -> None:
        while not self._stop.wait(1.0):
            if time.monotonic() - self._heard < SILENCE_SECONDS:
                continue
            for queue in queues:
                try:
                    self._run([queue])
                except Exception as error:  # the database is away: the next sweep tries again
                    log.warning("%s not swept: %s", queue, error)
