"""Waking workers after a commit. A wake-up that gets lost is made good by the sweep."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from typing import Any

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from api.settings import Settings
from api.worker.celery_app import SWEEP_SECONDS, WAKE, make_celery
from engine.domain.ports import Waker
from engine.store.jobs import QUEUES

log = logging.getLogger("banshi.worker")


class ThreadWaker:
    """Wakes the worker inside this process."""

    def __init__(self) -> None:
        self.due = threading.Event()

    def wake(self, kinds: Iterable[str]) -> None:
        self.due.set()


class CeleryWaker:
    """Wakes Celery workers; a broker that cannot be reached is logged and otherwise ignored."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def wake(self, kinds: Iterable[str]) -> None:
        self.send(kinds)

    def send(self, kinds: Iterable[str]) -> bool:
        """Whether the broker took the messages; trying may take seconds."""
        for queue in sorted({QUEUES[kind] for kind in kinds}):
            try:
                self._app.send_task(WAKE, args=([queue],), queue=queue, retry=False)
            except (OperationalError, RedisError, OSError) as error:
                log.warning("no worker was woken (%s); the sweep will find the jobs", error)
                return False
        return True


class BackgroundWaker:
    """Hands wake-ups to a thread of its own: nobody who files a case waits for Redis.

    What is wanted while a message is under way is sent as one; after a failure there is a pause.
    """

    def __init__(self, waker: CeleryWaker) -> None:
        self._waker = waker
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self._ready = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._process = 0

    def wake(self, kinds: Iterable[str]) -> None:
        with self._lock:
            self._wanted.update(kinds)
            if self._thread is None or self._process != os.getpid():
                # The thread of a process that forked does not live on in its child.
                self._process = os.getpid()
                self._thread = threading.Thread(target=self._send, name="banshi-waker", daemon=True)
                self._thread.start()
        self._ready.set()

    def close(self) -> None:
        """End the thread; what was not sent is left to the sweep."""
        self._closed.set()
        self._ready.set()
        if self._thread is not None and self._process == os.getpid():
            self._thread.join(timeout=1)

    def _send(self) -> None:
        while not self._closed.is_set():
            self._ready.wait()
            self._ready.clear()
            with self._lock:
                wanted, self._wanted = self._wanted, set()
            if wanted and not self._closed.is_set() and not self._waker.send(wanted):
                self._closed.wait(SWEEP_SECONDS)


def waker_for(settings: Settings) -> Waker:
    """Celery over Redis when there is one, else the worker of this process."""
    if settings.redis_url:
        return BackgroundWaker(CeleryWaker(make_celery(settings.redis_url)))
    return ThreadWaker()
