"""Waking workers after a commit. A wake-up that gets lost is made good by the sweep."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from api.settings import Settings
from api.worker.celery_app import WAKE, make_celery
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
    """Wakes Celery workers over Redis; an unreachable Redis is logged and otherwise ignored."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def wake(self, kinds: Iterable[str]) -> None:
        for queue in sorted({QUEUES[kind] for kind in kinds}):
            try:
                self._app.send_task(WAKE, args=([queue],), queue=queue, retry=False)
            except (OperationalError, RedisError, OSError) as error:
                log.warning("no worker was woken (%s); the sweep will find the jobs", error)
                return


def waker_for(settings: Settings) -> Waker:
    """Celery over Redis when there is one, else the worker of this process."""
    if settings.redis_url:
        return CeleryWaker(make_celery(settings.redis_url))
    return ThreadWaker()
