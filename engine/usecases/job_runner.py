"""Run what is due: jobs are leased, acted on, and each finished in one transaction.

A job that is run twice does no harm. Timers of different cases are fired together.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.kernel.errors import ExecutionFailed
from engine.kernel.faults import crash_point, defect
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.queue_cursors import QueueCursors
from engine.store.tables import Job, Letter
from engine.store.uow import UnitOfWork, Work
from engine.usecases.case_lock import lock_case
from engine.usecases.incidents import MESSAGE, OpenIncident, open_incident
from engine.usecases.job_acts import ACTS, Finish
from engine.usecases.leases import KeptLeases
from engine.usecases.timers import FireTimer, fire_timer, read_timers

log = logging.getLogger("banshi.jobs")
ALL_QUEUES = tuple(sorted(set(jobs.QUEUES.values())))
TIMERS_TOGETHER = 50
"""How many timers, of different cases, are fired in one transaction."""
TIMERS_AT_ONCE = 200
"""How many a worker takes at a time."""
AT_ONCE = 10
"""How many jobs of other kinds a worker takes at a time."""


def run_due(
    uow: UnitOfWork,
    until: datetime | None = None,
    at_most: int = 200,
    queues: Sequence[str] = ALL_QUEUES,
    stop: threading.Event | None = None,
    seconds: float | None = None,
    cursors: QueueCursors | None = None,
) -> int:
    """Run the jobs of `queues` due by `until` (default: now); how many were run.

    `cursors` are where the process was in the queues when it ran jobs before.

    Begins nothing new after so many `seconds`. Ends early, giving back what it has not begun, once
    `stop` is set.
    """
    worker, count = new_id(), 0
    end = math.inf if seconds is None else time.monotonic() + seconds
    size = TIMERS_AT_ONCE if "timers" in queues else AT_ONCE
    if list(queues) == ["connectors"]:
        size = 1  # a slow call must not keep those behind it from other workers
    cursors = QueueCursors() if cursors is None else cursors
    everywhere = False
    while count < at_most and time.monotonic() < end and not (stop is not None and stop.is_set()):
        wanted = jobs.LeaseDue(worker, queues, min(size, at_most - count), until, cursors)
        leased = uow.run(jobs.lease_due, wanted)
        if not leased:
            if everywhere:
                break
            cursors.forget()
            everywhere = True
            continue
        everywhere = False
        crash_point("job_leased")
        for job in leased:
            if job.attempts > jobs.MOST_DEATHS:
                failed = ExecutionFailed(reason="worker_died", detail=job.kind)
                _failed(uow, worker, job, failed)
        leased = [job for job in leased if job.attempts <= jobs.MOST_DEATHS]
        _run_all(uow, worker, leased, stop)
        count += len(leased)
    return count


def _run_all(
    uow: UnitOfWork, worker: str, leased: Sequence[Job], stop: threading.Event | None
) -> None:
    with KeptLeases(uow, worker, [job.id for job in leased]) as leases:
        timers = [job for job in leased if job.kind == "timer"]
        while timers and not (stop is not None and stop.is_set()):
            first: dict[str | None, Job] = {}
            for job in timers:
                if len(first) < TIMERS_TOGETHER:
                    first.setdefault(job.case_id, job)
            _fire(uow, worker, list(first.values()))
            for job in first.values():
                leases.done(job.id)
            timers = [job for job in timers if job is not first.get(job.case_id)]
        for job in leased:
            if stop is not None and stop.is_set():
                return
            if job.kind != "timer":
                _run(uow, worker, job)
                leases.done(job.id)


def _fire(uow: UnitOfWork, worker: str, timers: Sequence[Job]) -> None:
    commands = [FireTimer(worker, job.id, str(job.case_id)) for job in timers]
    for job, result in zip(
        timers, uow.run_together(fire_timer, commands, read_timers), strict=True
    ):
        if isinstance(result, Exception):
            _failed(uow, worker, job, result)


def _run(uow: UnitOfWork, worker: str, job: Job) -> None:
    try:
        finish = ACTS[job.kind](uow, job)
        crash_point("job_acted")
        uow.run(_finish, _Finish(worker, job.id, job.case_id, finish))
        crash_point("job_finished")
    except Exception as error:  # the job keeps the reason, and the worker goes on with the next
        _failed(uow, worker, job, error)


@dataclass(frozen=True)
class _Finish:
    worker: str
    job_id: str
    case_id: str | None
    then: Finish


def _finish(work: Work, command: _Finish) -> None:
    if command.case_id is not None:
        lock_case(work, command.case_id)
    job = _still_leased(work, command.worker, command.job_id)
    if job is not None:
        command.then(work, job)
        jobs.finish(work, job)


def _still_leased(work: Work, worker: str, job_id: str) -> Job | None:
    job = work.rows.first(Job, "id = %s", job_id, lock=True)
    mine = job is not None and (job.state, job.leased_by) == ("running", worker)
    mine = mine or (job is not None and defect("lease_ignored"))
    return job if mine else None


def _failed(uow: UnitOfWork, worker: str, job: Job, error: Exception) -> None:
    log.warning("job %s (%s) failed: %s", job.id, job.kind, error)
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, ExecutionFailed):
        # The same step on the same data would fail again: an operator must look first.
        uow.run(_give_up, (worker, job, error))
    elif job.attempts >= jobs.MAX_ATTEMPTS:
        failed = ExecutionFailed(reason="given_up", detail=detail)
        uow.run(_give_up, (worker, job, failed))
    else:
        uow.run(_fail, (worker, job.id, detail))


def _fail(work: Work, command: tuple[str, str, str]) -> None:
    worker, job_id, reason = command
    job = _still_leased(work, worker, job_id)
    if job is not None:
        jobs.fail(work, job, reason)


def _give_up(work: Work, command: tuple[str, Job, ExecutionFailed]) -> None:
    worker, leased, failed = command
    if leased.case_id is not None:
        lock_case(work, leased.case_id)
    job = _still_leased(work, worker, leased.id)
    if job is None:
        return
    if failed.attempt is not None and failed.attempt[1] == MESSAGE:
        jobs.finish(work, job)  # the message waits behind the incident of its receiver
        return
    if job.case_id is not None:
        payload = {"key": job.unique_key, "job_id": job.id}
        told = ExecutionFailed(**{"element": _element(work, job), **failed.params})
        open_incident(work, OpenIncident(job.case_id, "job", payload, told))
    job.state, job.finished_at, job.leased_until = "failed", work.now, None
    job.error = str(failed.params)[:2000]


def _element(work: Work, job: Job) -> str | None:
    """The element of the process that the job was promised by, if it says so."""
    letter = work.rows.get(Letter, job.payload["letter_id"]) if "letter_id" in job.payload else None
    element: str | None = job.payload.get("element") or (letter.element if letter else None)
    return element
