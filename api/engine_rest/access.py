"""Who a program is: HTTP Basic with an account of the product, and the rule of each route.

There are no cookies here, so nothing can be forged in a browser's name. A password costs 40 ms to
verify, too much for each poll: what was right once is remembered, for this process only, under a
keyed digest and together with the password's hash as it was then. Who changes the password, loses
a role or is put out of service is met at the next request, as the account is read each time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.access import application
from api.wiring import Application
from engine.domain import access as rules
from engine.domain.access import Actor
from engine.domain.passwords import LONGEST, password_is_right
from engine.kernel.errors import NotAllowed, SignInRefused, SignInRequired, TooManyAttempts
from engine.store.idempotency import aside
from engine.store.queries.people import by_user_name
from engine.store.tables import User
from engine.usecases import people

KEPT = 1_000
LONGEST_NAME = 60


class VerifiedCredentials:
    """The credentials that were right lately, with the stored hash they were right for."""

    def __init__(self, at_most: int = KEPT) -> None:
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._hashes: OrderedDict[bytes, str] = OrderedDict()
        self._at_most = at_most

    def knows(self, user_name: str, password: str, stored: str) -> bool:
        """Whether this password was found right for the hash that is stored now."""
        digest = self._digest(user_name, password)
        with self._lock:
            known = self._hashes.get(digest)
            if known is None:
                return False
            if not hmac.compare_digest(known, stored):
                del self._hashes[digest]
                return False
            self._hashes.move_to_end(digest)
            return True

    def keep(self, user_name: str, password: str, stored: str) -> None:
        with self._lock:
            self._hashes[self._digest(user_name, password)] = stored
            while len(self._hashes) > self._at_most:
                self._hashes.popitem(last=False)

    def _digest(self, user_name: str, password: str) -> bytes:
        text = f"{len(user_name)}:{user_name}:{password}"
        return hmac.digest(self._key, text.encode(), hashlib.sha256)


def credentials(header: str | None) -> tuple[str, str]:
    """User name and password of an Authorization header. Raises SignInRequired, SignInRefused."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        raise SignInRequired
    try:
        name, colon, password = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        raise SignInRefused from None
    if not colon or not 0 < len(name) <= LONGEST_NAME or len(password) > LONGEST:
        raise SignInRefused
    return name, password


def verify(
    wired: Application, known: VerifiedCredentials, name: str, password: str, address: str
) -> User:
    """The account these credentials belong to.

    Failures count, and slow down, as those of the sign-in page do; a program whose password is
    known to be right goes on meanwhile. Raises SignInRefused, or TooManyAttempts(seconds).
    """
    subjects = (f"user:{name.lower()[:100]}", f"address:{address[:100]}")
    with wired.uow.read() as session:
        user = by_user_name(session, name)
        if user is not None and known.knows(name, password, user.password_hash):
            return user
        wait = people.blocked_for(session, subjects, wired.ports.clock.now())
    if wait:
        raise TooManyAttempts(seconds=wait)
    with wired.hashing:
        # Of many that came at once with one password, the first have shown it to be right.
        if user is not None and known.knows(name, password, user.password_hash):
            return user
        right = password_is_right(password, user.password_hash if user else None)
    with aside():
        if not right or user is None:
            wired.uow.run(people.record_failure, subjects)
            raise SignInRefused
        wired.uow.run(people.forget_failures, subjects)
    known.keep(name, password, user.password_hash)
    return user


def _authenticate(request: Request) -> Actor:
    name, password = credentials(request.headers.get("authorization"))
    address = request.client.host if request.client else ""
    known: VerifiedCredentials = request.app.state.verified
    user = verify(application(request), known, name, password, address)
    request.state.locale = user.locale
    return people.actor_of(user)


def _requirement(rule: Callable[[Actor], bool]) -> Callable[[Request], Awaitable[Actor]]:
    async def require(request: Request) -> Actor:
        actor = await run_in_threadpool(_authenticate, request)
        if not rule(actor):
            raise NotAllowed
        return actor

    return require


require_worker = _requirement(rules.may_work_jobs)
require_administrator = _requirement(rules.may_administer)
require_designer = _requirement(rules.may_publish)
require_tasks = _requirement(lambda a: rules.handles_tasks(a) or rules.may_administer(a))
require_anybody = _requirement(lambda a: a.is_staff or rules.may_work_jobs(a))
