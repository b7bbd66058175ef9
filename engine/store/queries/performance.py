"""How the office keeps its limits: by law and by promise, never mixed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select

from engine.store.tables import Case, ClockRow, Event, Incident, Job, Rating, Task, User
from engine.store.uow import ReadSession

AT_RISK = 30


@dataclass
class Cell:
    """Open cases of one department and service."""

    open: int = 0
    due_soon: int = 0
    overdue: int = 0
    paused: int = 0
    returned: int = 0


@dataclass
class Month:
    closed: int = 0
    on_time_legal: int = 0
    on_time_promised: int = 0


@dataclass(frozen=True)
class RiskRow:
    case: Case
    task: Task | None
    assignee: str | None


@dataclass
class Figures:
    """`soon` is the instant up to which a promised date counts as due soon."""

    open: int = 0
    due_soon: int = 0
    overdue_promised: int = 0
    overdue_legal: int = 0
    cells: dict[tuple[str, str], Cell] = field(default_factory=lambda: defaultdict(Cell))
    months: dict[str, Month] = field(default_factory=lambda: defaultdict(Month))
    ratings: list[int] = field(default_factory=lambda: [0] * 5)
    at_risk: list[RiskRow] = field(default_factory=list)
    incidents: int = 0


def figures(
    session: ReadSession, now: datetime, soon: datetime, local: Callable[[datetime], date]
) -> Figures:
    """The office's figures at `now`; `local` gives the office's date of an instant."""
    made = Figures()
    _open_cases(session, made, now, soon)
    _decided_cases(session, made, local)
    for grade, count in session.execute(select(Rating.grade, func.count()).group_by(Rating.grade)):
        if 1 <= grade <= 5:
            made.ratings[grade - 1] = count
    made.at_risk = _at_risk(session, soon)
    made.incidents = _incidents(session)
    return made


def _incidents(session: ReadSession) -> int:
    """Failed steps that nobody has dealt with, and background work that was given up."""
    steps = select(func.count()).select_from(Incident).where(Incident.state == "open")
    # Work for a case has an incident of its own.
    given_up = (
        select(func.count()).select_from(Job).where(Job.state == "failed", Job.case_id.is_(None))
    )
    return (session.scalar(steps) or 0) + (session.scalar(given_up) or 0)


def _open_cases(session: ReadSession, made: Figures, now: datetime, soon: datetime) -> None:
    paused = set(session.scalars(select(ClockRow.case_id).where(ClockRow.state == "paused")))
    returned = Counter(session.scalars(select(Event.case_id).where(Event.kind == "task_returned")))
    # A decided case that only waits for its rating no longer runs against a limit.
    rows = session.execute(
        select(
            Case.id, Case.department, Case.service, Case.promised_due_at, Case.legal_due_at
        ).where(Case.state == "open", Case.decided_at.is_(None))
    )
    for row in rows:
        cell = made.cells[row.department or "", row.service]
        cell.open += 1
        made.open += 1
        cell.paused += row.id in paused
        cell.returned += returned[row.id]
        if row.legal_due_at and row.legal_due_at < now:
            made.overdue_legal += 1
        if row.promised_due_at and row.promised_due_at < now:
            cell.overdue += 1
            made.overdue_promised += 1
        elif row.promised_due_at and row.promised_due_at <= soon:
            cell.due_soon += 1
            made.due_soon += 1


def _decided_cases(session: ReadSession, made: Figures, local: Callable[[datetime], date]) -> None:
    rows = session.execute(
        select(Case.decided_at, Case.promised_due_at, Case.legal_due_at)
        .where(Case.decided_at.is_not(None))
        .order_by(Case.decided_at)
    )
    for row in rows:
        month = made.months[f"{local(row.decided_at):%Y-%m}"]
        month.closed += 1
        month.on_time_legal += row.legal_due_at is None or row.decided_at <= row.legal_due_at
        month.on_time_promised += (
            row.promised_due_at is None or row.decided_at <= row.promised_due_at
        )


def _at_risk(session: ReadSession, soon: datetime) -> list[RiskRow]:
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
