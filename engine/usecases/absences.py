"""Absences: who is away, from when to when, and who does their work meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from engine.domain.access import Actor, handles_tasks, manages, may_administer
from engine.kernel.errors import AbsenceRefused, NotFound
from engine.kernel.ids import new_id
from engine.store.tables import Absence, User
from engine.store.uow import Work
from engine.usecases.people import actor_of

LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class EnterAbsence:
    """Both days are away, in the office's calendar. No `services` means all of them."""

    actor: Actor
    user_id: str
    first_day: date
    last_day: date
    substitute_id: str | None = None
    services: tuple[str, ...] = ()


def enter_absence(work: Work, command: EnterAbsence) -> Absence:
    """Write the absence down; it begins and ends by itself.

    It is entered by the person, a manager of theirs, or an administrator. Raises NotFound for
    somebody else's, or AbsenceRefused(why): ``period``, ``overlap``, ``substitute``, ``loop`` (the
    two would act for each other), ``chain`` (the substitute is away too) or ``acts`` (the person
    acts for somebody who is away then).
    """
    people = _lock_people(work, [command.user_id, command.substitute_id])
    user = people.get(command.user_id)
    if user is None or not may_enter(command.actor, user):
        raise NotFound(what="user")
    begins, ends = _period(work, command)
    substitute = people.get(command.substitute_id or "")
    if command.substitute_id is not None:
        _check_substitute(user, substitute)
    for other in _overlapping(work, [*people], max(begins, work.now), ends):
        _refuse(other, user, substitute)
    row = Absence(
        id=new_id(),
        user_id=user.id,
        substitute_id=command.substitute_id,
        begins_at=begins,
        ends_at=ends,
        services=sorted(set(command.services)),
        entered_by=command.actor.user_id,
        entered_at=work.now,
    )
    work.session.add(row)
    return row


def may_enter(actor: Actor, user: User) -> bool:
    """Whether the actor may say when this person is away."""
    if not handles_tasks(actor_of(user)):
        return False
    own = actor.user_id == user.id
    return own or may_administer(actor) or manages(actor, user.department)


def _lock_people(work: Work, ids: Iterable[str | None]) -> dict[str, User]:
    """The people, locked: two absences that make a loop must not be entered at once."""
    wanted = sorted({id_ for id_ in ids if id_})
    rows = work.session.scalars(
        select(User).where(User.id.in_(wanted)).order_by(User.id).with_for_update()
    )
    return {user.id: user for user in rows}


def _period(work: Work, command: EnterAbsence) -> tuple[datetime, datetime]:
    calendar = work.ports.calendar
    today = calendar.local_date(work.now)
    first, last = command.first_day, command.last_day
    if last < first or last < today or last - first > LONGEST:
        raise AbsenceRefused(why="period", name="")
    return calendar.end_of(first - timedelta(days=1)), calendar.end_of(last)


def _check_substitute(user: User, substitute: User | None) -> None:
    name = substitute.display_name if substitute else ""
    if (
        substitute is None
        or substitute.id == user.id
        or not substitute.active
        or substitute.department != user.department
        or not handles_tasks(actor_of(substitute))
    ):
        raise AbsenceRefused(why="substitute", name=name)


def _overlapping(work: Work, ids: list[str], begins: datetime, ends: datetime) -> list[Absence]:
    """Absences of these people, or for which they are substitutes, in the period."""
    return list(
        work.session.scalars(
            select(Absence).where(
                Absence.user_id.in_(ids) | Absence.substitute_id.in_(ids),
                Absence.begins_at < ends,
                Absence.ends_at > begins,
            )
        )
    )


def _refuse(other: Absence, user: User, substitute: User | None) -> None:
    """Raises AbsenceRefused if `other`, of the same time, does not go with the new absence."""
    if other.user_id == user.id:
        raise AbsenceRefused(why="overlap", name=user.display_name)
    if substitute is not None and other.user_id == substitute.id:
        loop = other.substitute_id == user.id
        raise AbsenceRefused(why="loop" if loop else "chain", name=substitute.display_name)
    if other.substitute_id == user.id:
        raise AbsenceRefused(why="acts", name=user.display_name)


@dataclass(frozen=True)
class EndAbsence:
    actor: Actor
    absence_id: str


def end_absence(work: Work, command: EndAbsence) -> Absence:
    """Somebody is back early, or does not go at all. Raises NotFound for somebody else's."""
    row = work.session.get(Absence, command.absence_id, with_for_update=True)
    user = work.session.get(User, row.user_id) if row is not None else None
    if row is None or user is None or not may_enter(command.actor, user):
        raise NotFound(what="absence")
    if row.ends_at > work.now:
        row.ends_at = max(row.begins_at, work.now)
    return row
