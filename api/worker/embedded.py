"""The worker inside the web process: Celery's own worker, on an in-memory broker.

The same Celery task runs the same jobs as in distributed mode; only the broker differs. The
memory broker forgets everything at the end of the process, which loses nothing: jobs are rows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import celery.worker.state

from api.worker.celery_app import WAKE, Chore, RunDue, make_celery, queue_names
from api.worker.waker import CeleryWaker

log = logging.getLogger("banshi.worker")
SWEEP_SECONDS = 2.0


class EmbeddedWorker:
    """Runs due jobs in two threads, so that slow work does not hold up timers.

    They are woken after each commit, and every two seconds besides.
    """

    def __init__(self, run_due: RunDue, chores: Sequence[Chore] = ()) -> None:
        self.app = make_celery(None, run_due, chores)
        self._chores = chores
        self.waker = CeleryWaker(self.app)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._controller: Any = None

    def start(self) -> None:
        celery.worker.state.should_stop = None
        self._stopping.clear()
        self._controller = self.app.WorkController(
            pool_cls="threads",
            concurrency=2,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            queues=queue_names(),
        )
        self._threads = [
            threading.Thread(target=self._work, name="banshi-worker", daemon=True),
            threading.Thread(target=self._sweep, name="banshi-sweep", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the running job end, then stop both threads."""
        self._stopping.set()
        celery.worker.state.should_stop = 0
        # The memory broker only looks up when a message comes.
        self.app.send_task(WAKE, args=(["timers"],), queue="timers")
        for thread in self._threads:
            thread.join(timeout=10)
        celery.worker.state.should_stop = None

    def _work(self) -> None:
        try:
            self._controller.start()
        except SystemExit:
            log.debug("the embedded worker has stopped")

    def _sweep(self) -> None:
        # Not beat, which counts by the clock on the wall, and is silent after it was set back.
        done = {chore.name: time.monotonic() for chore in self._chores}
        while not self._stopping.is_set():
            for queue in queue_names():
                self._send(WAKE, queue, [queue])
            for chore in self._chores:
                if time.monotonic() - done[chore.name] >= chore.seconds:
                    done[chore.name] = time.monotonic()
                    self._send(chore.task, "advice")
            self._stopping.wait(SWEEP_SECONDS)

    def _send(self, task: str, queue: str, *arguments: object) -> None:
        # A sweep that waited longer than the next one has nothing to add.
        self.app.send_task(task, args=arguments, queue=queue, expires=2 * SWEEP_SECONDS)


def wait_until_idle(run_due: Callable[[], int], seconds: float = 10.0) -> None:
    """Run what is due until nothing is left or the time is over; for tests and the shell."""
    end = time.monotonic() + seconds
    while run_due() and time.monotonic() < end:
        pass
