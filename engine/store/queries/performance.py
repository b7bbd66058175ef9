"""How the office keeps its limits: by law and by promise, never mixed.

An office with a million cases does not count them for each reader: what is counted here is kept
in `figure_snapshots` (see `engine.usecases.figures`), and a month that is over for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy import case as case_of

from engine.domain.clock_terms import CASE_DATES
from engine.store.tables import Case, ClockRow, Incident, Job, Rating, Task, User
from engine.store.uow import ReadSession

AT_RISK = 30
Key = tuple[str, str]
"""A department's code, empty for none, and a service's."""


@dataclass
class Cell:
    """Open cases of one department and service that are not decided yet."""

    open: int = 0
    due_soon: int = 0
    overdue: int = 0
    overdue_legal: int = 0
    paused: int = 0
    returned: int = 0


@dataclass
class Month:
    """What was decided in a month, and the ratings given in it from grade 1 to 5."""

    closed: int = 0
    on_time_legal: int = 0
    on_time_promised: int = 0
    ratings: list[int] = field(default_factory=lambda: [0] * 5)


@dataclass(frozen=True)
class RiskRow:
    case: Case
    task: Task | None
    assignee: str | None


@dataclass(frozen=True)
class Figures:
    """What was counted `at` an instant; months by ``YYYY-MM``."""

    at: datetime
    cells: dict[Key, Cell]
    months: dict[str, Month]


def open_cells(session: ReadSession, now: datetime, soon: datetime) -> dict[Key, Cell]:
    """The undecided open cases; a promised date up to `soon` counts as due soon.

    A decided case that only waits for its rating no longer runs against a limit.
    """
    undecided = [Case.state == "open", Case.decided_at.is_(None)]
    promised, legal = Case.promised_due_at, Case.legal_due_at
    counted = select(
        Case.department,
        Case.service,
        func.count().label("open"),
        _count_if(and_(promised >= now, promised <= soon)).label("due_soon"),
        _count_if(promised < now).label("overdue"),
        _count_if(legal < now).label("overdue_legal"),
        func.sum(Case.returns).label("returned"),
    )
    made = {
        (row.department or "", row.service): Cell(
            open=int(row.open),
            due_soon=int(row.due_soon),
            overdue=int(row.overdue),
            overdue_legal=int(row.overdue_legal),
            returned=int(row.returned),
        )
        for row in session.execute(
            counted.where(*undecided).group_by(Case.department, Case.service)
        )
    }
    paused = (
        select(Case.department, Case.service, func.count(Case.id.distinct()))
        .join(ClockRow, ClockRow.case_id == Case.id)
        .where(ClockRow.state == "paused", ClockRow.key.in_(CASE_DATES), *undecided)
        .group_by(Case.department, Case.service)
    )
    for department, service, count in session.execute(paused):
        made[department or "", service].paused = count
    return made


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case_of((condition, 1), else_=0))


def months_since(
    session: ReadSession, now: datetime, local: Callable[[datetime], date]
) -> Iterator[date]:
    """The first day of each month from the first decision up to now; `local` gives the date."""
    first = session.scalar(select(func.min(Case.decided_at)))
    if first is None:
        return
    month, last = local(first).replace(day=1), local(now)
    while month <= last:
        yield month
        month = following(month)


def following(month: date) -> date:
    """The first day of the month after that of `month`."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_figures(session: ReadSession, begin: datetime, end: datetime) -> Month:
    """What was decided and rated from `begin` up to, not including, `end`."""
    decided, promised, legal = Case.decided_at, Case.promised_due_at, Case.legal_due_at
    row = session.execute(
        select(
            func.count(),
            _count_if(legal.is_(None) | (decided <= legal)),
            _count_if(promised.is_(None) | (decided <= promised)),
        ).where(decided >= begin, decided < end)
    ).one()
    closed, on_time_legal, on_time_promised = (int(value or 0) for value in row)
    made = Month(closed, on_time_legal, on_time_promised)
    rated = (
        select(Rating.grade, func.count())
        .where(Rating.at >= begin, Rating.at < end)
        .group_by(Rating.grade)
    )
    for grade, count in session.execute(rated):
        if 1 <= grade <= 5:
            made.ratings[grade - 1] = count
    return made


def open_incidents(session: ReadSession) -> int:
    """Failed steps that nobody has dealt with, and background work that was given up."""
    steps = select(func.count()).select_from(Incident).where(Incident.state == "open")
    # Work for a case has an incident of its own.
    given_up = (
        select(func.count()).select_from(Job).where(Job.state == "failed", Job.case_id.is_(None))
    )
    return (session.scalar(steps) or 0) + (session.scalar(given_up) or 0)


def cases_at_risk(session: ReadSession, soon: datetime) -> list[RiskRow]:
    """The undecided cases whose promised date lies furthest back, or comes before `soon`."""
    cases = session.scalars(
        select(Case)
        .where(Case.state == "open", Case.decided_at.is_(None), Case.promised_due_at <= soon)
        .order_by(Case.promised_due_at, Case.id)
        .limit(AT_RISK)
    ).all()
    tasks: dict[str, tuple[Task, str | None]] = {}
    for task, assignee in session.execute(
        select(Task, User.display_name)
        .outerjoin(User, User.id == Task.assignee_id)
        .where(Task.case_id.in_([case.id for case in cases]), Task.state == "open")
        .order_by(Task.opened_at.desc())
    ):
        tasks.setdefault(task.case_id, (task, assignee))
    return [RiskRow(case, *tasks.get(case.id, (None, None))) for case in cases]
