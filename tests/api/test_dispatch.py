"""Returning, co-handling, substituting and merging as the staff interface does it, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.demo.office import shipped_package
from api.main import create_app
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.kernel.clock import SettableClock
from engine.usecases.people import AddUser, add_user
from tests.api.test_access import signed_in
from tests.support.complaints import complained, decided, dispatched, main_task, part, returned
from tests.support.play import actor, drain


@pytest.fixture
def client(small_office: Application) -> Iterator[TestClient]:
    with TestClient(create_app(small_office), base_url="http://testserver") as made:
        yield made


class Staff:
    """Somebody signed in, who reads English."""

    def __init__(self, client: TestClient, name: str) -> None:
        self.client, self.headers = client, signed_in(client, name)
        client.put("/api/v1/me/locale", json={"locale": "en"}, headers=self.headers)

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/api/v1{path}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.post(f"/api/v1{path}", json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()


def task_of(view: Any, kind: str = "", state: str = "open") -> Any:
    (found,) = [each for each in view["tasks"] if each["kind"] == kind and each["state"] == state]
    return found


def test_a_return_from_the_button_to_the_managers_page(
    client: TestClient, small_office: Application, clock: SettableClock
) -> None:
    case = dispatched(small_office)
    task = main_task(small_office, case)
    clock.advance(timedelta(hours=2))
    roads = Staff(client, "roads")
    view = roads.get(f"/cases/{case.id}")
    shown = task_of(view)
    assert shown["may_return"]
    assert shown["dispatch_reason"] == "Rule 2 of dispatch: 道路、房屋、供气供暖由住建部门承办"
    assert [each["code"] for each in view["return_reasons"]] == [
        "not_our_duty", "not_our_area", "duplicate",
    ]  # fmt: skip
    view = roads.post(f"/tasks/{task.id}/return", reason="not_our_area", basis="见权属图")
    assert "Not in our area. 见权属图" in view["events"][-1]["text"]
    assert task_of(view, state="held")["department_name"] == "Housing and Construction Bureau"

    hotline = Staff(client, "hotline")
    (row,) = [each for each in hotline.get("/tasks")["items"] if "returned" in each["flags"]]
    assert row["name"] == "Dispatch again: Handle"
    hotline.post(f"/tasks/{row['id']}/claim")
    view = hotline.post(
        f"/tasks/{row['id']}/decide", department="WATER", reason="河道", co_handlers=["ENV"]
    )
    assert task_of(view)["department_name"] == "Water Bureau"

    (shown,) = Staff(client, "manager").get("/returns")["items"]
    assert {name: shown[name] for name in ("by", "reason_name", "hours", "outcome", "to_name")} == {
        "by": "周涛",
        "reason_name": "Not in our area",
        "hours": 2.0,
        "outcome": "redispatched",
        "to_name": "Water Bureau",
    }
    # Another department's manager sees only what their own people returned.
    assert Staff(client, "hotline_lead").get("/returns")["items"] == []
    assert Staff(client, "roads_lead").get("/returns")["items"] == [shown]
    # Who has had the case still sees it.
    assert Staff(client, "roads").get(f"/cases/{case.id}")["id"] == case.id


def test_the_third_return_is_refused_in_words(
    client: TestClient, small_office: Application
) -> None:
    case = dispatched(small_office)
    returned(small_office, case, "roads")
    decided(small_office, case, "redispatch", "WATER")
    returned(small_office, case, "water")
    decided(small_office, case, "adjudicate", "ROADS")
    roads = Staff(client, "roads")
    task = main_task(small_office, case)
    assert not task_of(roads.get(f"/cases/{case.id}"))["may_return"]
    told = roads.post(f"/tasks/{task.id}/return", 409, reason="duplicate")
    assert told["code"] == "return_refused"
    assert told["title"].startswith("The adjudicator's decision is final")


def test_co_handlers_answer_on_their_own_task_and_the_lead_reads_it(
    client: TestClient, small_office: Application
) -> None:
    case = dispatched(small_office)
    task = main_task(small_office, case)
    roads = Staff(client, "roads")
    roads.post(f"/tasks/{task.id}/claim")
    view = roads.post(f"/tasks/{task.id}/joint", departments=["ENV"], question="是否涉及排污？")
    waiting = task_of(view)["joint"]
    assert [(each["department_name"], each["position"]) for each in waiting] == [
        ("Ecology and Environment Bureau", None)
    ]
    told = roads.post(f"/tasks/{task.id}/complete", 409)
    assert "Ecology and Environment Bureau" in told["title"]
    joint = part(small_office, case, "joint")
    environment = Staff(client, "environment")
    environment.post(f"/tasks/{joint.id}/claim")
    mine = task_of(environment.get(f"/cases/{case.id}"), "joint")
    assert (mine["name"], mine["question"]) == ("Answer as co-handler: Handle", "是否涉及排污？")
    environment.post(f"/tasks/{joint.id}/answer", position="disagree", text="不涉及")
    (answer,) = task_of(Staff(client, "roads").get(f"/cases/{case.id}"))["joint"]
    assert (answer["position_name"], answer["text"], answer["by"]) == (
        "does not agree", "不涉及", "郑浩",
    )  # fmt: skip


def test_a_substitute_sees_for_whom_and_the_record_shows_both(
    client: TestClient, small_office: Application
) -> None:
    hired = AddUser(SYSTEM, "roads2", "钱二", _hash(small_office), ("caseworker",), "ROADS")
    small_office.uow.run(add_user, hired)
    case = dispatched(small_office)
    task = main_task(small_office, case)
    roads = Staff(client, "roads")
    roads.post(f"/tasks/{task.id}/claim")
    (colleague,) = [
        each for each in roads.get("/colleagues")["items"] if each["display_name"] == "钱二"
    ]
    body = {"first_day": "2026-03-02", "last_day": "2026-03-03", "substitute_id": colleague["id"]}
    (shown,) = roads.post("/absences", 201, **body)["items"]
    assert (shown["name"], shown["substitute_name"], shown["now"]) == ("周涛", "钱二", True)
    told = roads.post("/absences", 409, **body)
    assert "already entered as away" in told["title"]

    other = Staff(client, "roads2")
    (row,) = other.get("/tasks?view=mine")["items"]
    assert (row["for_name"], row["mine"]) == ("周涛", True)
    view = other.post(f"/tasks/{task.id}/unclaim", reason="不在岗")
    assert view["assignee_name"] is None
    events = other.get(f"/cases/{case.id}")["events"]
    assert events[-1]["actor"] == "钱二 (for 周涛)"
    assert events[-1]["text"] == "Given back: Handle. 不在岗"
    assert other.get("/tasks?view=mine")["items"] == []


def _hash(office: Application) -> str:
    from engine.store.tables import User

    with office.uow.read() as session:
        return session.get_one(User, actor(office, "roads").user_id).password_hash


def test_reassigning_many_says_what_became_of_each(
    client: TestClient, small_office: Application
) -> None:
    ours = [main_task(small_office, dispatched(small_office)).id for _ in range(2)]
    theirs = main_task(small_office, complained(small_office), "accept").id
    lead = Staff(client, "roads_lead")
    person = actor(small_office, "roads").user_id
    body = {"task_ids": [*ours, theirs], "assignee_id": person, "reason": "均衡"}
    for preview in (True, False):
        rows = lead.post("/tasks/reassign", preview=preview, **body)["items"]
        assert [(row["done"], row["assignee_name"]) for row in rows] == [
            (True, "周涛"), (True, "周涛"), (False, None),
        ]  # fmt: skip
        assert "does not exist" in rows[2]["problem"]
    assert lead.post("/tasks/reassign", 404, task_ids=[theirs])["code"] == "not_found"
    assert len(Staff(client, "roads").get("/tasks?view=mine")["items"]) == 2


def test_a_rule_is_looked_at_before_it_is_published(
    client: TestClient, small_office: Application
) -> None:
    case = dispatched(small_office)
    table = shipped_package("complaint")["dispatch.dmn"]
    changed = table.replace(b'<text>"ROADS"</text>', b'<text>"WATER"</text>')
    designer = Staff(client, "designer")
    answer = client.post(
        "/api/v1/dispatch/preview",
        data={"key": "complaint"},
        files={"file": ("dispatch.dmn", changed)},
        headers=designer.headers,
    )
    (row,) = answer.json()["items"]
    assert (row["reference"], row["from_name"], row["to_name"]) == (
        case.reference, "Housing and Construction Bureau", "Water Bureau",
    )  # fmt: skip
    assert main_task(small_office, case).department == "ROADS"
    client.post(
        "/api/v1/packages",
        data={"key": "complaint"},
        files={"file": ("dispatch.dmn", changed)},
        headers=designer.headers,
    )
    (moved,) = designer.post("/dispatch/apply", task_ids=[row["task_id"]])["items"]
    assert (moved["done"], moved["department_name"]) == (True, "Water Bureau")
    assert main_task(small_office, case).department == "WATER"


def test_a_preview_looks_again_even_with_the_key_of_another(client: TestClient) -> None:
    headers = Staff(client, "designer").headers | {"Idempotency-Key": "looked"}
    table = shipped_package("complaint")["dispatch.dmn"]
    told = [
        client.post(
            "/api/v1/dispatch/preview",
            data={"key": "complaint"},
            files={"file": ("dispatch.dmn", content)},
            headers=headers,
        )
        for content in (table, b"no table")
    ]
    assert [answer.status_code for answer in told] == [200, 422]
    assert told[1].json()["code"] == "package_refused"


def test_a_follower_sees_how_far_the_matter_is_and_nothing_of_the_other(
    client: TestClient, small_office: Application
) -> None:
    main, other = dispatched(small_office), complained(small_office, "citizen2")
    drain(small_office)
    hotline = Staff(client, "hotline")
    view = hotline.post(f"/cases/{other.id}/merge", into=main.reference.lower())
    assert view["main"]["reference"] == main.reference
    followers = hotline.get(f"/cases/{main.id}")["followers"]
    assert [each["reference"] for each in followers] == [other.reference]
    told = hotline.post(f"/cases/{main.id}/merge", 409, into=other.reference)
    assert "with another department now" in told["title"]

    signed_in(client, "citizen2")
    page = client.get(f"/cases/{other.reference}").text
    assert "handled together with others" in page
    assert "Housing and Construction Bureau" in page
    assert main.reference not in page
    assert "张伟" not in page
    assert client.get(f"/cases/{main.reference}").status_code == 404

    hotline = Staff(client, "hotline")
    assert hotline.post(f"/cases/{other.id}/unmerge")["main"] is None
