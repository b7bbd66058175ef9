"""Recounting the clocks of many cases: previewed, then in batches that can be stopped and resumed.

A recount is safe to run twice: what has moved does not move again. It goes through the open cases
in the order of their ids and remembers the last, so that whoever goes on begins there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select

from engine.domain.access import Actor, may_recount
from engine.domain.ports import Calendars, Ports
from engine.domain.sla import clock_from_mapping
from engine.kernel.errors import EngineError, NotAllowed, NotFound, RecountNotRunning
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import Case, CaseState, ClockRow, Job, Recount, Task
from engine.store.uow import ReadSession, UnitOfWork, Work
from engine.usecases.clock_limits import asks_data
from engine.usecases.definition import definition
from engine.usecases.recount_case import (
    Dated,
    Move,
    RecountCase,
    read_recounts,
    recount_case,
    what_moves,
)
from engine.usecases.recount_choice import Wanted, count_wanted, wanted_from

log = logging.getLogger("banshi.recount")

TOGETHER = 50
"""Cases of one transaction."""
RECOUNT = "recount"
SLICE = 500
"""Cases of one run of a recount's job, so that it can be stopped between two."""
READ = 500
UNREADABLE = "clock_unreadable"


def preview(
    uow: UnitOfWork,
    wanted: Wanted,
    reason: str = "",
    progress: Callable[[int], None] = lambda count: None,
    at_most: int | None = None,
    calendars: Calendars | None = None,
) -> Iterator[Move]:
    """What a recount would move, case by case; `progress` is told how many more were looked at.

    With `calendars` as if these were in force.
    """
    uow.ports.calendars.reload()
    ports = uow.ports if calendars is None else replace(uow.ports, calendars=calendars)
    last, found = "", 0
    with uow.read() as session:
        conditions = wanted.conditions(session, ports)
    while at_most is None or found < at_most:
        with uow.read() as session:
            statement = select(Case).where(*conditions, Case.id > last)
            cases = session.scalars(statement.order_by(Case.id).limit(READ)).all()
            moves = list(_moves(ports, session, cases, reason))
        if not cases:
            return
        last = cases[-1].id
        for move in moves:
            if at_most is not None and found >= at_most:
                return
            found += 1
            yield move
        progress(len(cases))


def _moves(
    ports: Ports, session: ReadSession, cases: Sequence[Case], reason: str
) -> Iterator[Move]:
    now = ports.clock.now()
    for case, dated in _read(ports, session, cases):
        made = definition(session, case.package_version_id, ports)
        try:
            yield from what_moves(made, case, dated, ports.calendars, now, reason).moves
        except (LookupError, ValueError, EngineError) as error:
            log.warning("case %s cannot be counted: %s", case.id, error)
            at = case.legal_due_at or case.received_at
            yield Move(case.id, case.reference, "", at, at, refused=UNREADABLE)


def _read(
    ports: Ports, session: ReadSession, cases: Sequence[Case]
) -> Iterator[tuple[Case, Dated]]:
    ids = [case.id for case in cases]
    clocks: dict[str, list[ClockRow]] = {}
    running = ClockRow.case_id.in_(ids), ClockRow.state != "stopped"
    for row in session.scalars(select(ClockRow).where(*running)):
        clocks.setdefault(row.case_id, []).append(row)
    timers: dict[str, list[Job]] = {}
    waiting = Job.case_id.in_(ids), Job.kind == "timer", Job.state == "waiting"
    for job in session.scalars(select(Job).where(*waiting)):
        timers.setdefault(str(job.case_id), []).append(job)
    tasks: dict[str, list[Task]] = {}
    opened = Task.case_id.in_(ids), Task.state.in_(("open", "held")), Task.due_at.is_not(None)
    for task in session.scalars(select(Task).where(*opened)):
        tasks.setdefault(task.case_id, []).append(task)
    for case in cases:
        rows = clocks.get(case.id, [])
        state = session.get(CaseState, case.id) if _asks(ports, session, case, rows) else None
        yield case, Dated(rows, timers.get(case.id, []), tasks.get(case.id, []), state)


def _asks(ports: Ports, session: ReadSession, case: Case, rows: Sequence[ClockRow]) -> bool:
    """Whether a limit of the case depends on its data."""
    made = definition(session, case.package_version_id, ports)
    try:
        return any(asks_data(made, clock_from_mapping(row.body)) for row in rows)
    except (LookupError, ValueError):
        return False  # said where it is counted


@dataclass(frozen=True)
class StartRecount:
    actor: Actor
    wanted: Wanted
    reason: str = "calendar_changed"


def start_recount(work: Work, command: StartRecount) -> Recount:
    """Promise a recount; workers carry it out. Raises NotAllowed."""
    if not may_recount(command.actor):
        raise NotAllowed
    return promise_recount(work, command)


