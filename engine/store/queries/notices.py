"""Notices as their recipients see them, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select

from engine.domain.access import Actor
from engine.store.tables import Notice
from engine.store.uow import ReadSession

OFFICE = "*"
"""In place of a department: the managers of the whole office."""


def of_actor(actor: Actor) -> ColumnElement[bool]:
    """What the actor is told: in person, as one of a department, as a manager of the office."""
    conditions = [Notice.user_id == actor.user_id]
    if actor.department is not None:
        conditions.append(Notice.department == actor.department)
    if actor.oversees_office:
        conditions.append(Notice.department == OFFICE)
    return or_(*conditions)


def notices_of(
    session: ReadSession, actor: Actor, unread: bool = False, limit: int = 50, after: str = ""
) -> Sequence[Notice]:
    """A page of the actor's notices; `after` is the id of the last one seen."""
    statement = select(Notice).where(of_actor(actor))
    if unread:
        statement = statement.where(Notice.read_at.is_(None))
    last = session.get(Notice, after) if after else None
    if last is not None:
        earlier = and_(Notice.created_at == last.created_at, Notice.id < last.id)
        statement = statement.where(or_(Notice.created_at < last.created_at, earlier))
    statement = statement.order_by(Notice.created_at.desc(), Notice.id.desc())
    return session.scalars(statement.limit(limit)).all()


def unread_count(session: ReadSession, actor: Actor) -> int:
    """How many the actor has not read."""
    statement = select(func.count()).select_from(Notice)
    return session.scalar(statement.where(of_actor(actor), Notice.read_at.is_(None))) or 0
