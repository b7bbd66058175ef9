"""Timers that are due: many cases' in one transaction, each case's in the order they fell due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.domain.access import SYSTEM
from engine.domain.process import Step
from engine.kernel.errors import ExecutionFailed
from engine.store import jobs
from engine.store.statements import Query
from engine.store.tables import Case, CaseState, Job
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.definition import definition_for
from engine.usecases.silence import name_in_ledger, note_silence, rule_of_timer


@dataclass(frozen=True)
class FireTimer:
    """A timer's job, leased by `worker`."""

    worker: str
    job_id: str
    case_id: str


def read_timers(work: Work, commands: Sequence[FireTimer]) -> None:
    """Lock the cases, and read all that `fire_timer` wants, in one round trip."""
    cases = sorted({command.case_id for command in commands})
    wanted = (
        "case_id IN %s AND kind = 'timer' AND state IN ('waiting', 'running') "
        "AND (due_at <= %s OR id IN %s)"
    )
    locked, _, _ = work.rows.fetch(
        Query(Case, "id IN %s ORDER BY id", (cases,), lock=True),
        Query(CaseState, "case_id IN %s", (cases,)),
        Query(Job, wanted, (cases, work.now, [command.job_id for command in commands])),
    )
    work.locked.update(case.id for case in locked)


def fire_timer(work: Work, command: FireTimer) -> bool:
    """Let the timer happen, once; whether it did. Raises ExecutionFailed.

    Timers of the case that fell due before it happen first, whoever has leased them.
    """
    if work.rows.known(Job, command.job_id) is None:
        read_timers(work, [command])
    job = work.rows.known(Job, command.job_id)
    if job is None or (job.state, job.leased_by) != ("running", command.worker):
        return False  # its step came first, or another worker has it
    case = lock_case(work, command.case_id)
    for earlier in _due_before(work, job):
        try:
            step = _step(work, case, earlier)
        except ExecutionFailed:
            continue  # its own worker meets the fault again, and keeps it as an incident
        _happen(work, case, earlier, step)
    return _happen(work, case, job, _step(work, case, job))


def _due_before(work: Work, job: Job) -> list[Job]:
    def place(each: Job) -> tuple[datetime, str]:
        return each.due_at, each.id

    others = work.rows.known_of_case(Job, job.case_id)
    return sorted((each for each in others if place(each) < place(job)), key=place)


def _step(work: Work, case: Case, job: Job) -> Step | None:
    if case.state != "open":
        return None
    made = definition_for(work, case.package_version_id)
    skip = job.payload.get("skip", ())
    return made.process.fire(state_of(work, case).state, job.payload["key"], skip=skip)


def _happen(work: Work, case: Case, job: Job, step: Step | None) -> bool:
    jobs.finish(work, job)
    if step is None:
        return False
    made = definition_for(work, case.package_version_id)
    silence = rule_of_timer(made, job.payload.get("element", ""))
    if silence is not None:
        note_silence(work, case, silence)
    advance(work, made, case, step, SYSTEM)
    if silence is not None:
        name_in_ledger(work, case, silence)
    return True
