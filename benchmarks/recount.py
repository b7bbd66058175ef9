"""Recounting the clocks of many open cases after a holiday was announced.

Run as ``python -m benchmarks.recount [--json] [--cases N]``, on one MariaDB: so many information
requests are filed, each with its two dates and the clock of its task; another holiday is added to
the calendar, and the recount is previewed, carried out, and run once more when nothing is left to
move. Wall seconds, cases a second.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from api.wiring import Application
from benchmarks.measure import database, machine, memory_mb
from benchmarks.office import Office
from engine.domain.access import Actor
from engine.store.queries.calendars import calendar_row
from engine.store.tables import ClockEntry, Event, Recount
from engine.usecases.calendar_preview import preview_edit
from engine.usecases.calendars import EditCalendar, edit_calendar
from engine.usecases.recount import StartRecount, new_recount, recount_slice
from engine.usecases.recount_choice import Wanted

SHELL = Actor("shell", "shell", "shell", frozenset({"administrator"}))


def measure(cases: int) -> dict[str, Any]:
    with database() as (url, pid), Office.opened(url) as office:
        began = time.perf_counter()
        office.fill_queue(cases)
        filed = time.perf_counter() - began
        uow, edit = office.wired.uow, _one_more_holiday(office.wired)
        began = time.perf_counter()
        moves = sum(1 for _ in preview_edit(uow, edit).moves)
        previewed = time.perf_counter() - began
        uow.run(edit_calendar, edit)
        first, applied = _timed(office.wired)
        again, unmoved = _timed(office.wired)
        with uow.read() as session:
            lines = session.scalar(
                select(func.count()).select_from(ClockEntry).where(ClockEntry.verb == "recount")
            )
            events = session.scalar(
                select(func.count()).select_from(Event).where(Event.kind == "clock_recount")
            )
        return {
            "machine": machine(),
            "cases": cases,
            "filed_seconds": round(filed, 1),
            "preview": {"seconds": round(previewed, 1), "moves": moves},
            "apply": {
                "seconds": round(applied, 1),
                "cases_a_second": round(cases / applied),
                "moved": first.moved,
                "failed": first.failed,
                "ledger_lines": lines,
                "audit_events": events,
            },
            "again": {"seconds": round(unmoved, 1), "moved": again.moved},
            "database_mb": round(memory_mb(pid)),
            "client_mb": round(memory_mb(os.getpid())),
        }


def _one_more_holiday(wired: Application) -> EditCalendar:
    """The edit that makes a working day ten days from now a holiday."""
    calendar, now = wired.ports.calendar, wired.ports.clock.now()
    day = calendar.next_working_day(calendar.local_date(now + timedelta(days=10)))
    with wired.uow.read() as session:
        row = calendar_row(session, calendar.name)
    year = dict(row.body["years"][str(day.year)])
    off = {"from": day.isoformat(), "to": day.isoformat(), "name": {}}
    year["holidays"] = [*year["holidays"], off]
    year["make_up_days"] = [each for each in year["make_up_days"] if each != day.isoformat()]
    return EditCalendar(SHELL, row.name, row.revision, "benchmark", {}, {str(day.year): year})


def _timed(wired: Application) -> tuple[Recount, float]:
    began = time.perf_counter()
    row = wired.uow.run(new_recount, StartRecount(SHELL, Wanted()))
    while recount_slice(wired.uow, SHELL, row.id):
        pass
    seconds = time.perf_counter() - began
    with wired.uow.read() as session:
        return session.get_one(Recount, row.id), seconds


def show(result: dict[str, Any]) -> None:
    print(f"{result['cases']} open cases, filed in {result['filed_seconds']} s")
    print(f"preview   {result['preview']['seconds']:>6} s   {result['preview']['moves']} dates")
    applied = result["apply"]
    print(
        f"apply     {applied['seconds']:>6} s   {applied['moved']} cases moved, "
        f"{applied['cases_a_second']} cases a second"
    )
    print(f"again     {result['again']['seconds']:>6} s   {result['again']['moved']} cases moved")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cases", type=int, default=10_000)
    given = parser.parse_args()
    found = measure(given.cases)
    print(json.dumps(found, indent=2)) if given.json else show(found)
