"""Who is away and who acts for them; the people one may hand work to."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.access import application, require_absences
from api.rest.dispatch_schemas import (
    AbsenceList,
    AbsenceView,
    ColleagueList,
    ColleagueView,
    NewAbsence,
)
from api.wiring import Application
from engine.domain.access import Actor, may_administer, may_manage_tasks
from engine.store.queries import absences as queries
from engine.store.queries.absences import AbsenceRow
from engine.store.tables import User
from engine.usecases.absences import (
    EndAbsence,
    EnterAbsence,
    end_absence,
    enter_absence,
    may_enter,
)

router = APIRouter(tags=["people"])
Member = Annotated[Actor, Depends(require_absences)]


@router.get("/absences", operation_id="list_absences", response_model=AbsenceList)
def list_absences(request: Request, actor: Member) -> AbsenceList:
    """One's own and those for which one acts; a manager sees the department's or the office's."""
    wired = application(request)
    now = wired.ports.clock.now()
    everybody = may_manage_tasks(actor) or may_administer(actor)
    department = None if may_administer(actor) else actor.department
    with wired.uow.read() as session:
        rows = queries.absences(session, now, actor.user_id, department, everybody)
        people = {row.absence.user_id: session.get_one(User, row.absence.user_id) for row in rows}
        items = [_view(wired, actor, row, people[row.absence.user_id]) for row in rows]
    return AbsenceList(items=items)


@router.post("/absences", operation_id="enter_absence", response_model=AbsenceList, status_code=201)
def create_absence(request: Request, actor: Member, body: NewAbsence) -> AbsenceList:
    """Enter that somebody is away. 409 `absence_refused` says why it cannot be like this."""
    command = EnterAbsence(
        actor,
        body.user_id or actor.user_id,
        body.first_day,
        body.last_day,
        body.substitute_id,
        tuple(body.services),
    )
    application(request).uow.run(enter_absence, command)
    return list_absences(request, actor)


@router.post("/absences/{absence_id}/end", operation_id="end_absence", response_model=AbsenceList)
def stop_absence(request: Request, actor: Member, absence_id: str) -> AbsenceList:
    """Somebody is back early, or does not go."""
    application(request).uow.run(end_absence, EndAbsence(actor, absence_id))
    return list_absences(request, actor)


@router.get("/colleagues", operation_id="list_colleagues", response_model=ColleagueList)
def list_colleagues(
    request: Request, actor: Member, department: str | None = None
) -> ColleagueList:
    """Those of one's own department who work on cases, with how much they have to do; who looks
    after the whole office sees everybody, or one `department`."""
    wired = application(request)
    now, calendar = wired.ports.clock.now(), wired.ports.calendar
    everywhere = actor.oversees_office or may_administer(actor)
    with wired.uow.read() as session:
        found = queries.colleagues(session, department if everywhere else actor.department, now)
    return ColleagueList(
        items=[
            ColleagueView(
                id=each.user.id,
                display_name=each.user.display_name,
                department=each.user.department,
                roles=list(each.user.roles),
                skills=list(each.user.skills or ()),
                daily_capacity=each.user.daily_capacity,
                open=each.open,
                absent_until=calendar.local_date(each.absent - timedelta(seconds=1))
                if each.absent
                else None,
            )
            for each in found
        ]
    )


def _view(wired: Application, actor: Actor, row: AbsenceRow, user: User) -> AbsenceView:
    calendar, absence = wired.ports.calendar, row.absence
    return AbsenceView(
        id=absence.id,
        user_id=absence.user_id,
        name=row.name,
        substitute_name=row.substitute,
        first_day=calendar.local_date(absence.begins_at),
        last_day=calendar.local_date(absence.ends_at - timedelta(seconds=1)),
        services=list(absence.services),
        now=absence.begins_at <= wired.ports.clock.now(),
        may_end=may_enter(actor, user),
    )
