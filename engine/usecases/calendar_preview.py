"""What an edit of a calendar would do to the open cases, before it is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from engine.domain.access import may_administer
from engine.kernel.errors import CalendarChanged, CalendarUnknown, NotAllowed
from engine.store.calendars import calendar_set, keep_data
from engine.store.queries.calendars import calendar_rows
from engine.store.tables import CalendarRow
from engine.store.uow import UnitOfWork
from engine.usecases.calendars import EditCalendar, edited
from engine.usecases.recount import preview
from engine.usecases.recount_case import Move
from engine.usecases.recount_choice import Wanted, count_wanted


class Outlook(NamedTuple):
    """`cases` open cases would be looked at; `moves` are the dates that would change."""

    cases: int
    moves: Iterator[Move]


def preview_edit(uow: UnitOfWork, command: EditCalendar, at_most: int | None = None) -> Outlook:
    """What the recount after this edit would move. Changes nothing; no reason is asked for.

    Raises NotAllowed, CalendarUnknown, CalendarChanged, CalendarRefused(fields).
    """
    if not may_administer(command.actor):
        raise NotAllowed
    with uow.read() as session:
        rows = {row.name: row for row in calendar_rows(session)}
        row = rows.get(command.name)
        if row is None:
            raise CalendarUnknown(name=command.name)
        if row.revision != command.revision:
            raise CalendarChanged(revision=row.revision)
        main = uow.ports.calendars.main().name
        kept, offices = command.departments, set[str]()
        if kept is not None:
            offices = set(kept) ^ set(row.departments)
        rows[row.name] = _after(row, command)
        calendars = calendar_set(list(rows.values()), main)
        wanted = Wanted(calendars=(row.name,), offices=tuple(sorted(offices)))
        cases = count_wanted(session, uow.ports, wanted)
    return Outlook(cases, preview(uow, wanted, at_most=at_most, calendars=calendars))


def _after(row: CalendarRow, command: EditCalendar) -> CalendarRow:
    """The row as the edit would leave it, in no session."""
    departments = row.departments if command.departments is None else sorted(command.departments)
    made = CalendarRow(name=row.name, departments=departments, revision=row.revision)
    keep_data(made, edited(row, command))
    return made
