"""Counting the dates of one case again, after something that they rest on has changed.

That is a working calendar, the limit (another category or priority, another version of the
package), or the date of receipt. What is worked out here is what a preview shows and what a batch
carries out: the clocks, the timers of the model that wait, and the dates of tasks that have no
clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.domain import sla
from engine.domain.access import Actor
from engine.domain.clock_terms import is_of_task
from engine.domain.ledger import LedgerLine
from engine.domain.ports import Calendars
from engine.domain.sla import SlaClock
from engine.kernel.errors import EngineError
from engine.store.audit import record
from engine.store.statements import Query
from engine.store.tables import Case, CaseState, ClockRow, Job, Task
from engine.store.uow import Work
from engine.usecases.case_lock import lock_case, lock_cases, state_of
from engine.usecases.clock_calendar import clock_calendar, service_calendar
from engine.usecases.clock_limits import asks_data, limit_changed
from engine.usecases.clock_rows import clocks_of, keep_clock, read_clocks, terms_for
from engine.usecases.definition import Definition, definition_for
from engine.usecases.joint_parts import lapse_key
from engine.usecases.moved_letter import tell_later
from engine.usecases.task_clocks import task_clock
from engine.usecases.task_dates import task_due
from engine.usecases.timer_dates import timer_due

LIMIT_CHANGED = "limit_changed"
TIMERS = "case_id IN %s AND kind IN ('timer', 'joint') AND state = 'waiting'"
TASKS = "case_id IN %s AND state IN ('open', 'held') AND due_at IS NOT NULL"


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


@dataclass(frozen=True)
class Dated:
    """The rows of a case whose dates may move. `state` is read only if a limit asks for it."""

    clocks: Sequence[ClockRow]
    timers: Sequence[Job] = ()
    tasks: Sequence[Task] = ()
    state: CaseState | None = None


@dataclass(frozen=True)
class Changed:
    """What moves in one case: the clocks with their lines, timers and tasks with their dates."""

    clocks: tuple[tuple[ClockRow, SlaClock, LedgerLine], ...]
    timers: tuple[tuple[Job, datetime], ...]
    tasks: tuple[tuple[Task, datetime], ...]
    moves: tuple[Move, ...]

    def __bool__(self) -> bool:
        return bool(self.clocks or self.timers or self.tasks)


def what_moves(
    made: Definition,
    case: Case,
    dated: Dated,
    calendars: Calendars,
    now: datetime,
    reason: str,
    received: datetime | None = None,
) -> Changed:
    """What counting again would change in the case. Changes nothing.

    With `received` the clocks that were counted from the case's receipt are counted from there.
    """
    clocks, moves = [], []
    for row in sorted(dated.clocks, key=lambda each: each.key):
        if row.state == "stopped":
            continue
        clock = sla.clock_from_mapping(row.body)
        move = Move(case.id, case.reference, row.key, row.due_at, row.due_at, _element(row, clock))
        try:
            new = _asked(made, case, dated, row, clock)
            if received is not None and clock.received == case.received_at:
                new["received"] = received
            why = LIMIT_CHANGED if "limit" in new else reason
            counts = clock_calendar(calendars, made, case, clock)
            after, line = sla.recount(clock, now, counts, why, **new)
        except EngineError as error:
            moves.append(replace(move, refused=_why(error)))
            continue
        if line is not None:
            clocks.append((row, after, line))
            moves.append(replace(move, new_due=after.due_at))
    timers, more = _timers(made, case, dated.timers, calendars)
    tasks, others = _tasks(made, case, dated, calendars)
    return Changed(tuple(clocks), timers, tasks, (*moves, *more, *others))


def _asked(
    made: Definition, case: Case, dated: Dated, row: ClockRow, clock: SlaClock
) -> dict[str, Any]:
    """The limit as the case's data have it now, if it is another than the clock's."""
    data: Mapping[str, Any] = {}
    if dated.state is not None and asks_data(made, clock):
        data = dated.state.data
    return limit_changed(made, case, terms_for(made, row), clock, None, data)


def _element(row: ClockRow, clock: SlaClock) -> str:
    return clock.begun_by if is_of_task(row.key) else ""


def _why(error: EngineError) -> str:
    return str(error.params.get("why") or error.code)


def _timers(
    made: Definition, case: Case, timers: Sequence[Job], calendars: Calendars
) -> tuple[tuple[tuple[Job, datetime], ...], list[Move]]:
    moved, moves = [], []
    for job in timers:
        value, element = job.payload.get("value"), str(job.payload.get("element", ""))
        if value is None:
            continue
        move = Move(case.id, case.reference, "", job.due_at, job.due_at, element)
        try:
            counts = service_calendar(calendars, made, case.service)
            at = timer_due(made, case, value, job.created_at, counts, element)
        except EngineError as error:
            moves.append(replace(move, refused=_why(error)))
            continue
        if at != job.due_at:
            moved.append((job, at))
            moves.append(replace(move, new_due=at))
    return tuple(moved), moves


def _tasks(
    made: Definition, case: Case, dated: Dated, calendars: Calendars
) -> tuple[tuple[tuple[Task, datetime], ...], list[Move]]:
    """The tasks without a clock: those that serve another, and those of before there were any."""
    clocks = {row.key for row in dated.clocks}
    moved, moves = [], []
    for task in dated.tasks:
        key = task_clock(task.key)
        if key in clocks or task.due_at is None:
            continue
        at = task_due(calendars, made, case, task)
        if at is not None and at != task.due_at:
            moved.append((task, at))
            moves.append(Move(case.id, case.reference, key, task.due_at, at, task.element))
    return tuple(moved), moves


@dataclass(frozen=True)
class RecountCase:
    """`reason` is a code of the catalogue (``calendar_changed``) or a text, kept in the ledger."""

    actor: Actor
    case_id: str
    reason: str = ""
    received: datetime | None = None


def read_recounts(work: Work, commands: Sequence[RecountCase]) -> None:
    """Lock and read what several recounts need, in few round trips."""
    ids = sorted({command.case_id for command in commands})
    lock_cases(work, ids)
    read_clocks(work, ids)
    work.rows.fetch(Query(Job, TIMERS, (ids,)), Query(Task, TASKS, (ids,)))


def dated_rows(work: Work, case: Case) -> Dated:
    """What `read_recounts` has read of the case."""
    return Dated(
        list(clocks_of(work, case).values()),
        work.rows.known_of_case(Job, case.id),
        work.rows.known_of_case(Task, case.id),
        state_of(work, case),
    )


def recount_case(work: Work, command: RecountCase) -> list[Move]:
    """Count the case's dates again; what moved. Nothing moves a second time.

    Each change of a clock is a line of the ledger and of the audit. Raises NotFound,
    CalendarUnknown. A case that has ended keeps its dates.
    """
    case = lock_case(work, command.case_id)
    if case.state != "open":
        return []
    if case.id not in work.clocks:
        read_recounts(work, [command])
    made = definition_for(work, case.package_version_id)
    changed = what_moves(
        made, case, dated_rows(work, case), work.ports.calendars, work.now,
        command.reason, command.received,
    )  # fmt: skip
    _keep(work, made, case, changed, command.actor)
    return list(changed.moves)


def _keep(work: Work, made: Definition, case: Case, changed: Changed, actor: Actor) -> None:
    promised = case.promised_due_at
    for row, clock, line in changed.clocks:
        keep_clock(work, made, case, terms_for(made, row), row.key, clock, line, actor)
    for job, at in changed.timers:
        _note(work, case, actor, "timer_moved", str(job.payload.get("element", "")), job.due_at, at)
        job.due_at = at
    jobs = {job.unique_key: job for job in work.rows.known_of_case(Job, case.id)}
    for task, at in changed.tasks:
        if task.due_at is not None:
            _note(work, case, actor, "task_moved", task.element, task.due_at, at)
        task.due_at = at
        lapse = jobs.get(lapse_key(task.id))
        if lapse is not None:
            lapse.due_at = at
    if changed:
        case.revision += 1
    if case.promised_due_at != promised:
        tell_later(work, made, case, promised, state_of(work, case).data, actor)


def _note(
    work: Work, case: Case, actor: Actor, kind: str, element: str, before: datetime, at: datetime
) -> None:
    details = {"element": element, "from": before.isoformat(), "to": at.isoformat()}
    record(work, case, kind, actor, **details)
