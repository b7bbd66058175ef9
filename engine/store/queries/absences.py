"""Who is away, and who works here with how much to do."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select

from engine.store.tables import Absence, Task, User
from engine.store.uow import ReadSession


class AbsenceRow(NamedTuple):
    """`name` and `substitute` are the people's names."""

    absence: Absence
    name: str
    substitute: str | None


def absences(
    session: ReadSession, now: datetime, user_id: str, department: str | None, everybody: bool
) -> list[AbsenceRow]:
    """Absences that are or will be, the next to begin first: one's own and those for which one
    acts; with `everybody` all of the `department`, or of the office if there is none."""
    away, substitute = User.__table__.alias("away"), User.__table__.alias("substitute")
    statement = (
        select(Absence, away.c.display_name, substitute.c.display_name)
        .join(away, away.c.id == Absence.user_id)
        .outerjoin(substitute, substitute.c.id == Absence.substitute_id)
        .where(Absence.ends_at > now, Absence.ends_at > Absence.begins_at)
        .order_by(Absence.begins_at, Absence.id)
    )
    if not everybody:
        mine = or_(Absence.user_id == user_id, Absence.substitute_id == user_id)
        statement = statement.where(mine)
    elif department is not None:
        statement = statement.where(
            or_(away.c.department == department, Absence.user_id == user_id)
        )
    return [AbsenceRow(*row) for row in session.execute(statement)]


class Colleague(NamedTuple):
    """`open` tasks are assigned to them; `absent` until then."""

    user: User
    open: int
    absent: datetime | None


def colleagues(session: ReadSession, department: str | None, now: datetime) -> list[Colleague]:
    """Those who work on cases in the department (in all if None), by name."""
    statement = select(User).where(User.active, User.department.is_not(None))
    if department is not None:
        statement = statement.where(User.department == department)
    people = [
        user
        for user in session.scalars(statement.order_by(User.display_name, User.id))
        if {"caseworker", "manager"} & set(user.roles)
    ]
    ids = [user.id for user in people]
    counted = session.execute(
        select(Task.assignee_id, func.count())
        .where(Task.assignee_id.in_(ids), Task.state == "open")
        .group_by(Task.assignee_id)
    )
    load = {row[0]: int(row[1]) for row in counted}
    away: dict[str, datetime] = {}
    for user_id, until in session.execute(
        select(Absence.user_id, Absence.ends_at).where(
            Absence.user_id.in_(ids), Absence.begins_at <= now, Absence.ends_at > now
        )
    ):
        away[user_id] = until
    return [Colleague(user, load.get(user.id, 0), away.get(user.id)) for user in people]
