"""The office's figures, counted every few seconds in the background and read in one look."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta

from sqlalchemy import select

from engine.domain.calendar import ONE_DAY, WorkingCalendar
from engine.store.queries.performance import (
    Cell,
    Figures,
    Month,
    following,
    month_figures,
    months_since,
    open_cells,
)
from engine.store.tables import FigureSnapshot
from engine.store.uow import ReadSession, UnitOfWork, Work

SOON = 3
"""Working days within which a promised date counts as due soon."""
STALE = timedelta(minutes=1)
"""From this age on a reader counts for himself: no worker seems to run."""
SETTLED = timedelta(days=1)
"""How long after its end a month is counted for the last time."""
_OPEN = "open"


def soon(calendar: WorkingCalendar, now: datetime) -> datetime:
    """The end of the day up to which a promised date counts as due soon."""
    return calendar.end_of(calendar.add_working_days(calendar.local_date(now), SOON))


def refresh_figures(work: Work, _: None) -> None:
    """Count what may have changed, and keep it for the readers."""
    session = ReadSession(work.session)
    kept = {row.name: row for row in session.scalars(select(FigureSnapshot))}
    made = _counted(session, work.ports.calendar, work.now, kept)
    cells = [[*key, *asdict(cell).values()] for key, cell in sorted(made.cells.items())]
    bodies = {_OPEN: cells} | {month: asdict(row) for month, row in made.months.items()}
    for name, body in bodies.items():
        row = kept.get(name)
        if row is None:
            work.session.add(FigureSnapshot(name=name, body=body, at=work.now))
        elif row.body != body or name == _OPEN or not _settled(row, work.ports.calendar):
            row.body, row.at = body, work.now


def figures(uow: UnitOfWork) -> Figures:
    """The figures as they were counted last, or now if that was too long ago."""
    now, calendar = uow.ports.clock.now(), uow.ports.calendar
    with uow.read() as session:
        kept = {row.name: row for row in session.scalars(select(FigureSnapshot))}
        newest = kept.pop(_OPEN, None)
        if newest is None or abs(now - newest.at) > STALE:
            return _counted(session, calendar, now, kept)
    cells = {(row[0], row[1]): Cell(*row[2:]) for row in newest.body}
    return Figures(newest.at, cells, {name: Month(**row.body) for name, row in kept.items()})


def _counted(
    session: ReadSession,
    calendar: WorkingCalendar,
    now: datetime,
    kept: dict[str, FigureSnapshot],
) -> Figures:
    months = {}
    for first in months_since(session, now, calendar.local_date):
        name = f"{first:%Y-%m}"
        if name in kept and _settled(kept[name], calendar):
            months[name] = Month(**kept[name].body)
        else:
            begin, end = _bounds(first, calendar)
            months[name] = month_figures(session, begin, end)
    return Figures(now, open_cells(session, now, soon(calendar, now)), months)


def _settled(row: FigureSnapshot, calendar: WorkingCalendar) -> bool:
    """Whether the month was counted after it was over."""
    _, end = _bounds(date.fromisoformat(f"{row.name}-01"), calendar)
    return row.at > end + SETTLED


def _bounds(first: date, calendar: WorkingCalendar) -> tuple[datetime, datetime]:
    return calendar.end_of(first - ONE_DAY), calendar.end_of(following(first) - ONE_DAY)
