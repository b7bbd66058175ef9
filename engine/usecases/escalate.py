"""Climbing the ladder of a clock: who stands on the rungs reached is told, each once.

What fell due while nobody looked becomes one message: of the rungs that a recipient stands on the
last one speaks for all before it.
"""

from __future__ import annotations

from datetime import datetime

from engine.domain import sla
from engine.domain.access import SYSTEM
from engine.domain.clock_terms import CASE_DATES, Rung
from engine.domain.ladder import climb
from engine.store.audit import record
from engine.store.tables import Case, ClockRow, Job, Task, User
from engine.store.uow import Work
from engine.usecases.case_lock import lock_case
from engine.usecases.clock_calendar import clock_calendar
from engine.usecases.clock_rows import clocks_of
from engine.usecases.definition import Definition, definition_for
from engine.usecases.letters import write_letter
from engine.usecases.notices import (
    APPLICANT,
    Recipient,
    letter_of_rung,
    recipients,
    write_notice,
)
from engine.usecases.rungs import promise_rung, rungs_of, silence_at
from engine.usecases.silence import apply_silence


def reach_rung(work: Work, job: Job) -> None:
    """Do what is due on the clock's ladder, unless the clock was moved and the job is an old one.

    A job of an earlier version names no instant; it begins the ladder where it stands.
    """
    case = lock_case(work, str(job.case_id))
    row = clocks_of(work, case).get(job.payload["clock"])
    if row is None or row.state != "running" or case.state != "open":
        return
    expected = job.payload.get("at")
    if expected is not None and row.next_rung_at != datetime.fromisoformat(expected):
        return
    made = definition_for(work, case.package_version_id)
    clock = sla.clock_from_mapping(row.body)
    now = max(work.now, job.due_at)
    ladder = rungs_of(made.manifest, row.key, clock)
    calendar = clock_calendar(work.ports.calendars, made, case, clock)
    reached = [rung for _, rung in climb(ladder, clock, calendar, row.climbed_at, now).reached]
    row.climbed_at, row.next_rung_at = now, None
    _tell(work, made, case, row, [rung for rung in reached if rung.to])
    silence = silence_at(made.manifest, row.key, clock)
    promise_rung(work, made, case, row, clock)
    if silence is not None and any(not rung.to for rung in reached):
        apply_silence(work, made, case, silence)


def _tell(work: Work, made: Definition, case: Case, row: ClockRow, reached: list[Rung]) -> None:
    if not reached or (case.decided_at is not None and row.key in CASE_DATES):
        return  # a decided case no longer runs against its dates
    tasks = _tasks(work, case, row)
    departments = {task.department for task in tasks if task.department}
    if not departments and case.department:
        departments = {case.department}
    staff = (
        work.rows.select(User, "department IN %s AND active = 1 ORDER BY id", sorted(departments))
        if departments
        else []
    )
    strongest: dict[Recipient, Rung] = {}
    for rung in reached:
        strongest |= dict.fromkeys(recipients(rung.to, case, tasks, staff), rung)
    last = reached[-1]
    kind = "clock_breached" if last.is_late else "clock_warned"
    record(work, case, kind, SYSTEM, clock=row.key, rung=last.at)
    emails = {user.id: user.email for user in staff}
    for recipient, rung in strongest.items():
        _send(work, made, case, row, rung, recipient, emails)
    if any(rung.raises_priority for rung in reached):
        _raise_priority(work, case, row)


def _send(
    work: Work,
    made: Definition,
    case: Case,
    row: ClockRow,
    rung: Rung,
    to: Recipient,
    emails: dict[str, str | None],
) -> None:
    email = emails.get(to.user_id or "")
    if rung.letter is not None and (to == APPLICANT or email):
        write_letter(work, made, case, letter_of_rung(rung.letter, email), SYSTEM)
        email = None  # the letter goes there already
    if to != APPLICANT:
        write_notice(work, case, row, rung, to, email)


def _tasks(work: Work, case: Case, row: ClockRow) -> list[Task]:
    """Whose work it is: the task of the clock, or all that the case's staff have before them."""
    where = "case_id = %s AND state = 'open' AND audience = 'staff'"
    kind, _, name = row.key.partition(":")
    if kind == "task":
        return work.rows.select(Task, f"{where} AND `key` = %s", case.id, name)
    if kind == "department":
        return work.rows.select(Task, f"{where} AND department = %s", case.id, name)
    return work.rows.select(Task, where, case.id)


def _raise_priority(work: Work, case: Case, row: ClockRow) -> None:
    for task in _tasks(work, case, row):
        task.priority = max(1, task.priority - 1)
