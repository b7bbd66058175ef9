"""Counting the clocks of one case again, after something that a date rests on has changed.

That is the working calendar, the limit (another category or priority, another version of the
package), or the date of receipt. What is worked out here is what a preview shows and what a batch
carries out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.domain import sla
from engine.domain.access import Actor
from engine.domain.calendar import WorkingCalendar
from engine.domain.ledger import LedgerLine
from engine.domain.sla import SlaClock
from engine.kernel.errors import EngineError
from engine.store.audit import record
from engine.store.rows import Query
from engine.store.tables import Case, CaseState, ClockRow, Job
from engine.store.uow import Work
from engine.usecases.case_lock import lock_case, lock_cases, state_of
from engine.usecases.clock_limits import asks_data, limit_changed
from engine.usecases.clock_rows import clocks_of, keep_clock, read_clocks, terms_for
from engine.usecases.definition import Definition, definition_for
from engine.usecases.moved_letter import tell_later
from engine.usecases.timer_dates import timer_due

TIMERS = "case_id IN %s AND kind = 'timer' AND state = 'waiting'"


@dataclass(frozen=True)
class Move:
    """A date that changes: of the clock `clock`, or of a timer of the model at `element`.

    `refused` says why it cannot be counted again.
    """

    case_id: str
    reference: str
    clock: str
    previous_due: datetime
    new_due: datetime
    element: str = ""
    refused: str | None = None

    def as_mapping(self) -> dict[str, Any]:
        """JSON-able."""
        instants = {"previous_due": self.previous_due, "new_due": self.new_due}
        return vars(self) | {name: at.isoformat() for name, at in instants.items()}


@dataclass(frozen=True)
class Changed:
    """What moves in one case: the clocks with their lines, and the timers with their dates."""

    clocks: tuple[tuple[ClockRow, SlaClock, LedgerLine], ...]
    timers: tuple[tuple[Job, datetime], ...]
    moves: tuple[Move, ...]


def changed_clocks(
    made: Definition,
    case: Case,
    rows: Sequence[ClockRow],
    timers: Sequence[Job],
    state: CaseState | None,
    calendar: WorkingCalendar,
    now: datetime,
    reason: str,
    received: datetime | None = None,
) -> Changed:
    """What counting again would change in the case. Changes nothing.

    With `received` the clocks that were counted from the case's receipt are counted from there.
    """
    clocks, moves = [], []
    data: Mapping[str, Any] | None = None
    for row in sorted(rows, key=lambda each: each.key):
        if row.state == "stopped":
            continue
        clock = sla.clock_from_mapping(row.body)
        try:
            if data is None and state is not None and asks_data(made, clock):
                data = state.data
            terms = terms_for(made, row)
            new = limit_changed(made, case, terms, clock, None, data or {})
            if received is not None and clock.received == case.received_at:
                new["received"] = received
            why = "limit_changed" if "limit" in new else reason
            after, line = sla.recount(clock, now, calendar, why, **new)
        except EngineError as error:
            why = str(error.params.get("why") or error.code)
            moves.append(
                Move(case.id, case.reference, row.key, row.due_at, row.due_at, refused=why)
            )
            continue
        if line is not None:
            clocks.append((row, after, line))
            moves.append(Move(case.id, case.reference, row.key, row.due_at, after.due_at))
    moved, more = _timers(made, case, timers, calendar)
    return Changed(tuple(clocks), moved, (*moves, *more))


def _timers(
    made: Definition, case: Case, timers: Sequence[Job], calendar: WorkingCalendar
) -> tuple[tuple[tuple[Job, datetime], ...], list[Move]]:
    moved, moves = [], []
    for job in timers:
        value, element = job.payload.get("value"), str(job.payload.get("element", ""))
        if value is None:
            continue
        try:
            at = timer_due(made, case, value, job.created_at, calendar, element)
        except EngineError as error:
            moves.append(
                Move(case.id, case.reference, "", job.due_at, job.due_at, element, error.code)
            )
            continue
        if at != job.due_at:
            moved.append((job, at))
            moves.append(Move(case.id, case.reference, "", job.due_at, at, element))
    return tuple(moved), moves


@dataclass(frozen=True)
class RecountCase:
    """`reason` is a code of the catalogue (``calendar_changed``) or a text, kept in the ledger."""

    actor: Actor
    case_id: str
    reason: str = ""
    received: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def read_recounts(work: Work, commands: Sequence[RecountCase]) -> None:
    """Lock and read what several recounts need, in few round trips."""
    ids = sorted({command.case_id for command in commands})
    lock_cases(work, ids)
    read_clocks(work, ids)
    work.rows.fetch(Query(Job, TIMERS, (ids,)))


def recount_case(work: Work, command: RecountCase) -> list[Move]:
    """Count the case's clocks again; what moved. Nothing moves a second time.

    Raises NotFound. A case that has ended keeps its dates.
    """
    case = lock_case(work, command.case_id)
    if case.state != "open":
        return []
    if case.id not in work.clocks:
        read_recounts(work, [command])
    made = definition_for(work, case.package_version_id)
    timers = [job for job in work.rows.all_known(Job) if job.case_id == case.id]
    changed = changed_clocks(
        made, case, list(clocks_of(work, case).values()), timers, state_of(work, case),
        work.ports.calendar, work.now, command.reason, command.received,
    )  # fmt: skip
    _keep(work, made, case, changed, command.actor)
    return list(changed.moves)


def _keep(work: Work, made: Definition, case: Case, changed: Changed, actor: Actor) -> None:
    promised = case.promised_due_at
    for row, clock, line in changed.clocks:
        keep_clock(work, made, case, terms_for(made, row), row.key, clock, line, actor)
    for job, at in changed.timers:
        before = job.due_at.isoformat()
        job.due_at = at
        element = str(job.payload.get("element", ""))
        details = {"element": element, "from": before, "to": at.isoformat()}
        record(work, case, "timer_moved", actor, **details)
    if changed.clocks or changed.timers:
        case.revision += 1
    if case.promised_due_at != promised:
        tell_later(work, made, case, promised, state_of(work, case).data, actor)
