"""Working calendars as they are stored, and the record of their changes."""

from __future__ import annotations

from sqlalchemy import select

from engine.kernel.errors import CalendarUnknown
from engine.store.tables import CalendarChange, CalendarRow
from engine.store.uow import ReadSession


def calendar_rows(session: ReadSession) -> list[CalendarRow]:
    """All calendars by name."""
    return list(session.scalars(select(CalendarRow).order_by(CalendarRow.name)))


def calendar_row(session: ReadSession, name: str) -> CalendarRow:
    """The calendar `name`. Raises CalendarUnknown."""
    row = session.get(CalendarRow, name)
    if row is None:
        raise CalendarUnknown(name=name)
    return row


def changes_of(session: ReadSession, name: str, at_most: int = 50) -> list[CalendarChange]:
    """What was changed in a calendar, newest first."""
    return list(
        session.scalars(
            select(CalendarChange)
            .where(CalendarChange.calendar == name)
            .order_by(CalendarChange.revision.desc())
            .limit(at_most)
        )
    )
