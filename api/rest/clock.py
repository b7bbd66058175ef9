"""By when an application would be decided, and why: open to everybody."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.access import application, current_actor
from api.calendar_words import in_locale, run_view
from api.rest.schemas import Shape
from engine.domain.access import Actor
from engine.domain.calendar import WorkingCalendar
from engine.domain.explain import explain
from engine.domain.field_error import FieldError
from engine.domain.sla import SlaClock
from engine.kernel.errors import CalendarRefused
from engine.usecases.definition import offered_definition
from engine.usecases.filing_dates import filing_clocks

router = APIRouter(tags=["clock"])
FARTHEST_DAYS = 5 * 366


class RunShape(Shape):
    """Days in a row that count, or do not, for the same reason; `text` says so in words."""

    first: date
    last: date
    kind: str
    numbers: list[int] | None
    hours: float | None
    name: str | None
    provisional: bool
    text: str


class FilingDate(Shape):
    due_on: date
    due_at: datetime
    provisional: bool
    basis: str | None
    days: list[RunShape]


class FilingDates(Shape):
    service: str
    on: date
    calendar: str
    promised: FilingDate | None
    legal: FilingDate | None


@router.get("/clock", operation_id="filing_dates", response_model=FilingDates)
def filing_dates(
    request: Request,
    actor: Annotated[Actor | None, Depends(current_actor)],
    service: Annotated[str, Query(max_length=12)],
    on: date | None = None,
) -> FilingDates:
    """The promised and the legal date of an application filed today, or on a day, day by day."""
    wired, locale = application(request), request.state.locale
    with wired.uow.read() as session:
        made = offered_definition(session, service, wired.ports)
    calendar = wired.ports.calendars.named(made.manifest.calendar_of(service))
    at = wired.ports.clock.now()
    if on is not None:
        if abs((on - calendar.local_date(at)).days) > FARTHEST_DAYS:
            raise CalendarRefused(fields=(FieldError("on", "date_too_far", {}),))
        at = datetime.combine(on, time(12), calendar.zone)
    clocks = {
        key: _date(clock, calendar, locale)
        for key, clock in filing_clocks(made, service, at, calendar).items()
    }
    return FilingDates(
        service=service,
        on=calendar.local_date(at),
        calendar=calendar.name,
        promised=clocks.get("promised"),
        legal=clocks.get("legal"),
    )


def _date(clock: SlaClock, calendar: WorkingCalendar, locale: str) -> FilingDate:
    return FilingDate(
        due_on=calendar.local_date(clock.due_at),
        due_at=clock.due_at,
        provisional=clock.provisional,
        basis=in_locale(clock.limit.basis, locale) or None,
        days=[RunShape(**run_view(run, locale)) for run in explain(clock, calendar)],
    )
