"""The rows of a case's clocks: read once in a step, and written with their lines of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.domain import sla
from engine.domain.access import SYSTEM, Actor
from engine.domain.clock_terms import ClockTerms, is_of_task
from engine.domain.ledger import LedgerLine
from engine.domain.sla import SlaClock
from engine.kernel.ids import new_id
from engine.store.audit import record
from engine.store.statements import Query
from engine.store.tables import Case, ClockEntry, ClockRow, Task
from engine.store.uow import Work
from engine.usecases.clock_calendar import clock_calendar
from engine.usecases.clock_letters import told_by
from engine.usecases.definition import Definition
from engine.usecases.rungs import promise_rung

_COUNTING = "case_id IN %s AND (`key` NOT LIKE 'task:%%' OR state <> 'stopped')"


def read_clocks(work: Work, case_ids: list[str]) -> None:
    """Read the clocks of these cases in one round trip; those of finished tasks are history."""
    missing = [id_ for id_ in case_ids if id_ not in work.clocks]
    if not missing:
        return
    unknown = [id_ for id_ in missing if not work.rows.is_whole(ClockRow, id_)]
    if unknown:
        work.rows.fetch(Query(ClockRow, _COUNTING, (unknown,)))
    for id_ in missing:
        work.rows.whole(ClockRow, id_)
        known = work.rows.known_of_case(ClockRow, id_)
        work.clocks[id_] = {row.key: row for row in known if not row.is_history}


def clocks_of(work: Work, case: Case) -> Mapping[str, ClockRow]:
    """The case's clocks by their keys."""
    read_clocks(work, [case.id])
    return work.clocks[case.id]


def keep_clock(
    work: Work,
    made: Definition,
    case: Case,
    terms: ClockTerms,
    key: str,
    clock: SlaClock,
    line: LedgerLine,
    actor: Actor,
    *,
    audited: bool = True,
) -> ClockEntry:
    """Write the clock down as it is now, with its line of the ledger and its event.

    What the engine does to the clock of a task when it opens and closes is told by the event of
    that step, and not `audited` again.
    """
    if audited:
        details = {"clock": key} | ({"pause": line.pause} if line.pause else {})
        if line.verb == "recount":
            details["calendar"] = clock_calendar(work.ports.calendars, made, case, clock).name
        record(work, case, f"clock_{line.verb}", actor, **details)
    row = _keep_row(work, case, terms, key, clock, line)
    entry = ClockEntry(
        id=new_id(),
        case_id=case.id,
        number=case.events,
        clock=key,
        verb=line.verb,
        at=line.at,
        actor_name=None if actor is SYSTEM else actor.display_name,
        letter_id=None,
        line=line.as_mapping(),
    )
    work.rows.add(entry)
    told_by(work, case, terms, entry)
    _show_date(work, case, key, clock, line)
    promise_rung(work, made, case, row, clock)
    return entry


def _keep_row(
    work: Work, case: Case, terms: ClockTerms, key: str, clock: SlaClock, line: LedgerLine
) -> ClockRow:
    body = sla.clock_as_mapping(clock)
    row: ClockRow | None = clocks_of(work, case).get(key)
    if row is None:
        row = ClockRow(
            case_id=case.id,
            key=key,
            state=clock.state,
            due_at=clock.due_at,
            body=body,
            climbed_at=None,
            next_rung_at=None,
        )
        work.rows.add(row)
        work.clocks[case.id][key] = row
        return row
    row.state, row.due_at, row.body = clock.state, clock.due_at, body
    if line.verb in ("start", "reset"):
        row.climbed_at = None
    return row


def _show_date(work: Work, case: Case, key: str, clock: SlaClock, line: LedgerLine) -> None:
    """The dates of the case and of a task are those of their clocks."""
    if key == "legal":
        case.legal_due_at = clock.due_at
    elif key == "promised":
        case.promised_due_at = clock.due_at
    elif is_of_task(key) and line.new_due != line.previous_due and line.verb != "start":
        _show_on_task(work, case, key.partition(":")[2], clock)


def _show_on_task(work: Work, case: Case, key: str, clock: SlaClock) -> None:
    for task in work.rows.known_of_case(Task, case.id):
        if task.key == key:
            task.due_at = clock.due_at
            return
    sql = "UPDATE tasks SET due_at = %s WHERE case_id = %s AND `key` = %s"
    work.rows.later(sql, clock.due_at, case.id, key)


def stop_clocks(work: Work, made: Definition, case: Case) -> None:
    """Stop every clock that still counts; at the end of a case."""
    for key, row in sorted(clocks_of(work, case).items()):
        if row.state != "stopped":
            before = sla.clock_from_mapping(row.body)
            calendar = clock_calendar(work.ports.calendars, made, case, before)
            clock, line = sla.stop(before, work.now, calendar)
            terms = terms_for(made, row)
            audited = not is_of_task(key)
            keep_clock(work, made, case, terms, key, clock, line, SYSTEM, audited=audited)


def terms_for(made: Definition, row: ClockRow) -> ClockTerms:
    """The terms of a clock that there is, even if the package knows it no longer."""
    known = made.manifest.terms(row.key)
    return known or ClockTerms(row.key.partition(":")[0], "other", declared=False)


def with_basis(line: LedgerLine, basis: Mapping[str, str] | None) -> LedgerLine:
    """The line on another legal basis than the limit's; None for the limit's."""
    return line if basis is None else replace(line, basis=dict(basis))
