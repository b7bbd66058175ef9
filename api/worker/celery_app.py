"""The Celery application: one task that runs what is due, in a queue for each kind of work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from celery import Celery
from kombu.entity import Queue

from engine.kernel.faults import crash_point
from engine.usecases.job_runner import ALL_QUEUES

WAKE = "banshi.run_due"
SLOW = "connectors"
"""The queue whose jobs wait for other systems."""
SWEEP_SECONDS = 5.0
_REDIS_OPTIONS = {"socket_timeout": 3, "socket_connect_timeout": 2}
# The memory broker sleeps so long whenever its threads have all they may take: with kombu's own
# second, two messages a second are all it hands out, and what waits behind them expires.
_MEMORY_OPTIONS = {"polling_interval": 0.02}


def queue_names() -> list[str]:
    return list(ALL_QUEUES)


RunDue = Callable[[list[str] | None], int]
"""Runs what is due in these queues, or in all of them."""


@dataclass(frozen=True)
class Chore:
    """What some worker does every so many `seconds`; left out once, nothing is lost."""

    name: str
    seconds: float
    run: Callable[[], None]

    @property
    def task(self) -> str:
        """What Celery calls it."""
        return f"banshi.{self.name}"


def make_celery(
    redis_url: str | None,
    run_due: RunDue | None = None,
    chores: Sequence[Chore] = (),
    concurrency: int = 2,
) -> Any:
    """The application on Redis, or in memory without it.

    `run_due` is what its workers do, and `chores` what one of them does from time to time. Calls
    of other systems take half of a worker's `concurrency` threads at most, however slow they are.
    """
    slow = threading.BoundedSemaphore(max(1, concurrency // 2))
    app = Celery("banshi", broker=redis_url or "memory://", set_as_current=True)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_REDIS_OPTIONS if redis_url else _MEMORY_OPTIONS,
        task_queues=[Queue(name) for name in queue_names()],  # type: ignore[no-untyped-call]
        task_default_queue="timers",
        task_create_missing_queues=False,
        beat_schedule={
            f"sweep-{queue}": {
                "task": WAKE,
                "schedule": SWEEP_SECONDS,
                "args": ([queue],),
                # A sweep that waited longer than the next one is due has nothing to add.
                "options": {"queue": queue, "expires": SWEEP_SECONDS},
            }
            for queue in queue_names()
        }
        | {
            chore.name: {
                "task": chore.task,
                "schedule": chore.seconds,
                "options": {"queue": "advice", "expires": max(chore.seconds, SWEEP_SECONDS)},
            }
            for chore in chores
        },
    )
    # current_app is local to a thread; without this, other threads talk to a default AMQP app.
    app.set_default()

    @app.task(name=WAKE, shared=False)  # type: ignore[untyped-decorator]
    def wake(queues: list[str] | None = None) -> int:
        if run_due is None:
            return 0
        crash_point("worker_woken")
        if queues != [SLOW]:
            return run_due(queues)
        if not slow.acquire(blocking=False):
            return 0  # those that are at it take what is due, and the sweep comes again
        try:
            return run_due(queues)
        finally:
            slow.release()

    def promised(chore: Chore) -> Callable[[], None]:
        def run() -> None:
            chore.run()

        return run

    for chore in chores:
        app.task(promised(chore), name=chore.task, shared=False)

    return app
