"""Signing in and out, and who I am."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from api import access
from api.access import application, require_actor
from api.rest.schemas import Me, SignIn
from engine.domain.access import Actor
from engine.domain.locales import Locale
from engine.store.queries.people import departments
from engine.usecases import people

router = APIRouter(tags=["session"])


class ChosenLocale(BaseModel):
    locale: Locale


def _me(request: Request, actor: Actor, token: str) -> Me:
    with application(request).uow.read() as session:
        department = departments(session).get(actor.department or "")
    return Me(
        user_name=actor.user_name,
        display_name=actor.display_name,
        roles=sorted(actor.roles),
        department=actor.department,
        department_name=department.name[actor.locale] if department else None,
        locale=actor.locale,
        zone=application(request).ports.calendar.zone.key,
        csrf_token=token,
    )


@router.post("/session", operation_id="sign_in", response_model=Me)
def sign_in(request: Request, response: Response, body: SignIn) -> Me:
    """Start a session; the cookie is HttpOnly, the CSRF token is in the answer."""
    address = request.client.host if request.client else ""
    secret, token, actor = access.sign_in(
        application(request), body.user_name, body.password, address
    )
    access.set_cookie(response, request, access.COOKIE, secret)
    return _me(request, actor, token)


@router.delete("/session", operation_id="sign_out", status_code=204)
def sign_out(
    request: Request, response: Response, actor: Annotated[Actor, Depends(require_actor)]
) -> None:
    access.sign_out(application(request), request.cookies.get(access.COOKIE))
    response.delete_cookie(access.COOKIE, path="/")


@router.get("/me", operation_id="get_me", response_model=Me)
def get_me(request: Request, actor: Annotated[Actor, Depends(require_actor)]) -> Me:
    return _me(request, actor, access.csrf_token(request))


@router.put("/me/locale", operation_id="set_locale", response_model=Me)
def set_locale(
    request: Request,
    response: Response,
    body: ChosenLocale,
    actor: Annotated[Actor, Depends(require_actor)],
) -> Me:
    application(request).uow.run(people.set_locale, people.SetLocale(actor, body.locale))
    access.set_cookie(response, request, access.LOCALE_COOKIE, body.locale, 31_536_000)
    changed = Actor(**{**vars(actor), "locale": body.locale})
    return _me(request, changed, access.csrf_token(request))
