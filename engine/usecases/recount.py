"""Recounting the clocks of many cases: previewed, then in batches that can be stopped and resumed.

A recount is safe to run twice: what has moved does not move again. It goes through the open cases
in the order of their ids and remembers the last, so that whoever goes on begins there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select

from engine.domain.access import Actor, may_recount
from engine.domain.sla import clock_from_mapping
from engine.kernel.errors import NotAllowed, NotFound, RecountNotRunning
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import Case, CaseState, ClockRow, Job, PackageVersion, Recount
from engine.store.uow import ReadSession, UnitOfWork, Work
from engine.usecases.clock_limits import asks_data
from engine.usecases.definition import definition
from engine.usecases.recount_case import (
    Move,
    RecountCase,
    changed_clocks,
    read_recounts,
    recount_case,
)

TOGETHER = 50
"""Cases of one transaction."""
SLICE = 500
"""Cases of one run of a recount's job, so that it can be stopped between two."""
READ = 500


@dataclass(frozen=True)
class Wanted:
    """Which open cases: all, or those of services, departments or packages, or single ones."""

    services: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        made: list[ColumnElement[bool]] = [Case.state == "open"]
        if self.services:
            made.append(Case.service.in_(self.services))
        if self.departments:
            made.append(Case.department.in_(self.departments))
        if self.packages:
            of = select(PackageVersion.id).where(PackageVersion.key.in_(self.packages))
            made.append(Case.package_version_id.in_(of))
        if self.cases:
            made.append(Case.id.in_(self.cases) | Case.reference.in_(self.cases))
        return made


def wanted_from(stored: dict[str, Any]) -> Wanted:
    """What `Recount.wanted` holds."""
    return Wanted(**{name: tuple(values) for name, values in stored.items()})


def count_wanted(session: ReadSession, wanted: Wanted) -> int:
    """How many open cases there are to look at."""
    return session.scalar(select(func.count()).select_from(Case).where(*wanted.conditions())) or 0


def preview(
    uow: UnitOfWork,
    wanted: Wanted,
    reason: str = "",
    progress: Callable[[int], None] = lambda count: None,
    at_most: int | None = None,
) -> Iterator[Move]:
    """What a recount would move, case by case; `progress` is told how many more were looked at."""
    last, found = "", 0
    while at_most is None or found < at_most:
        with uow.read() as session:
            statement = select(Case).where(*wanted.conditions(), Case.id > last)
            cases = session.scalars(statement.order_by(Case.id).limit(READ)).all()
            moves = list(_moves(uow, session, cases, reason))
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
    uow: UnitOfWork, session: ReadSession, cases: Sequence[Case], reason: str
) -> Iterator[Move]:
    ids = [case.id for case in cases]
    clocks: dict[str, list[ClockRow]] = {}
    for row in session.scalars(
        select(ClockRow).where(ClockRow.case_id.in_(ids), ClockRow.state != "stopped")
    ):
        clocks.setdefault(row.case_id, []).append(row)
    timers: dict[str, list[Job]] = {}
    for job in session.scalars(
        select(Job).where(Job.case_id.in_(ids), Job.kind == "timer", Job.state == "waiting")
    ):
        timers.setdefault(str(job.case_id), []).append(job)
    for case in cases:
        made = definition(session, case.package_version_id, uow.ports)
        rows = clocks.get(case.id, [])
        state = None
        if any(asks_data(made, clock_from_mapping(row.body)) for row in rows):
            state = session.get(CaseState, case.id)
        yield from changed_clocks(
            made, case, rows, timers.get(case.id, []), state,
            uow.ports.calendar, uow.ports.clock.now(), reason,
        ).moves  # fmt: skip


@dataclass(frozen=True)
class StartRecount:
    actor: Actor
    wanted: Wanted
    reason: str = "calendar_changed"


def start_recount(work: Work, command: StartRecount) -> Recount:
    """Promise a recount; workers carry it out. Raises NotAllowed."""
    if not may_recount(command.actor):
        raise NotAllowed
    recount = new_recount(work, command)
    _go_on(work, recount)
    return recount


def new_recount(work: Work, command: StartRecount) -> Recount:
    """The row of a recount that has seen no case yet."""
    session = ReadSession(work.session)
    row = Recount(
        id=new_id(),
        wanted=asdict(command.wanted),
        reason=command.reason[:500],
        state="running",
        total=count_wanted(session, command.wanted),
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


def _go_on(work: Work, recount: Recount) -> None:
    key = f"recount:{recount.id}:{work.now.isoformat()}"
    jobs.promise(work, "recount", key, {"recount_id": recount.id})


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
    done = 0
    while done < at_most:
        with uow.read() as session:
            recount = session.get(Recount, recount_id)
            if recount is None:
                raise NotFound(what="recount")
            if recount.state != "running":
                return False
            wanted = wanted_from(recount.wanted)
            statement = select(Case.id).where(*wanted.conditions(), Case.id > recount.last_case)
            ids = list(session.scalars(statement.order_by(Case.id).limit(TOGETHER)))
        commands = [RecountCase(actor, id_, recount.reason) for id_ in ids]
        results = uow.run_together(recount_case, commands, read_recounts)
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
