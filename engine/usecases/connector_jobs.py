"""Promise the call of a connector with the step in which a case comes to wait for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from engine.domain.connector import TOPIC
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import ExternalJob
from engine.store.uow import Work

KIND = "connector"
WORKER = "banshi"
_FOR_GOOD = timedelta(days=36_500)


def promise_connector(work: Work, job: ExternalJob) -> None:
    """Have the external job done by its connector, if its task names one.

    The lock keeps job workers from fetching it by its topic.
    """
    if job.topic != f"{TOPIC}{job.settings.get('connector')}":
        return
    job.worker, job.locked_until = WORKER, work.now + _FOR_GOOD
    promise_call(work, job, {"external_job_id": job.id, "tries": job.retries, "left": job.retries})


def promise_call(
    work: Work, job: ExternalJob, payload: dict[str, Any], due_at: datetime | None = None
) -> None:
    """Write a job that calls the connector; each try is one of its own."""
    key = f"{KIND}:{job.id}:{new_id()}"
    jobs.promise(work, KIND, key, payload, case_id=job.case_id, due_at=due_at)
