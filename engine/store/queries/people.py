"""Who is signed in, who works here, and the departments."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select

from engine.store.rows import Rows
from engine.store.statements import Join
from engine.store.tables import Department, User, UserSession
from engine.store.uow import ReadSession


def signed_in(
    rows: Rows, digest: str, now: datetime, idle: timedelta
) -> tuple[User, UserSession] | None:
    """The person behind a session's digest, if it is still good."""
    found = rows.joined(
        Join(
            {"u": User, "s": UserSession},
            f"{UserSession.__tablename__} s JOIN {User.__tablename__} u ON u.id = s.user_id "
            "WHERE s.digest = %s",
            (digest,),
        )
    )
    if not found:
        return None
    user, opened = found[0]
    if not user.active or opened.expires_at <= now or opened.seen_at + idle <= now:
        return None
    return user, opened


def by_user_name(session: ReadSession, user_name: str) -> User | None:
    return session.scalar(select(User).where(User.user_name == user_name, User.active))


def staff(session: ReadSession) -> list[User]:
    """Everybody who is not only a citizen, by name."""
    rows = session.scalars(select(User).order_by(User.user_name))
    return [user for user in rows if set(user.roles) - {"citizen"}]


def names_of(session: ReadSession, ids: Collection[str]) -> dict[str, str]:
    """The names of people by their ids."""
    rows = session.execute(select(User.id, User.display_name).where(User.id.in_(list(ids))))
    return {row.id: row.display_name for row in rows}


def departments(session: ReadSession) -> dict[str, Department]:
    """All departments by code."""
    return {row.code: row for row in session.scalars(select(Department).order_by(Department.code))}
