"""A write may insist on the revision that was looked at; whoever comes too late is told so."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.main import create_app
from api.wiring import Application
from engine.store.tables import Case, Event
from engine.usecases.claim import ClaimTask, claim
from tests.api.test_idempotency import signed_in
from tests.support.play import actor, filed, open_task


def shown(answer: Any) -> int:
    """The revision in the answer's entity tag."""
    tag = answer.headers["etag"]
    assert tag == f'"{tag.strip(chr(34))}"'
    return int(tag.strip('"'))


def revision(wired: Application, case_id: str) -> int:
    with wired.uow.read() as session:
        return session.get_one(Case, case_id).revision


def events(wired: Application, case_id: str) -> list[str]:
    with wired.uow.read() as session:
        return list(session.scalars(select(Event.kind).where(Event.case_id == case_id)))


def test_every_answer_about_a_case_shows_its_revision(office: Application) -> None:
    case = filed(office)
    task, officer, admin = open_task(office, case), signed_in(office, "foi_officer"), None
    url = f"/api/v1/tasks/{task.id}"
    for method, path in (
        ("GET", url), ("GET", f"{url}/form"), ("GET", f"/api/v1/cases/{case.id}"),
        ("POST", f"{url}/claim"), ("POST", f"{url}/unclaim"), ("POST", "/api/v1/tasks/next"),
    ):  # fmt: skip
        assert shown(officer.request(method, path)) == revision(office, case.id), path
    done = officer.post(f"{url}/complete", data={"outcome": "accept"})
    assert shown(done) == done.json()["revision"] == revision(office, case.id)
    admin = signed_in(office, "admin")
    places = f"/api/v1/cases/{case.id}/places"
    assert shown(admin.get(places)) == revision(office, case.id)
    body = {"verb": "correct", "data": {"n": 1}, "reason": "x"}
    repaired = admin.post(f"/api/v1/cases/{case.id}/repairs", json=body)
    assert shown(repaired) == revision(office, case.id)


def writes(task: str, case: str, key: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Each write on a case or task: who, where, with what."""
    repair = {"verb": "skip", "key": key, "reason": "on paper"}
    return {
        "claim": ("foi_lead", f"/api/v1/tasks/{task}/claim", {}),
        "unclaim": ("foi_officer", f"/api/v1/tasks/{task}/unclaim", {}),
        "complete": (
            "foi_officer", f"/api/v1/tasks/{task}/complete", {"data": {"outcome": "accept"}},
        ),
        "repair": ("admin", f"/api/v1/cases/{case}/repairs", {"json": repair}),
    }  # fmt: skip


@pytest.mark.parametrize("verb", ["claim", "unclaim", "complete", "repair"])
def test_who_looked_at_an_older_revision_is_refused_in_words(
    office: Application, verb: str
) -> None:
    case = filed(office)
    task = open_task(office, case)
    old = revision(office, case.id)
    office.uow.run(claim, ClaimTask(actor(office, "foi_officer"), task.id))
    user, path, body = writes(task.id, case.id, task.key)[verb]
    client: TestClient = signed_in(office, user)
    before = events(office, case.id)
    for tag in (f'"{old}"', str(old), f'W/"{old}"', '"of another"', f'"{old + 9}"'):
        answer = client.post(path, headers={"If-Match": tag, "Accept-Language": "en"}, **body)
        assert (answer.status_code, answer.json()["code"]) == (412, "stale_revision"), tag
        assert answer.json()["params"]["revision"] == revision(office, case.id)
        assert answer.json()["title"]
    assert events(office, case.id) == before


@pytest.mark.parametrize("verb", ["unclaim", "complete", "repair"])
@pytest.mark.parametrize("tag", ['"{}"', "{}", "*"])
def test_who_looked_at_the_newest_goes_on(small_office: Application, verb: str, tag: str) -> None:
    case = filed(small_office)
    task = open_task(small_office, case)
    small_office.uow.run(claim, ClaimTask(actor(small_office, "foi_officer"), task.id))
    user, path, body = writes(task.id, case.id, task.key)[verb]
    headers = {"If-Match": tag.format(revision(small_office, case.id))}
    answer = signed_in(small_office, user).post(path, headers=headers, **body)
    assert answer.status_code == 200, answer.text


def test_a_refusal_costs_no_key(small_office: Application) -> None:
    """After looking again the same request may be sent with the same key."""
    case = filed(small_office)
    url = f"/api/v1/tasks/{open_task(small_office, case).id}/claim"
    client, key = signed_in(small_office, "foi_officer"), {"Idempotency-Key": "k"}
    assert client.post(url, headers=key | {"If-Match": '"99"'}).status_code == 412
    fits = {"If-Match": f'"{revision(small_office, case.id)}"'}
    assert client.post(url, headers=key | fits).status_code == 200
    # Sent again, it is the same request, although the case has changed by it.
    assert client.post(url, headers=key | fits).status_code == 200
    assert TestClient(create_app(small_office)).post(url).status_code == 401
