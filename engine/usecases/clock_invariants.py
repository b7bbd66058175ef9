"""What must hold of a case's clocks: case, clock and ledger name the same date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from sqlalchemy import select

from engine.domain import sla
from engine.domain.ledger import Verb, line_from_mapping
from engine.domain.lifecycle import WAITING_STATES
from engine.domain.replay import replay
from engine.store.queries.case_rows import CaseRows
from engine.store.tables import Case, ClockEntry, ClockRow, Job, Task
from engine.store.uow import ReadSession
from engine.usecases.rungs import rung_key


class ClockFault(NamedTuple):
    """A clock that does not agree with something: a code, the clock's key, and what."""

    code: str
    clock: str
    detail: str


def clock_faults(session: ReadSession, case: Case, kept: CaseRows) -> Iterator[ClockFault]:
    """Everything that is wrong with the clocks of one case, whose rows are `kept`."""
    rows = kept.all(ClockRow)
    ledger: dict[str, list[ClockEntry]] = {}
    for entry in kept.all(ClockEntry, "number"):
        ledger.setdefault(entry.clock, []).append(entry)
    dates = {"legal": case.legal_due_at, "promised": case.promised_due_at}
    dates |= {
        f"task:{task.key}": task.due_at for task in kept.all(Task) if task.state in WAITING_STATES
    }
    for row in rows:
        if row.key in dates and dates[row.key] != row.due_at:
            yield ClockFault("clock_differs", row.key, "date")
        yield from _of_row(row, ledger.pop(row.key, []))
    for key in ledger:
        yield ClockFault("clock_missing", key, "ledger")
    yield from _rungs(session, rows)


def _of_row(row: ClockRow, entries: list[ClockEntry]) -> Iterator[ClockFault]:
    clock = sla.clock_from_mapping(row.body)
    if (clock.state, clock.due_at) != (row.state, row.due_at):
        yield ClockFault("clock_differs", row.key, "row")
    lines = [line_from_mapping(cast("Verb", e.verb), e.at, e.line) for e in entries]
    if not lines:
        yield ClockFault("ledger_missing", row.key, "")
        return
    if lines[-1].new_due not in (None, row.due_at):
        yield ClockFault("clock_differs", row.key, "ledger")
    replayed = replay(lines)
    if replayed is not None and replayed != clock:
        yield ClockFault("clock_differs", row.key, "replay")


def _rungs(session: ReadSession, rows: Sequence[ClockRow]) -> Iterator[ClockFault]:
    expected = {
        rung_key(row.case_id, row.key, row.next_rung_at): row.key
        for row in rows
        if row.next_rung_at is not None
    }
    if not expected:
        return
    found = set(session.scalars(select(Job.unique_key).where(Job.unique_key.in_(list(expected)))))
    for key in sorted(set(expected) - found):
        yield ClockFault("rung_missing", expected[key], key)
