"""Start page, catalogue and guides: what can be applied for, and what it takes."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.access import LOCALE_COOKIE, application, current_actor, set_cookie
from api.portal.page import go_to, page, safe_path
from api.service_names import services_named
from engine.domain.access import Actor
from engine.domain.calendar import WorkingCalendar
from engine.domain.locales import LOCALES
from engine.kernel.errors import NotFound
from engine.store.queries.citizen import own_cases
from engine.store.queries.packages import offered_services
from engine.usecases.definition import Definition, definition
from engine.usecases.filing_dates import filing_clocks
from forms import fields_of, label_of, page_title, pages_of

router = APIRouter()
Visitor = Annotated[Actor | None, Depends(current_actor)]
_YEAR = 31_536_000
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)
"""The days that the dates can be asked for."""


@router.get("/")
def home(request: Request, actor: Visitor) -> Response:
    """Search, life events, what can be done online, and whose turn it is in my cases."""
    wired = application(request)
    catalogue = wired.ports.catalogue
    with wired.uow.read() as session:
        offered = offered_services(session)
        mine = own_cases(session, actor) if actor and "citizen" in actor.roles else []
        named = services_named(session, catalogue, {case.service for case in mine})
    return page(
        request,
        "home.html.j2",
        offered=[row for code, row in sorted(catalogue.services.items()) if code in offered],
        events=list(catalogue.life_events.values()),
        waiting=[case for case in mine if case.waiting_for == "applicant"],
        cases=[case for case in mine if case.state == "open"][:5],
        services=named,
    )


@router.get("/services")
def services(
    request: Request,
    actor: Visitor,
    q: Annotated[str, Query(max_length=100)] = "",
    event: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The catalogue; a search in either language forgives small slips."""
    wired = application(request)
    catalogue = wired.ports.catalogue
    found = (
        catalogue.search(q, request.state.locale)
        if q.strip()
        else list(catalogue.services.values())
    )
    if event in catalogue.life_events:
        found = [service for service in found if event in service.life_events]
    with wired.uow.read() as session:
        offered = set(offered_services(session))
    return page(
        request,
        "services.html.j2",
        found=sorted(found, key=lambda each: each.code not in offered) if not q else found,
        offered=offered,
        q=q,
        event=catalogue.life_events.get(event),
    )


@router.get("/services/{code}")
def guide(
    request: Request,
    actor: Visitor,
    code: str,
    on: Annotated[date | None, Query(ge=EARLIEST, le=LATEST)] = None,
) -> Response:
    """Who may apply, what it takes, how long, and the dates if filed today or `on` some day."""
    wired, locale = application(request), request.state.locale
    catalogue, now = wired.ports.catalogue, wired.ports.clock.now()
    calendar = wired.ports.calendar
    service = catalogue.services.get(code)
    if service is None:
        raise NotFound(what="service")
    form = made = None
    dates: dict[str, date] = {}
    dates_on: dict[str, date] = {}
    with wired.uow.read() as session:
        version = offered_services(session).get(code)
        if version is not None:
            made = definition(session, version, wired.ports)
    if made is not None:
        form = made.forms[made.manifest.services[code].form]
        calendar = wired.ports.calendars.named(made.manifest.calendar_of(code))
        dates = _dates(made, code, now, calendar)
        if on is not None:
            received = datetime.combine(on, time(10), calendar.zone)
            dates_on = _dates(made, code, received, calendar)
    return page(
        request,
        "guide.html.j2",
        service=service,
        legal=_legal_limit(service.statutory),
        events=[catalogue.life_events[each] for each in service.life_events],
        dates=dates,
        on=on,
        dates_on=dates_on,
        today=calendar.local_date(now),
        offered=made is not None,
        stages=[made.manifest.stages[key][locale] for key in made.manifest.stages] if made else [],
        pages=_questions(form, locale) if form else [],
    )


def _legal_limit(written: str | None) -> tuple[str, int]:
    """What the catalogue writes as ``20wd``, ``60d`` or ``window``: its kind, and how many."""
    found = re.fullmatch(r"(\d+)(wd|d)", written or "")
    if found is not None:
        return found[2], int(found[1])
    return ("window" if written == "window" else "none"), 0


def _dates(
    made: Definition, service: str, at: datetime, calendar: WorkingCalendar
) -> dict[str, date]:
    clocks = filing_clocks(made, service, at, calendar)
    return {key: calendar.local_date(clock.due_at) for key, clock in clocks.items()}


def _questions(form: object, locale: str) -> list[tuple[str, list[str]]]:
    return [
        (
            page_title(form, each.id, locale),  # type: ignore[arg-type]
            [
                label_of(form, locale, field.name)  # type: ignore[arg-type]
                for field in fields_of(form)  # type: ignore[arg-type]
                if field.page == each.id
            ],
        )
        for each in pages_of(form)  # type: ignore[arg-type]
    ]


@router.get("/language")
def language(request: Request, actor: Visitor, to: str, back: str = "/") -> Response:
    """Choose the language and come back."""
    response = go_to(safe_path(back))
    if to in LOCALES:
        set_cookie(response, request, LOCALE_COOKIE, to, _YEAR)
    return response
