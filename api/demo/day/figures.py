"""What a simulated day must keep to, and its figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from api.wiring import Application
from engine.domain.limit import Limit, due
from engine.store.tables import Case, Event, Notice, Task, TaskMove
from engine.store.uow import ReadSession

ONE_DAY, TWO_DAYS = Limit("working_days", 1), Limit("working_days", 2)
LATE = ("+1wd", "+5wd")
"""The rungs of the package's ladder after the promise has passed."""


@dataclass
class DayFigures:
    """What must be none: `unowned`, tickets that were seen without an owner one working day after
    they came; `warned_twice`, notices that somebody got a second time of one rung of a clock; and
    `unwarned`, tickets that have been late for two working days, and nobody was told."""

    seed: int
    departments: int
    staff: int
    tickets: int
    dispatched: int = 0
    handled: int = 0
    returned: int = 0
    adjudicated: int = 0
    queued: int = 0
    """Tasks that nobody could be given at once, and that waited in their department's queue."""
    warned: int = 0
    unowned: set[str] = field(default_factory=set)
    warned_twice: int = 0
    unwarned: int = 0
    least_given: int = 0
    most_given: int = 0
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        return not (self.unowned or self.warned_twice or self.unwarned)


def note_unowned(wired: Application, figures: DayFigures) -> None:
    """Remember the tickets that are old by now and have an open task that nobody has."""
    now, calendar = wired.ports.clock.now(), wired.ports.calendar
    with wired.uow.read() as session:
        free = (
            select(Case.reference, Case.received_at)
            .join(Task, Task.case_id == Case.id)
            .where(Task.state == "open", Task.audience == "staff", Task.assignee_id.is_(None))
            .distinct()
        )
        for reference, received_at in session.execute(free):
            if due(ONE_DAY, received_at, calendar) < now:
                figures.unowned.add(reference)


def count_day(wired: Application, figures: DayFigures) -> None:
    """Fill in what stands in the database at the end."""
    with wired.uow.read() as session:
        handled = select(func.count()).where(Task.element == "handle", Task.part_of.is_(None))
        figures.dispatched = _count(session, handled)
        figures.handled = _count(session, handled.where(Task.state == "done"))
        figures.returned = _count(session, select(func.count()).select_from(TaskMove))
        finals = select(func.count()).where(TaskMove.final.is_(True))
        figures.adjudicated = _count(session, finals)
        figures.queued = figures.dispatched - _count(session, _assigned("handle"))
        given = session.execute(
            select(Task.department, func.count())
            .where(Task.element == "handle", Task.part_of.is_(None))
            .group_by(Task.department)
        )
        counts = [count for _, count in given]
        figures.least_given, figures.most_given = min(counts, default=0), max(counts, default=0)
        figures.warned = _count(session, select(func.count()).select_from(Notice))
        figures.warned_twice = _warned_twice(session)
        figures.unwarned = _unwarned(wired, session)


def _assigned(element: str) -> Select[Any]:
    return (
        select(func.count(Event.case_id.distinct()))
        .where(Event.kind == "task_assigned")
        .where(Event.case_id.in_(select(Task.case_id).where(Task.element == element)))
    )


def _unwarned(wired: Application, session: ReadSession) -> int:
    now, calendar = wired.ports.clock.now(), wired.ports.calendar
    late = select(Case.promised_due_at).where(Case.state == "open", Case.decided_at.is_(None))
    told = select(Notice.case_id).where(Notice.clock == "promised", Notice.rung.in_(LATE))
    dates = [at for at in session.scalars(late.where(Case.id.not_in(told))) if at is not None]
    return len([at for at in dates if due(TWO_DAYS, at, calendar) < now])


def _warned_twice(session: ReadSession) -> int:
    of = (Notice.case_id, Notice.clock, Notice.rung, Notice.due_at, Notice.user_id)
    columns = (*of, Notice.department)
    repeated = select(*columns).group_by(*columns).having(func.count() > 1)
    return len(session.execute(repeated).all())


def _count(session: ReadSession, statement: Select[Any]) -> int:
    return session.scalar(statement) or 0


def is_open(wired: Application, at: datetime) -> bool:
    """Whether the office is open at the instant."""
    calendar = wired.ports.calendar
    opens, closes = next(calendar.office_periods(at))
    return opens <= at < closes
