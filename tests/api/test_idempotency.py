"""A write that is sent twice with one key is carried out once, and answered alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.demo.office import PASSWORD
from api.main import create_app
from api.wiring import Application
from engine.store.audit import first_broken_event
from engine.store.tables import Event
from tests.support.play import filed, open_task


def signed_in(wired: Application, user: str) -> TestClient:
    client = TestClient(create_app(wired))
    answer = client.post("/api/v1/session", json={"user_name": user, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return client


def times(wired: Application, case_id: str, kind: str) -> int:
    with wired.uow.read() as session:
        assert first_broken_event(session, case_id) is None
        counted = select(func.count()).select_from(Event)
        return session.scalar(counted.where(Event.case_id == case_id, Event.kind == kind)) or 0


def test_the_same_key_gives_the_same_answer_and_does_it_once(office: Application) -> None:
    case, client = filed(office), signed_in(office, "foi_officer")
    task = open_task(office, case)
    client.post(f"/api/v1/tasks/{task.id}/claim")
    url, key = f"/api/v1/tasks/{task.id}/complete", {"Idempotency-Key": "k1"}
    answers = [client.post(url, data={"outcome": "accept"}, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert {answer.json()["id"] for answer in answers} == {case.id}
    assert times(office, case.id, "task_completed") == 1
    # Without the key, and with another, the second time is a mistake and is told so.
    for headers in ({}, {"Idempotency-Key": "k2"}):
        again = client.post(url, data={"outcome": "accept"}, headers=headers)
        assert again.status_code == 409
        assert again.json()["code"] == "task_not_open"


def test_equal_requests_at_the_same_time_are_one(office: Application) -> None:
    client = signed_in(office, "foi_officer")
    for number in range(5):
        case = filed(office)
        task = open_task(office, case)

        def send(_: int, task_id: str = task.id, number: int = number) -> int:
            headers = {"Idempotency-Key": f"claim-{number}"}
            return client.post(f"/api/v1/tasks/{task_id}/claim", headers=headers).status_code

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(send, range(4))) == [200] * 4
        assert times(office, case.id, "task_claimed") == 1


def test_a_key_is_its_senders_own(office: Application) -> None:
    one, other = signed_in(office, "foi_officer"), signed_in(office, "foi_lead")
    task = open_task(office, filed(office))
    url, key = f"/api/v1/tasks/{task.id}/claim", {"Idempotency-Key": "same"}
    assert one.post(url, headers=key).status_code == 200
    assert other.post(url, headers=key).status_code == 409


def test_a_refused_request_may_be_sent_again_with_its_key(office: Application) -> None:
    case, client = filed(office), signed_in(office, "foi_officer")
    task = open_task(office, case)
    client.post(f"/api/v1/tasks/{task.id}/claim")
    url, key = f"/api/v1/tasks/{task.id}/complete", {"Idempotency-Key": "k"}
    assert client.post(url, data={}, headers=key).status_code == 422
    assert client.post(url, data={"outcome": "accept"}, headers=key).status_code == 200
    assert times(office, case.id, "task_completed") == 1
