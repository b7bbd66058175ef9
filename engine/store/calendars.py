"""The working calendars as a process knows them: those of the table, over those that are shipped.

Whether one of them was changed is asked at most every two seconds (`LOOK_EVERY`), with one small
query beside the step that needs a calendar. So a change holds in every process two seconds later
at the latest; what is counted in between is put right by the job that the change promises.
"""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.domain.calendar import WorkingCalendar
from engine.domain.calendar_data import CalendarData, read_calendar, shipped_calendar, shipped_names
from engine.domain.calendar_set import CalendarSet
from engine.kernel.errors import CalendarRefused, StoreUnavailable
from engine.store.pools import open_aside
from engine.store.tables import CalendarRow

log = logging.getLogger("banshi.calendars")
LOOK_EVERY = 2.0
"""Seconds after which a process asks again whether a calendar was changed."""


class StoredCalendars:
    """Satisfies `engine.domain.ports.Calendars`. `main` names the office's own calendar."""

    def __init__(self, engine: Engine, main: str) -> None:
        self._engine = open_aside(engine)
        self._main = main
        self._known: CalendarSet | None = None
        self._seen: tuple[int, int] | None = None
        self._look_again = 0.0
        self._looking = threading.Lock()

    def main(self) -> WorkingCalendar:
        return self._current().main()

    def named(self, name: str | None) -> WorkingCalendar:
        return self._current().named(name)

    def of_department(self, code: str | None) -> WorkingCalendar:
        return self._current().of_department(code)

    def names(self) -> frozenset[str]:
        return self._current().names()

    def resting_on(self, name: str) -> frozenset[str]:
        return self._current().resting_on(name)

    def reload(self) -> None:
        with self._looking:
            self._look()

    def _current(self) -> CalendarSet:
        """What is known, after a look if the last one was too long ago.

        One thread looks; the others go on with what was true a moment ago.
        """
        known = self._known
        if known is not None and time.monotonic() < self._look_again:
            return known
        if not self._looking.acquire(blocking=known is None):
            return known  # type: ignore[return-value]  # without one, it has waited its turn
        try:
            if self._known is None or time.monotonic() >= self._look_again:
                return self._look()
            return self._known
        finally:
            self._looking.release()

    def _look(self) -> CalendarSet:
        self._look_again = time.monotonic() + LOOK_EVERY
        try:
            with self._engine.connect() as connection:
                self._read(connection)
        except SQLAlchemyError as error:
            self._cannot_look(error)
        except CalendarRefused:
            if self._known is None:
                raise
            log.exception("the calendars contradict each other; the ones from before stay")
        assert self._known is not None  # noqa: S101
        return self._known

    def _read(self, connection: Connection) -> None:
        revisions = select(func.count(), func.coalesce(func.sum(CalendarRow.revision), 0))
        count, total = connection.execute(revisions).one()
        if self._known is None or self._seen != (count, total):
            rows = connection.execute(select(CalendarRow.__table__)).all()
            self._known = calendar_set([CalendarRow(**row._mapping) for row in rows], self._main)
            self._seen = (count, total)

    def _cannot_look(self, error: SQLAlchemyError) -> None:
        """What is known stays; a process that knows nothing yet may not guess."""
        if self._known is not None:
            log.warning("the calendars cannot be read: %s", error)
        elif isinstance(error, DBAPIError) and _has_no_table(error):
            # Before the first migration.
            self._known = calendar_set([], self._main)
        else:
            raise StoreUnavailable from error


def _has_no_table(error: DBAPIError) -> bool:
    text = str(error.orig)
    return "no such table" in text or "1146" in text


def calendar_set(rows: list[CalendarRow], main: str) -> CalendarSet:
    """The calendars of `rows`, and the shipped ones that are not among them."""
    stored = {row.name: calendar_data(row) for row in rows}
    shipped = {name: shipped_calendar(name) for name in shipped_names()}
    departments = {code: row.name for row in rows for code in row.departments}
    return CalendarSet((shipped | stored).values(), main, departments)


def calendar_data(row: CalendarRow) -> CalendarData:
    """What the row says. Raises CalendarRefused."""
    beside = {"name": row.name, "extends": row.extends, "title": row.title, "zone": row.zone}
    return read_calendar({**row.body, **beside})


def keep_data(row: CalendarRow, data: CalendarData) -> None:
    """Write what `data` says into the row."""
    body = data.as_mapping()
    for name in ("name", "extends", "title", "zone"):
        setattr(row, name, body.pop(name, None))
    row.body = body
