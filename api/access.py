"""Who is asking: sessions, sign-in, and the access rule that every route declares.

`Visitor` middleware reads the session cookie once a request; routes then depend on one of the
`require_…` functions, which raise and never decide by hiding.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.domain import access as rules
from engine.domain.access import Actor
from engine.domain.locales import LOCALES, nearest_locale
from engine.domain.passwords import password_is_right
from engine.kernel.errors import (
    NotAllowed,
    NotFound,
    RequestForged,
    SignInRefused,
    SignInRequired,
    StoreUnavailable,
    TooManyAttempts,
)
from engine.kernel.faults import crash_point
from engine.kernel.ids import new_secret
from engine.store.idempotency import WriteRequest, aside, write_request
from engine.store.queries.people import by_user_name, signed_in
from engine.store.tables import User, UserSession
from engine.usecases import people

if TYPE_CHECKING:
    from api.wiring import Application

log = logging.getLogger("banshi.access")
COOKIE = "banshi_session"
LOCALE_COOKIE = "banshi_locale"
FORM_COOKIE = "banshi_form"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOUCH_EVERY = timedelta(minutes=1)


def application(request: Request) -> Application:
    """The wired product behind a request."""
    wired: Application = request.app.state.banshi
    return wired


class Visitor:
    """Middleware: sets `request.state.actor`, `.csrf_token` and `.locale`.

    Somebody who has not signed in gets a token in a cookie of its own, so that the sign-in form
    cannot be forged either.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.actor, request.state.csrf_token = None, ""
        request.state.unrecognised = False
        request.state.locale = nearest_locale(request.headers.get("accept-language"))
        secret = request.cookies.get(COOKIE)
        if secret:
            try:
                await run_in_threadpool(_recognise, request, secret)
            except StoreUnavailable:
                log.warning("sessions cannot be read: the database is away")
                request.state.unrecognised = True
        chosen = request.cookies.get(LOCALE_COOKIE)
        if chosen in LOCALES:
            request.state.locale = chosen
        fresh = None
        if request.state.actor is None:
            fresh = None if FORM_COOKIE in request.cookies else new_secret()
            request.state.csrf_token = fresh or request.cookies[FORM_COOKIE]
        take_key(request)
        wanted = request.method in SAFE_METHODS and not request.url.path.startswith("/static")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                crash_point("before_answer")
                if fresh and wanted:
                    cookie = Response()
                    set_cookie(cookie, request, FORM_COOKIE, fresh)
                    MutableHeaders(scope=message).append("set-cookie", cookie.headers["set-cookie"])
            await send(message)

        await self._app(scope, receive, answer)


def take_key(request: Request) -> None:
    """A write that brings an ``Idempotency-Key`` is carried out once, however often it is sent."""
    if request.method in SAFE_METHODS:
        write_request.set(None)
        return
    actor: Actor | None = getattr(request.state, "actor", None)
    client = request.client.host if request.client else ""
    who = actor.user_id if actor else f"{request.headers.get('authorization', '')} {client}"
    key = request.headers.get("idempotency-key") or None
    write_request.set(WriteRequest(key, who, f"{request.method} {request.url.path}"))


def _recognise(request: Request, secret: str) -> None:
    wired = application(request)
    now = wired.ports.clock.now()
    digest = people.digest_of(secret)
    with wired.uow.read_rows() as rows:
        found: tuple[User, UserSession] | None = signed_in(rows, digest, now, people.IDLE)
    if found is None:
        return
    user, opened = found
    request.state.actor = people.actor_of(user)
    request.state.csrf_token = opened.csrf_token
    request.state.locale = user.locale
    if now - opened.seen_at > _TOUCH_EVERY:
        wired.uow.run(people.touch_session, digest)


def set_cookie(
    response: Response, request: Request, name: str, value: str, max_age: int | None = None
) -> None:
    """A cookie no script can read and no other site's form can send."""
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        httponly=True,
        samesite="lax",
        secure=application(request).settings.secure_cookies,
        path="/",
    )


def csrf_token(request: Request) -> str:
    """The token that every form of this visitor carries."""
    token: str = request.state.csrf_token
    return token


def check_csrf(request: Request, token: str | None) -> None:
    """Refuse an unsafe request that is not from one of our pages. Raises RequestForged."""
    origin = request.headers.get("origin")
    if origin and origin != "null" and origin.split("://")[-1] != request.headers.get("host"):
        raise RequestForged
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise RequestForged
    expected = csrf_token(request)
    if not expected or not token or not hmac.compare_digest(token, expected):
        raise RequestForged


async def current_actor(request: Request) -> Actor | None:
    """Whoever is signed in, or None: the access rule of public pages."""
    actor: Actor | None = request.state.actor
    return actor


async def require_actor(request: Request) -> Actor:
    """Anybody signed in. Raises SignInRequired; unsafe methods need the CSRF header."""
    actor: Actor | None = request.state.actor
    if actor is None:
        # Somebody who is signed in must not be told that they are not.
        raise StoreUnavailable if request.state.unrecognised else SignInRequired
    if request.method not in SAFE_METHODS and request.url.path.startswith("/api/"):
        check_csrf(request, request.headers.get("x-csrf-token"))
    return actor


async def require_citizen(request: Request) -> Actor:
    """Somebody with a citizen's account; staff get NotAllowed."""
    actor = await require_actor(request)
    if "citizen" not in actor.roles:
        raise NotAllowed
    return actor


def _requirement(rule: Callable[[Actor], bool]) -> Callable[[Request], Awaitable[Actor]]:
    async def require(request: Request) -> Actor:
        actor = await require_actor(request)
        if not actor.is_staff:
            raise NotFound(what="page")
        if not rule(actor):
            raise NotAllowed
        return actor

    return require


require_staff = _requirement(lambda actor: actor.is_staff)
require_caseworker = _requirement(rules.handles_tasks)
require_designer = _requirement(rules.may_publish)
require_performance = _requirement(rules.may_see_performance)
require_task_manager = _requirement(rules.may_manage_tasks)
require_dispatch_preview = _requirement(rules.may_preview_dispatch)
require_absences = _requirement(
    lambda actor: rules.handles_tasks(actor) or rules.may_administer(actor)
)
require_recount = _requirement(rules.may_recount)
require_administrator = _requirement(rules.may_administer)


def sign_in(
    wired: Application, user_name: str, password: str, address: str
) -> tuple[str, str, Actor]:
    """The session's secret, its CSRF token and the actor.

    Raises SignInRefused with the same words for an unknown name and a wrong password, or
    TooManyAttempts(seconds).
    """
    subjects = (f"user:{user_name.lower()[:100]}", f"address:{address[:100]}")
    with wired.uow.read() as session:
        wait = people.blocked_for(session, subjects, wired.ports.clock.now())
        user = by_user_name(session, user_name)
    if wait:
        raise TooManyAttempts(seconds=wait)
    with wired.hashing:
        right = password_is_right(password, user.password_hash if user else None)
    # Signing in again opens another session: the secret of the first is kept nowhere.
    with aside():
        if not right or user is None:
            wired.uow.run(people.record_failure, subjects)
            raise SignInRefused
        secret, token = wired.uow.run(people.open_session, people.OpenSession(user.id, subjects))
    return secret, token, people.actor_of(user)


def sign_out(wired: Application, secret: str | None) -> None:
    """End the session of this cookie."""
    if secret:
        wired.uow.run(people.close_session, secret)


def state_of(request: Request) -> dict[str, Any]:
    """What templates need to know of the visitor."""
    return {
        "actor": request.state.actor,
        "csrf": csrf_token(request),
        "locale": request.state.locale,
    }
