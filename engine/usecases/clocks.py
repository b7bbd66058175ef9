"""The case's clocks: verbs that the process asks for, written with their ledger lines."""

from __future__ import annotations

from datetime import timedelta

from engine.domain import sla
from engine.domain.access import SYSTEM, Actor
from engine.domain.calendar import WorkingCalendar
from engine.domain.limit import Limit
from engine.domain.process import Effect
from engine.domain.sla import LedgerLine, SlaClock
from engine.kernel.errors import ClockVerbRefused, ExecutionFailed
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.audit import record
from engine.store.tables import Case, ClockEntry, ClockRow, Job
from engine.store.uow import Work
from engine.usecases.case_lock import lock_case
from engine.usecases.definition import Definition, definition_for

WARNING = "clock_warning"
WARN_BEFORE = 3
"""Working days before the promised date at which the department is warned."""


def apply_clock_verb(
    work: Work, made: Definition, case: Case, effect: Effect, actor: Actor
) -> None:
    """Carry out a ``clock.…`` action on each clock it names.

    Raises ClockVerbRefused, for example for a second extension, or ExecutionFailed for a limit
    that does not exist.
    """
    verb = effect.action.removeprefix("clock.")
    calendar = work.ports.calendars.named(made.manifest.calendar_of(case.service))
    for key in str(effect.properties.get("clock", "")).split():
        row = work.rows.get(ClockRow, case.id, key)
        before = sla.clock_from_mapping(row.body) if row else None
        try:
            clock, line = _change(work, made, case, effect, calendar, verb, key, before)
        except KeyError as error:
            raise ExecutionFailed(element=effect.element, reason=f"limit {error}") from error
        keep_clock(work, case, calendar, key, row, clock, line)
        record(work, case, f"clock_{verb}", actor, clock=key, element=effect.element)


def _change(
    work: Work,
    made: Definition,
    case: Case,
    effect: Effect,
    calendar: WorkingCalendar,
    verb: str,
    key: str,
    before: SlaClock | None,
) -> tuple[SlaClock, LedgerLine]:
    reason = str(effect.properties.get("reason") or "")
    if verb in ("start", "reset", "extend"):
        limit = _limit(made, case, str(effect.properties["limit"]), key)
        if verb == "start" or before is None:
            from_receipt = effect.properties.get("from") == "received"
            return sla.start(
                limit, case.received_at if from_receipt else work.now, calendar, reason
            )
        if verb == "reset":
            return sla.reset(before, limit, work.now, calendar, reason)
        return sla.extend(before, limit, work.now, calendar, reason)
    if before is None:
        raise ClockVerbRefused(why="not_started", clock=key)
    if verb == "pause":
        return sla.pause(before, work.now, reason)
    if verb == "resume":
        return sla.resume(before, work.now, calendar, reason)
    return sla.stop(before, work.now, calendar, reason)


def _limit(made: Definition, case: Case, name: str, key: str) -> Limit:
    """The named limit; for the promise its own variant ``<name>_promise`` where there is one."""
    if key == "promised":
        try:
            return made.manifest.limit(case.service, f"{name}_promise")
        except KeyError:
            pass
    return made.manifest.limit(case.service, name)


def calendar_of(work: Work, case: Case) -> WorkingCalendar:
    """The calendar on which the case's clocks count. Raises CalendarUnknown."""
    manifest = definition_for(work, case.package_version_id).manifest
    return work.ports.calendars.named(manifest.calendar_of(case.service))


def keep_clock(
    work: Work,
    case: Case,
    calendar: WorkingCalendar,
    key: str,
    row: ClockRow | None,
    clock: SlaClock,
    line: LedgerLine,
) -> None:
    """Write the clock with its line of the ledger; the audit's line is the caller's."""
    body = sla.clock_as_mapping(clock)
    if row is None:
        work.rows.add(
            ClockRow(case_id=case.id, key=key, state=clock.state, due_at=clock.due_at, body=body)
        )
    else:
        row.state, row.due_at, row.body = clock.state, clock.due_at, body
    work.rows.insert(
        ClockEntry,
        {
            "id": new_id(),
            "case_id": case.id,
            # The audit's line for it is written next and has this number.
            "number": case.events + 1,
            "clock": key,
            "verb": line.verb,
            "at": line.at,
            "line": line.as_mapping(),
        },
    )
    if key == "legal":
        case.legal_due_at = clock.due_at
    else:
        case.promised_due_at = clock.due_at
    _promise_warnings(work, case, calendar, key, clock)


def _promise_warnings(
    work: Work, case: Case, calendar: WorkingCalendar, key: str, clock: SlaClock
) -> None:
    """One warning before the date and one at it; earlier ones for another date fall away."""
    if clock.state != "running":
        return
    day = calendar.local_date(clock.due_at)
    before = day
    for _ in range(WARN_BEFORE):
        before -= timedelta(days=1)
        while not calendar.is_working_day(before):
            before -= timedelta(days=1)
    due = clock.due_at.isoformat()
    for kind, at in (("warning", calendar.end_of(before)), ("breach", clock.due_at)):
        if at > work.now:
            jobs.promise(
                work,
                WARNING,
                f"{kind}:{case.id}:{key}:{due}",
                {"clock": key, "due": due, "kind": kind},
                case_id=case.id,
                due_at=at + timedelta(seconds=1) * (kind == "breach"),
            )


def warn(work: Work, job: Job) -> None:
    """Write the warning or breach down, if the clock still runs to that very date."""
    case = lock_case(work, str(job.case_id))
    row = work.rows.get(ClockRow, case.id, job.payload["clock"])
    if row is None or row.state != "running" or case.state != "open":
        return
    if row.due_at.isoformat() == job.payload["due"]:
        kind = "clock_breached" if job.payload["kind"] == "breach" else "clock_warned"
        record(work, case, kind, SYSTEM, clock=row.key)


def stop_clocks(work: Work, case: Case) -> None:
    """Stop every clock that still counts; at the end of a case."""
    for row in work.rows.of_case(ClockRow, case.id):
        if row.state != "stopped":
            before = sla.clock_from_mapping(row.body)
            calendar = calendar_of(work, case)
            clock, line = sla.stop(before, work.now, calendar)
            keep_clock(work, case, calendar, row.key, row, clock, line)
            record(work, case, "clock_stop", SYSTEM, clock=row.key)
    jobs.cancel(work, case.id, WARNING)
