"""The Celery application: one task that runs what is due, in a queue for each kind of work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery
from kombu.entity import Queue

WAKE = "banshi.run_due"
SWEEP_SECONDS = 5.0
QUEUES = {
    "timer": "timers",
    "clock_warning": "timers",
    "message": "timers",
    "signal": "timers",
    "letter": "letters",
    "mail": "mail",
    "advice": "advice",
}
"""Which queue wakes for a kind of job. Every worker listens to all of them by default."""


def queue_names() -> list[str]:
    return sorted(set(QUEUES.values()))


def make_celery(redis_url: str | None, run_due: Callable[[], int] | None = None) -> Any:
    """The application on Redis, or in memory without it; `run_due` is what its workers do."""
    app = Celery("banshi", broker=redis_url or "memory://", set_as_current=True)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": 3, "socket_connect_timeout": 2},
        task_queues=[Queue(name) for name in queue_names()],  # type: ignore[no-untyped-call]
        task_default_queue="timers",
        task_create_missing_queues=False,
        beat_schedule={
            "sweep": {
                "task": WAKE,
                "schedule": SWEEP_SECONDS,
                # A sweep that waited longer than the next one is due has nothing to add.
                "options": {"queue": "timers", "expires": SWEEP_SECONDS},
            }
        },
    )
    # current_app is local to a thread; without this, other threads talk to a default AMQP app.
    app.set_default()

    @app.task(name=WAKE, shared=False)  # type: ignore[untyped-decorator]
    def wake() -> int:
        return run_due() if run_due is not None else 0

    return app
