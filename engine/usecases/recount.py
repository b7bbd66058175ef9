"""Count the dates of open cases again after their calendar was changed.

A job takes a page of cases, each in a transaction of its own, and promises the next page. A case
that was counted on the newest calendar is left alone, so that running it twice does nothing more.
"""

from __future__ import annotations

import logging

from sqlalchemy import select

from engine.domain import sla
from engine.domain.access import SYSTEM
from engine.store.audit import record
from engine.store.tables import Case, ClockRow, Job
from engine.store.uow import ReadSession, UnitOfWork, Work
from engine.usecases.calendars import promise_recount
from engine.usecases.case_lock import lock_case
from engine.usecases.clocks import calendar_of, keep_clock
from engine.usecases.definition import definition

log = logging.getLogger("banshi.recount")
PAGE = 200
"""Open cases that one job looks at."""
REASON = "calendar_changed"


def recount_case(work: Work, case_id: str) -> int:
    """Count the case's clocks again on its calendar as it is now; how many dates changed.

    Each change is a line of the ledger and of the audit. Raises NotFound, CalendarUnknown.
    """
    case = lock_case(work, case_id)
    if case.state != "open":
        return 0
    changed, calendar = 0, calendar_of(work, case)
    for row in work.rows.select(ClockRow, "case_id = %s ORDER BY `key`", case.id):
        clock, line = sla.recount(sla.clock_from_mapping(row.body), work.now, calendar, REASON)
        if line is not None:
            keep_clock(work, case, calendar, row.key, row, clock, line)
            record(work, case, "clock_recount", SYSTEM, clock=row.key, calendar=calendar.name)
            changed += 1
    return changed


def recount_page(uow: UnitOfWork, job: Job) -> None:
    """Recount a page of the cases that the job's calendar counts for; the next one is promised.

    Raises the last error of a case that could not be counted, after all others were.
    """
    name, revision = job.payload["calendar"], job.payload["revision"]
    uow.ports.calendars.reload()
    with uow.read() as session:
        affected = uow.ports.calendars.resting_on(name)
        page = open_cases_after(session, job.payload["after"])
        ids = [case.id for case in page if calendar_name(session, uow, case) in affected]
    if len(page) == PAGE:
        # Before this page is counted, so that one bad case cannot keep those after it.
        uow.run(_promise_next, (name, revision, page[-1].id))
    failed: Exception | None = None
    for case_id in ids:
        try:
            uow.run(recount_case, case_id)
        except Exception as error:
            log.warning("case %s was not recounted: %s", case_id, error)
            failed = error
    if failed is not None:
        raise failed


def _promise_next(work: Work, command: tuple[str, int, str]) -> None:
    promise_recount(work, *command)


def open_cases_after(session: ReadSession, case_id: str) -> list[Case]:
    """The next page of open cases by their ids."""
    statement = select(Case).where(Case.state == "open", Case.id > case_id)
    return list(session.scalars(statement.order_by(Case.id).limit(PAGE)))


def calendar_name(session: ReadSession, uow: UnitOfWork, case: Case) -> str:
    """The name of the calendar on which the case's clocks count."""
    manifest = definition(session, case.package_version_id, uow.ports).manifest
    return uow.ports.calendars.named(manifest.calendar_of(case.service)).name
