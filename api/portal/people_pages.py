"""Signing in and out, registering, and looking a case up without signing in."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api import access
from api.access import application, check_csrf, current_actor
from api.demo.office import PASSWORD, people
from api.portal.page import go_to, page, safe_path, say
from api.sentences import say as say_problem
from engine.domain.access import SYSTEM, Actor
from engine.domain.passwords import LONGEST, SHORTEST, hash_password
from engine.kernel.errors import SignInRefused, TooManyAttempts, UserNameTaken
from engine.store.queries.citizen import tracked_case
from engine.usecases import people as people_cases
from engine.usecases.definition import definition

router = APIRouter()
Visitor = Annotated[Actor | None, Depends(current_actor)]
Text = Annotated[str, Form(max_length=254)]
_USER_NAME = re.compile(r"[a-z][a-z0-9_.-]{2,39}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@router.get("/sign-in")
def sign_in_page(request: Request, actor: Visitor, next: str = "/") -> Response:
    return page(request, "sign_in.html.j2", **_sign_in_context(request, next))


def _sign_in_context(request: Request, next_: str) -> dict[str, Any]:
    demo = application(request).settings.demo
    return {
        "next": safe_path(next_),
        "user_name": "",
        "problem": None,
        "demo_people": people()["people"] if demo else [],
        "demo_password": PASSWORD if demo else "",
    }


@router.post("/sign-in")
def sign_in(
    request: Request,
    actor: Visitor,
    user_name: Text = "",
    password: Annotated[str, Form(max_length=128)] = "",
    next: Text = "/",
    csrf: Text = "",
) -> Response:
    check_csrf(request, csrf)
    address = request.client.host if request.client else ""
    try:
        secret, _, who = access.sign_in(application(request), user_name.strip(), password, address)
    except (SignInRefused, TooManyAttempts) as error:
        sentence = say_problem(request.state.locale, f"problem.{error.code}", **error.params)
        context = _sign_in_context(request, next) | {"user_name": user_name, "problem": sentence}
        return page(request, "sign_in.html.j2", 422, has_errors=True, **context)
    response = go_to("/staff/" if who.is_staff else safe_path(next))
    access.set_cookie(response, request, access.COOKIE, secret)
    return response


@router.post("/sign-out")
def sign_out(request: Request, actor: Visitor, csrf: Text = "") -> Response:
    check_csrf(request, csrf)
    access.sign_out(application(request), request.cookies.get(access.COOKIE))
    response = go_to("/")
    response.delete_cookie(access.COOKIE, path="/")
    return response


@router.get("/register")
def register_page(request: Request, actor: Visitor, next: str = "/") -> Response:
    return page(request, "register.html.j2", values={}, errors={}, next=safe_path(next))


@router.post("/register")
def register(
    request: Request,
    actor: Visitor,
    display_name: Text = "",
    user_name: Text = "",
    phone: Text = "",
    email: Text = "",
    password: Annotated[str, Form(max_length=200)] = "",
    next: Text = "/",
    csrf: Text = "",
) -> Response:
    check_csrf(request, csrf)
    wired, locale = application(request), request.state.locale
    values = {
        "display_name": display_name.strip(),
        "user_name": user_name.strip().lower(),
        "phone": phone.strip(),
        "email": email.strip(),
    }
    errors = _wrong(values, password, locale)
    if not errors:
        with wired.hashing:
            hashed = hash_password(password)
        command = people_cases.AddUser(
            actor=SYSTEM,
            user_name=values["user_name"],
            display_name=values["display_name"],
            password_hash=hashed,
            roles=("citizen",),
            email=values["email"] or None,
            phone=values["phone"] or None,
            locale=locale,
        )
        try:
            user = wired.uow.run(people_cases.add_user, command)
        except UserNameTaken as error:
            taken = say_problem(locale, "problem.user_name_taken", **error.params)
            errors = {"user_name": taken}
        else:
            secret, _ = wired.uow.run(people_cases.open_session, people_cases.OpenSession(user.id))
            response = go_to(safe_path(next))
            access.set_cookie(response, request, access.COOKIE, secret)
            return response
    return page(
        request,
        "register.html.j2",
        422,
        has_errors=True,
        values=values,
        errors=errors,
        next=safe_path(next),
    )


def _wrong(values: dict[str, str], password: str, locale: str) -> dict[str, str]:
    errors = {}
    if not 1 <= len(values["display_name"]) <= 100:
        errors["display_name"] = say(locale, "register.display_name.wrong")
    if not _USER_NAME.fullmatch(values["user_name"]):
        errors["user_name"] = say(locale, "register.user_name.wrong")
    if not 7 <= sum(c.isdigit() for c in values["phone"]) <= 15 or len(values["phone"]) > 30:
        errors["phone"] = say(locale, "register.phone.wrong")
    if values["email"] and not _EMAIL.fullmatch(values["email"]):
        errors["email"] = say(locale, "register.email.wrong")
    if not SHORTEST <= len(password) <= LONGEST or values["user_name"] in password.lower():
        errors["password"] = say(locale, "register.password.wrong", shortest=SHORTEST)
    return errors


@router.get("/track")
def track_page(request: Request, actor: Visitor) -> Response:
    return page(request, "track.html.j2", reference="", phone="", case=None, tried=False)


@router.post("/track")
def track(
    request: Request, actor: Visitor, reference: Text = "", phone: Text = "", csrf: Text = ""
) -> Response:
    """Status only, for one who has the number and the telephone of the applicant."""
    check_csrf(request, csrf)
    wired, locale = application(request), request.state.locale
    subjects = (f"track:{request.client.host if request.client else ''}",)
    context: dict[str, Any] = {"reference": reference, "phone": phone, "tried": True}
    with wired.uow.read() as session:
        wait = people_cases.blocked_for(session, subjects, wired.ports.clock.now())
        case = None if wait else tracked_case(session, reference, phone)
        if case is not None:
            manifest = definition(session, case.package_version_id, wired.ports).manifest
            context["stage"] = manifest.stages[case.stage][locale]
    if wait:
        raise TooManyAttempts(seconds=wait)
    if case is None:
        wired.uow.run(people_cases.record_failure, subjects)
    status = 200 if case else 422
    return page(request, "track.html.j2", status, case=case, has_errors=case is None, **context)
