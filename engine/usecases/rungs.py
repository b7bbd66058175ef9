"""The next rung of each clock's ladder, promised as one job.

A clock has at most one job that waits, for its next rung. Whoever moves the clock drops it and
promises the one that is next now; a job that comes although the clock's row names another instant
does nothing.
"""

from __future__ import annotations

from datetime import datetime

from engine.domain.clock_terms import Rung, SilenceRule, is_of_task
from engine.domain.ladder import END, climb
from engine.domain.package import Manifest
from engine.domain.sla import SlaClock
from engine.store import jobs
from engine.store.tables import Case, ClockRow
from engine.store.uow import Work
from engine.usecases.clock_calendar import clock_calendar
from engine.usecases.definition import Definition

RUNG = "clock_rung"


def silence_at(manifest: Manifest, key: str, clock: SlaClock) -> SilenceRule | None:
    """What it means that the clock's date comes, if it means anything."""
    for rule in manifest.silence:
        if rule.clock is not None:
            if key == rule.clock:
                return rule
        elif is_of_task(key) and rule.task == clock.begun_by:
            return rule
    return None


def rungs_of(manifest: Manifest, key: str, clock: SlaClock) -> tuple[Rung, ...]:
    """The rungs of one clock; silence is reached like a rung on which nobody stands."""
    terms = key.partition(":")[0]
    rungs = tuple(rung for rung in manifest.ladder if rung.clock == terms)
    if silence_at(manifest, key, clock) is not None:
        rungs = (*rungs, Rung(terms, END, ()))
    return rungs


def rung_key(case_id: str, clock: str, at: datetime) -> str:
    """The unique key of the job that waits for a rung."""
    return f"{RUNG}:{case_id}:{clock}:{at.isoformat()}"


def promise_rung(work: Work, made: Definition, case: Case, row: ClockRow, clock: SlaClock) -> None:
    """Promise the clock's next rung instead of the one that was next before."""
    ladder = rungs_of(made.manifest, row.key, clock)
    calendar = clock_calendar(work.ports.calendars, made, case, clock)
    ahead = climb(ladder, clock, calendar, row.climbed_at, work.now) if ladder else None
    at = None
    if ahead is not None:
        at = work.now if ahead.reached else ahead.next_at
    if at == row.next_rung_at:
        return
    if row.next_rung_at is not None:
        jobs.drop(work, [rung_key(case.id, row.key, row.next_rung_at)])
    if at is not None:
        payload = {"clock": row.key, "at": at.isoformat()}
        jobs.promise(
            work, RUNG, rung_key(case.id, row.key, at), payload, case_id=case.id, due_at=at
        )
    row.next_rung_at = at
