"""Run what is due: each job is leased, acted on, and finished in a transaction of its own.

What reaches outside (mail) or takes long (rendering) happens between two transactions, so that no
lock is held meanwhile. A job that is run twice does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from engine.domain.access import SYSTEM
from engine.kernel.errors import ExecutionFailed
from engine.kernel.faults import crash_point
from engine.store import jobs
from engine.store.tables import Case, CaseState, Job, Letter
from engine.store.uow import UnitOfWork, Work
from engine.usecases.advance import advance
from engine.usecases.advice import advise, keep_advice
from engine.usecases.case_lock import lock_case
from engine.usecases.clocks import warn
from engine.usecases.definition import definition
from engine.usecases.incidents import OpenIncident, open_incident
from engine.usecases.letters import letter_for_rendering, with_dates
from engine.usecases.messages import deliver_signal, deliver_waiting

log = logging.getLogger("banshi.jobs")
Act = Callable[[UnitOfWork, Job], Callable[[Work, Job], None]]


def run_due(uow: UnitOfWork, until: datetime | None = None, at_most: int = 200) -> int:
    """Run the jobs due by `until` (default: now), oldest first; how many were run."""
    for count in range(at_most):
        if not run_next(uow, until):
            return count
    return at_most


def run_next(uow: UnitOfWork, until: datetime | None = None) -> bool:
    """Lease and run one job. A failure is written on the job, to be tried again."""
    job_id = uow.run(jobs.lease_next, until)
    if job_id is None:
        return False
    with uow.read() as session:
        job = session.get_one(Job, job_id)
    crash_point("job_leased")
    try:
        finish = _ACTS[job.kind](uow, job)
        crash_point("job_acted")
        uow.run(_finish, _Finish(job_id, finish))
    except ExecutionFailed as failed:
        # The same step on the same data would fail again: an operator must look first.
        log.warning("job %s (%s) failed at %s", job_id, job.kind, failed.params.get("element"))
        uow.run(_give_up, (job_id, failed))
    except Exception as error:  # the job keeps the reason, and the worker goes on with the next
        log.warning("job %s (%s) failed: %s", job_id, job.kind, error)
        uow.run(_fail, (job_id, f"{type(error).__name__}: {error}"))
    return True


@dataclass(frozen=True)
class _Finish:
    job_id: str
    then: Callable[[Work, Job], None]


def _finish(work: Work, command: _Finish) -> None:
    job = work.session.get_one(Job, command.job_id)
    if job.case_id is not None:
        lock_case(work, job.case_id)
    command.then(work, job)
    job = work.session.get_one(Job, command.job_id, with_for_update=True, populate_existing=True)
    if job.state == "running":
        jobs.finish(work, job)


def _fail(work: Work, command: tuple[str, str]) -> None:
    job = work.session.get_one(Job, command[0], with_for_update=True)
    if job.state == "running":
        jobs.fail(work, job, command[1])


def _give_up(work: Work, command: tuple[str, ExecutionFailed]) -> None:
    job_id, failed = command
    job = work.session.get_one(Job, job_id)
    if job.case_id is None:
        fail_job(work, job, failed)
        return
    incident = OpenIncident(job.case_id, "job", {"key": job.unique_key, "job_id": job.id}, failed)
    open_incident(work, incident)
    fail_job(work, work.session.get_one(Job, job_id, with_for_update=True), failed)


def fail_job(work: Work, job: Job, failed: ExecutionFailed) -> None:
    job.state, job.finished_at, job.leased_until = "failed", work.now, None
    job.error = str(failed.params)[:2000]


def _timer(uow: UnitOfWork, job: Job) -> Callable[[Work, Job], None]:
    def fire(work: Work, job: Job) -> None:
        case = lock_case(work, str(job.case_id))
        if case.state != "open":
            return
        made = definition(work.session, case.package_version_id, work.ports)
        row = work.session.get_one(CaseState, case.id)
        step = made.process.fire(row.state, job.payload["key"], skip=job.payload.get("skip", ()))
        if step is not None:
            jobs.finish(work, work.session.get_one(Job, job.id))
            work.session.flush()
            advance(work, made, case, step, SYSTEM)

    return fire


def _letter(uow: UnitOfWork, job: Job) -> Callable[[Work, Job], None]:
    with uow.read() as session:
        letter = letter_for_rendering(session, job.payload["letter_id"])
        if letter is None:
            return lambda work, job: None
        case = session.get_one(Case, letter.case_id)
        made = definition(session, case.package_version_id, uow.ports)
        service = made.manifest.services[case.service]
    forms = dict(made.forms) | {"start": made.forms[service.form]}
    rendered = uow.ports.letters.render(
        made.letters[letter.letter][letter.locale],
        with_dates(letter.context),
        letter.locale,
        forms,
    )

    def keep(work: Work, job: Job) -> None:
        row = work.session.get_one(Letter, letter.id)
        if row.state != "waiting":
            return
        row.subject, row.body = rendered.subject[:300], rendered.body
        row.state, row.sent_at = "sent", work.now
        if row.address:
            jobs.promise(work, "mail", f"mail:{row.id}", {"letter_id": row.id}, case_id=row.case_id)

    return keep


def _mail(uow: UnitOfWork, job: Job) -> Callable[[Work, Job], None]:
    with uow.read() as session:
        letter = session.get_one(Letter, job.payload["letter_id"])
    if letter.address:
        uow.ports.mailer.send(
            letter.address, letter.subject or "", letter.body or "", f"<{letter.id}@banshi>"
        )
    return lambda work, job: None


def _advice(uow: UnitOfWork, job: Job) -> Callable[[Work, Job], None]:
    with uow.read() as session:
        advice = advise(session, uow.ports, str(job.case_id))
    return lambda work, job: keep_advice(work, str(job.case_id), advice)


def _clock_warning(uow: UnitOfWork, job: Job) -> Callable[[Work, Job], None]:
    return warn


def _message(uow: UnitOfWork, job: Job) -> Callable[[Work, Job], None]:
    return lambda work, job: deliver_waiting(work, job.payload["message_id"])


def _signal(uow: UnitOfWork, job: Job) -> Callable[[Work, Job], None]:
    def deliver(work: Work, job: Job) -> None:
        deliver_signal(work, str(job.case_id), job.payload["name"], job.payload["data"])

    return deliver


_ACTS: dict[str, Act] = {
    "timer": _timer,
    "letter": _letter,
    "mail": _mail,
    "advice": _advice,
    "clock_warning": _clock_warning,
    "message": _message,
    "signal": _signal,
}