def promise_recount(work: Work, command: StartRecount, due_at: datetime | None = None) -> Recount:
    """The row of a new recount, which workers begin at `due_at`, by default now."""
    recount = new_recount(work, command)
    _go_on(work, recount, due_at)
    return recount


def new_recount(work: Work, command: StartRecount) -> Recount:
    """The row of a recount that has seen no case yet."""
    row = Recount(
        id=new_id(),
        wanted=asdict(command.wanted),
        reason=command.reason[:500],
        state="running",
        total=count_wanted(work.session, work.ports, command.wanted),
        seen=0,
        moved=0,
        failed=0,
        last_case="",
        started_by=command.actor.user_id,
        started_at=work.now,
        finished_at=None,
    )
    work.session.add(row)
    work.session.flush()
    return row


def _go_on(work: Work, recount: Recount, due_at: datetime | None = None) -> None:
    key = f"{RECOUNT}:{recount.id}:{work.now.isoformat()}"
    jobs.promise(work, RECOUNT, key, {"recount_id": recount.id}, due_at=due_at)


def go_on_later(work: Work, recount_id: str) -> None:
    """Promise the next slice of a recount."""
    _go_on(work, work.session.get_one(Recount, recount_id))


@dataclass(frozen=True)
class TurnRecount:
    """Stop a recount that runs, or let a stopped one go on where it was."""

    actor: Actor
    recount_id: str


def stop_recount(work: Work, command: TurnRecount) -> Recount:
    """Raises NotAllowed, NotFound, RecountNotRunning(state)."""
    recount = _turned(work, command)
    if recount.state != "running":
        raise RecountNotRunning(state=recount.state)
    recount.state = "stopped"
    return recount


def resume_recount(work: Work, command: TurnRecount) -> Recount:
    """Raises NotAllowed, NotFound, RecountNotRunning(state) for one that is not stopped."""
    recount = _turned(work, command)
    if recount.state != "stopped":
        raise RecountNotRunning(state=recount.state)
    recount.state = "running"
    _go_on(work, recount)
    return recount


def take_up(work: Work, command: TurnRecount) -> Recount:
    """Let a recount run here and now instead of by workers; a broken-off one too.

    Raises NotAllowed, NotFound, RecountNotRunning(state) for one that is done.
    """
    recount = _turned(work, command)
    if recount.state == "done":
        raise RecountNotRunning(state=recount.state)
    recount.state = "running"
    return recount


def _turned(work: Work, command: TurnRecount) -> Recount:
    if not may_recount(command.actor):
        raise NotAllowed
    recount = work.session.get(Recount, command.recount_id, with_for_update=True)
    if recount is None:
        raise NotFound(what="recount")
    return recount


def recount_slice(
    uow: UnitOfWork,
    actor: Actor,
    recount_id: str,
    progress: Callable[[int], None] = lambda count: None,
    at_most: int = SLICE,
) -> bool:
    """Go on with a recount for some cases; whether there is more to do. Raises NotFound."""
    uow.ports.calendars.reload()
    done, conditions = 0, list[ColumnElement[bool]]()
    while done < at_most:
        with uow.read() as session:
            recount = session.get(Recount, recount_id)
            if recount is None:
                raise NotFound(what="recount")
            if recount.state != "running":
                return False
            conditions = conditions or wanted_from(recount.wanted).conditions(session, uow.ports)
            statement = select(Case.id).where(*conditions, Case.id > recount.last_case)
            ids = list(session.scalars(statement.order_by(Case.id).limit(TOGETHER)))
        commands = [RecountCase(actor, id_, recount.reason) for id_ in ids]
        results = uow.run_together(recount_case, commands, read_recounts)
        for id_, result in zip(ids, results, strict=True):
            if isinstance(result, Exception):
                log.warning("case %s was not recounted: %s", id_, result)
        kept = _Seen(recount_id, ids, _count(results), _failures(results))
        uow.run(_note, kept)
        progress(len(ids))
        if len(ids) < TOGETHER:
            return False
        done += len(ids)
    return True


def _count(results: Sequence[list[Move] | Exception]) -> int:
    moved = [moves for moves in results if not isinstance(moves, Exception)]
    return sum(1 for moves in moved if any(move.refused is None for move in moves))


def _failures(results: Sequence[list[Move] | Exception]) -> int:
    return sum(
        1
        for moves in results
        if isinstance(moves, Exception) or any(move.refused is not None for move in moves)
    )


@dataclass(frozen=True)
class _Seen:
    recount_id: str
    ids: Sequence[str]
    moved: int
    failed: int


def _note(work: Work, seen: _Seen) -> None:
    recount = work.session.get_one(Recount, seen.recount_id, with_for_update=True)
    recount.seen += len(seen.ids)
    recount.moved += seen.moved
    recount.failed += seen.failed
    if seen.ids:
        recount.last_case = max(recount.last_case, seen.ids[-1])
    if len(seen.ids) < TOGETHER and recount.state == "running":
        recount.state, recount.finished_at = "done", work.now
