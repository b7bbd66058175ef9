"""Who may reach what: one table for the whole JSON interface, and the portal's borders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.access import COOKIE
from api.demo.office import PASSWORD
from api.main import create_app
from api.wiring import Application
from engine.usecases.absences import EnterAbsence, enter_absence
from engine.usecases.claim import ClaimTask, claim
from tests.support.play import actor, drain, filed, open_task

WHO = ["nobody", "citizen", "foi_officer", "foi_lead", "roads", "designer", "manager", "admin"]
# What each of WHO gets: signed in or not, of this department or another, by role.
TABLE: dict[str, list[int]] = {
    "GET /api/v1/me": [401, 200, 200, 200, 200, 200, 200, 200],
    "GET /api/v1/tasks": [401, 404, 200, 200, 200, 403, 200, 403],
    "GET /api/v1/tasks/{task}": [401, 404, 200, 200, 404, 403, 200, 403],
    "GET /api/v1/tasks/{task}/form": [401, 404, 200, 200, 404, 403, 404, 403],
    "POST /api/v1/tasks/{task}/claim": [401, 404, 200, 409, 404, 403, 404, 403],
    "POST /api/v1/tasks/next": [401, 404, 200, 200, 200, 403, 403, 403],
    "GET /api/v1/cases": [401, 404, 200, 200, 200, 403, 200, 403],
    "GET /api/v1/cases/{case}": [401, 404, 200, 200, 404, 403, 200, 403],
    "GET /api/v1/cases/{case}/diagram": [401, 404, 200, 200, 404, 403, 200, 403],
    # With a right to it the missing body is told.
    "POST /api/v1/cases/{case}/clocks/legal/pause": [401, 404, 422, 422, 422, 403, 422, 403],
    "POST /api/v1/cases/{case}/receipt": [401, 404, 422, 422, 422, 403, 422, 403],
    "GET /api/v1/notices": [401, 404, 200, 200, 200, 403, 200, 403],
    "POST /api/v1/notices/read": [401, 404, 422, 422, 422, 403, 422, 403],
    "POST /api/v1/recounts/preview": [401, 404, 403, 403, 403, 403, 422, 422],
    "POST /api/v1/recounts": [401, 404, 403, 403, 403, 403, 422, 422],
    "GET /api/v1/recounts/none": [401, 404, 403, 403, 403, 403, 404, 404],
    "POST /api/v1/recounts/none/stop": [401, 404, 403, 403, 403, 403, 404, 404],
    "POST /api/v1/recounts/none/resume": [401, 404, 403, 403, 403, 403, 404, 404],
    "GET /api/v1/packages": [401, 404, 200, 200, 200, 200, 200, 200],
    "GET /api/v1/sla": [401, 404, 403, 200, 403, 403, 200, 200],
    "GET /api/v1/departments": [401, 404, 200, 200, 200, 200, 200, 200],
    "GET /api/v1/users": [401, 404, 403, 403, 403, 403, 403, 200],
    "GET /api/v1/incidents": [401, 404, 403, 403, 403, 403, 403, 200],
    "POST /api/v1/incidents/retry": [401, 404, 403, 403, 403, 403, 403, 422],
    # A webhook is open to whoever signs it, whoever may be signed in.
    "POST /api/v1/webhooks/orders": [401] * 8,
    "GET /api/v1/calendars": [401, 404, 200, 200, 200, 200, 200, 200],
    "GET /api/v1/calendars/cn": [401, 404, 200, 200, 200, 200, 200, 200],
    "GET /api/v1/calendars/cn/upcoming": [401, 404, 200, 200, 200, 200, 200, 200],
    "POST /api/v1/calendars": [401, 404, 403, 403, 403, 403, 403, 422],
    "PATCH /api/v1/calendars/cn": [401, 404, 403, 403, 403, 403, 403, 422],
    "POST /api/v1/calendars/cn/import": [401, 404, 403, 403, 403, 403, 403, 422],
    # By when something would be decided, everybody may ask.
    "GET /api/v1/clock?service=F001": [200] * 8,
    "GET /api/v1/cases/{case}/places": [401, 404, 403, 403, 403, 403, 403, 200],
    # Dispatch: 409 says in words why this very task or case stays as it is.
    "POST /api/v1/tasks/{task}/unclaim": [401, 404, 200, 200, 404, 403, 404, 403],
    "POST /api/v1/tasks/{task}/return": [401, 404, 409, 409, 404, 403, 404, 403],
    "POST /api/v1/tasks/{task}/decide": [401, 404, 404, 404, 404, 403, 404, 403],
    "POST /api/v1/tasks/{task}/joint": [401, 404, 409, 409, 404, 403, 404, 403],
    "POST /api/v1/tasks/{task}/answer": [401, 404, 404, 404, 404, 403, 404, 403],
    "POST /api/v1/tasks/{task}/delegate": [401, 404, 409, 409, 404, 403, 404, 403],
    "POST /api/v1/tasks/{task}/take-back": [401, 404, 409, 409, 404, 403, 404, 403],
    "POST /api/v1/tasks/reassign": [401, 404, 403, 200, 403, 403, 200, 403],
    "POST /api/v1/dispatch/preview": [401, 404, 403, 403, 403, 200, 200, 200],
    "POST /api/v1/dispatch/apply": [401, 404, 403, 403, 403, 200, 200, 200],
    "GET /api/v1/returns": [401, 404, 403, 200, 403, 403, 200, 200],
    "POST /api/v1/cases/{case}/merge": [401, 404, 409, 409, 404, 403, 409, 403],
    "POST /api/v1/cases/{case}/unmerge": [401, 404, 409, 409, 404, 403, 409, 403],
    "GET /api/v1/absences": [401, 404, 200, 200, 200, 403, 200, 200],
    "POST /api/v1/absences": [401, 404, 201, 201, 201, 403, 201, 404],
    "POST /api/v1/absences/{absence}/end": [401, 404, 200, 200, 404, 403, 200, 200],
    "GET /api/v1/colleagues": [401, 404, 200, 200, 200, 403, 200, 200],
}
# What is sent with a line, where something must be.
BODIES: dict[str, dict[str, Any]] = {
    "return": {"reason": "not_our_duty", "basis": "x"},
    "decide": {"department": "ROADS", "reason": "x"},
    "joint": {"departments": ["ROADS"], "question": "x"},
    "answer": {"text": "x"},
    "delegate": {"to_id": "{task}", "question": "x"},
    "reassign": {"task_ids": ["{task}"], "preview": True},
    "apply": {"task_ids": ["{task}"]},
    "merge": {"into": "{reference}"},
    "absences": {"first_day": "2026-03-03", "last_day": "2026-03-03"},
}


@pytest.fixture
def client(small_office: Application) -> Iterator[TestClient]:
    with TestClient(create_app(small_office), base_url="http://testserver") as made:
        yield made


def signed_in(client: TestClient, user: str) -> dict[str, str]:
    """The headers of somebody who has just signed in."""
    client.cookies.clear()
    if user == "nobody":
        return {}
    answer = client.post("/api/v1/session", json={"user_name": user, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return {"X-CSRF-Token": answer.json()["csrf_token"]}


@pytest.mark.parametrize("line", TABLE, ids=str)
def test_access(line: str, client: TestClient, small_office: Application) -> None:
    case = filed(small_office, "citizen2")
    task = open_task(small_office, case)
    names = {"task": task.id, "case": case.id, "reference": case.reference}
    names["absence"] = away(small_office, "foi_officer") if "{absence}" in line else ""
    method, path = line.format(**names).split(" ")
    last = path.rpartition("/")[2]
    body = json.dumps(BODIES[last]) if method == "POST" and last in BODIES else None
    sent: dict[str, Any] = {} if body is None else {"json": json.loads(_filled(body, names))}
    if last == "preview":
        sent = {"data": {"key": "complaint"}}
    got = []
    for user in WHO:
        headers = signed_in(client, user)
        got.append(client.request(method, path, headers=headers, **sent).status_code)
    assert got == TABLE[line]


def _filled(body: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        body = body.replace(f"{{{name}}}", value)
    return body


def away(office: Application, who: str) -> str:
    """An absence of the person, tomorrow; its id."""
    person, day = actor(office, who), date(2026, 3, 3)
    return office.uow.run(enter_absence, EnterAbsence(person, person.user_id, day, day)).id


def test_a_change_without_the_token_is_refused(
    client: TestClient, small_office: Application
) -> None:
    task = open_task(small_office, filed(small_office))
    signed_in(client, "foi_officer")
    assert client.post(f"/api/v1/tasks/{task.id}/claim").status_code == 403
    wrong = {"X-CSRF-Token": "x" * 43}
    assert client.post(f"/api/v1/tasks/{task.id}/claim", headers=wrong).status_code == 403
    foreign = signed_in(client, "foi_officer") | {"Origin": "https://elsewhere.example"}
    assert client.post(f"/api/v1/tasks/{task.id}/claim", headers=foreign).status_code == 403


@pytest.mark.parametrize(
    ("locale", "words"), [("zh-CN", "李静已签收这项任务。"), ("en", "李静 has this task.")]
)
def test_the_second_claimer_reads_who_has_it(
    client: TestClient, small_office: Application, locale: str, words: str
) -> None:
    task = open_task(small_office, filed(small_office))
    small_office.uow.run(claim, ClaimTask(actor(small_office, "foi_officer"), task.id))
    headers = signed_in(client, "foi_lead")
    client.put("/api/v1/me/locale", json={"locale": locale}, headers=headers)
    answer = client.post(f"/api/v1/tasks/{task.id}/claim", headers=headers)
    assert answer.status_code == 409
    assert answer.json()["title"] == words
    assert answer.headers["content-type"] == "application/problem+json"


def test_wrong_answers_come_back_with_the_form(
    client: TestClient, small_office: Application
) -> None:
    task = open_task(small_office, filed(small_office))
    headers = signed_in(client, "foi_officer")
    client.post(f"/api/v1/tasks/{task.id}/claim", headers=headers)
    fields = {"outcome": "correction", "correction_note": "请写明"}
    answer = client.post(f"/api/v1/tasks/{task.id}/complete", data=fields, headers=headers)
    body = answer.json()
    assert answer.status_code == 422
    assert [error["field"] for error in body["errors"]] == ["correction_fields"]
    assert "请写明" in body["html"]


def test_failed_sign_ins_are_slowed_down(client: TestClient) -> None:
    wrong = {"user_name": "foi_officer", "password": "not the password"}
    codes = [client.post("/api/v1/session", json=wrong).status_code for _ in range(6)]
    assert codes[:3] == [401, 401, 401]
    assert codes[-1] == 429


def test_a_session_ends_when_one_signs_out(client: TestClient) -> None:
    headers = signed_in(client, "foi_officer")
    kept = client.cookies[COOKIE]
    assert client.delete("/api/v1/session", headers=headers).status_code == 204
    client.cookies.set(COOKIE, kept)
    assert client.get("/api/v1/me").status_code == 401


def test_one_citizen_does_not_find_anothers_pages(
    client: TestClient, small_office: Application
) -> None:
    case = filed(small_office, "citizen2")
    drain(small_office)
    signed_in(client, "citizen")
    for path in ("", "/confirmation", "/withdraw"):
        assert client.get(f"/cases/{case.reference}{path}").status_code == 404
    signed_in(client, "citizen2")
    for path in ("", "/confirmation", "/withdraw"):
        assert client.get(f"/cases/{case.reference}{path}").status_code == 200


PAGES = ["/", "/services", "/services?q=licence", "/services/F001", "/services/S001", "/sign-in",
         "/register", "/track", "/nothing-here"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_public_page_speaks_both_languages(
    client: TestClient, path: str, locale: str
) -> None:
    client.cookies.set("banshi_locale", locale)
    answer = client.get(path)
    assert answer.status_code == (404 if path == "/nothing-here" else 200)
    assert f'<html lang="{locale}">' in answer.text
    assert "style-src 'self'" in answer.headers["content-security-policy"]
