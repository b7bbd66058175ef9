"""People: who may sign in, their sessions, and what an administrator changes about them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from engine.domain.access import ROLES, SYSTEM, Actor, may_administer
from engine.domain.field_error import FieldError
from engine.kernel.errors import AnswersInvalid, NotAllowed, NotFound, UserNameTaken
from engine.kernel.ids import new_id, new_secret
from engine.store.tables import Department, SignInAttempt, User, UserSession
from engine.store.uow import ReadSession, Work

ABSOLUTE = timedelta(hours=12)
IDLE = timedelta(minutes=30)
FREE_ATTEMPTS = 3
LONGEST_WAIT = timedelta(minutes=15)


def digest_of(secret: str) -> str:
    """What is stored of a session's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class AddUser:
    """A person to add. `password_hash` is made by the caller, outside the transaction."""

    actor: Actor
    user_name: str
    display_name: str
    password_hash: str
    roles: tuple[str, ...]
    department: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str = "zh-CN"
    audience: str = "person"
    skills: tuple[str, ...] = ()
    daily_capacity: int | None = None


def add_user(work: Work, command: AddUser) -> User:
    """Add a person. Anybody may add themselves as a citizen; staff need an administrator.

    Raises NotAllowed, UserNameTaken, or AnswersInvalid for an unknown role or department.
    """
    actor = command.actor
    if actor is not SYSTEM and command.roles != ("citizen",) and not may_administer(actor):
        raise NotAllowed
    if work.session.scalar(select(User.id).where(User.user_name == command.user_name)):
        raise UserNameTaken(user_name=command.user_name)
    _check_roles(work, command.roles, command.department)
    row = User(
        id=new_id(),
        user_name=command.user_name,
        display_name=command.display_name,
        email=command.email,
        phone=command.phone,
        password_hash=command.password_hash,
        roles=list(command.roles),
        department=command.department,
        locale=command.locale,
        audience=command.audience,
        created_at=work.now,
        skills=list(command.skills),
        daily_capacity=command.daily_capacity,
    )
    work.session.add(row)
    work.session.flush()
    return row


def _check_roles(work: Work, roles: tuple[str, ...], department: str | None) -> None:
    wrong = []
    if not roles or set(roles) - set(ROLES):
        wrong.append(FieldError("roles", "not_an_option", {}))
    if department is not None and work.session.get(Department, department) is None:
        wrong.append(FieldError("department", "not_an_option", {}))
    if "caseworker" in roles and department is None:
        wrong.append(FieldError("department", "required", {}))
    if wrong:
        raise AnswersInvalid(fields=tuple(wrong))


@dataclass(frozen=True)
class ChangeUser:
    """What is None stays as it is."""

    actor: Actor
    user_id: str
    active: bool | None = None
    roles: tuple[str, ...] | None = None
    department: str | None = None
    skills: tuple[str, ...] | None = None
    daily_capacity: int | None = None


def change_user(work: Work, command: ChangeUser) -> User:
    """Change a member of staff; every change ends their sessions. A capacity of 0 takes it away.

    Raises NotAllowed, NotFound.
    """
    if not may_administer(command.actor):
        raise NotAllowed
    row = work.session.get(User, command.user_id, with_for_update=True)
    if row is None:
        raise NotFound(what="user")
    if row.id == command.actor.user_id and command.active is False:
        raise NotAllowed
    roles = command.roles if command.roles is not None else tuple(row.roles)
    department = command.department or row.department
    _check_roles(work, roles, department)
    row.roles, row.department = list(roles), department
    if command.active is not None:
        row.active = command.active
    if command.skills is not None:
        row.skills = list(command.skills)
    if command.daily_capacity is not None:
        row.daily_capacity = command.daily_capacity or None
    work.session.execute(delete(UserSession).where(UserSession.user_id == row.id))
    return row


@dataclass(frozen=True)
class OpenSession:
    user_id: str
    subjects: tuple[str, ...] = ()


def open_session(work: Work, command: OpenSession) -> tuple[str, str]:
    """A new session: the cookie's secret and the CSRF token. Earlier failures are forgotten."""
    secret, token = new_secret(), new_secret()
    work.session.add(
        UserSession(
            digest=digest_of(secret),
            user_id=command.user_id,
            csrf_token=token,
            created_at=work.now,
            seen_at=work.now,
            expires_at=work.now + ABSOLUTE,
        )
    )
    work.session.execute(
        delete(SignInAttempt).where(SignInAttempt.subject.in_(list(command.subjects)))
    )
    work.session.execute(delete(UserSession).where(UserSession.expires_at < work.now))
    return secret, token


def close_session(work: Work, secret: str) -> None:
    work.session.execute(delete(UserSession).where(UserSession.digest == digest_of(secret)))


def touch_session(work: Work, digest: str) -> None:
    """Remember that the session was used."""
    row = work.session.get(UserSession, digest)
    if row is not None:
        row.seen_at = work.now


def record_failure(work: Work, subjects: tuple[str, ...]) -> None:
    """Count a failed sign-in; from the fourth in a row on, each wait is twice the last."""
    for subject in subjects:
        row = work.session.get(SignInAttempt, subject, with_for_update=True)
        if row is None:
            row = SignInAttempt(subject=subject, failures=0)
            work.session.add(row)
        row.failures += 1
        over = row.failures - FREE_ATTEMPTS
        if over > 0:
            wait = min(timedelta(seconds=3 * 2 ** min(over, 10)), LONGEST_WAIT)
            row.blocked_until = work.now + wait


def forget_failures(work: Work, subjects: tuple[str, ...]) -> None:
    """Somebody was right: the failures before do not count any more."""
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.subject.in_(list(subjects))))


def blocked_for(session: ReadSession, subjects: tuple[str, ...], now: datetime) -> int:
    """How many seconds the longest block of `subjects` still lasts; 0 if none."""
    until = session.scalars(
        select(SignInAttempt.blocked_until).where(
            SignInAttempt.subject.in_(list(subjects)), SignInAttempt.blocked_until > now
        )
    ).all()
    return max((int((at - now).total_seconds()) + 1 for at in until if at), default=0)


@dataclass(frozen=True)
class SetLocale:
    actor: Actor
    locale: str


def set_locale(work: Work, command: SetLocale) -> None:
    work.session.get_one(User, command.actor.user_id).locale = command.locale


def actor_of(user: User) -> Actor:
    """The actor a person is."""
    return Actor(
        user_id=user.id,
        user_name=user.user_name,
        display_name=user.display_name,
        roles=frozenset(user.roles),
        department=user.department,
        locale=user.locale,
        skills=frozenset(user.skills or ()),
    )


@dataclass(frozen=True)
class AddDepartment:
    code: str
    name: Mapping[str, str]
    phone: str
    address: Mapping[str, Any]


def add_department(work: Work, command: AddDepartment) -> None:
    """Add a department, or bring its name, phone and address up to date."""
    work.session.merge(
        Department(
            code=command.code,
            name=dict(command.name),
            phone=command.phone,
            address=dict(command.address),
        )
    )
