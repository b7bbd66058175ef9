"""Clocks over the interface: verbs, why a date is so, notices, receipts and recounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.demo.office import PASSWORD
from api.main import create_app
from api.wiring import Application
from engine.store.tables import Case, ClockEntry
from tests.support.play import done, drain, filed

REASON = {"reason": "征求第三方意见"}


@pytest.fixture
def client(small_office: Application) -> Iterator[TestClient]:
    with TestClient(create_app(small_office), base_url="http://testserver") as made:
        yield made


def signed_in(client: TestClient, user: str, locale: str = "zh-CN") -> TestClient:
    client.cookies.clear()
    answer = client.post("/api/v1/session", json={"user_name": user, "password": PASSWORD})
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    client.put("/api/v1/me/locale", json={"locale": locale})
    return client


def lines(wired: Application, case: Case, verb: str) -> int:
    with wired.uow.read() as session:
        counted = select(func.count()).select_from(ClockEntry)
        conditions = ClockEntry.case_id == case.id, ClockEntry.verb == verb
        return session.scalar(counted.where(*conditions)) or 0


def test_a_verb_over_the_interface(client: TestClient, small_office: Application) -> None:
    case = filed(small_office)
    officer = signed_in(client, "foi_officer")
    legal = next(c for c in officer.get(f"/api/v1/cases/{case.id}").json()["clocks"])
    assert (legal["key"], legal["kind"], legal["buttons"]) == ("legal", "legal", ["pause"])
    assert legal["pauses"]["third_party"] == "征求第三方意见"
    url = f"/api/v1/cases/{case.id}/clocks/legal/pause"
    body = REASON | {"pause": "third_party", "also": ["promised"]}
    key = {"Idempotency-Key": "k1"}
    for _ in range(2):
        answer = officer.post(url, json=body, headers=key)
        assert answer.status_code == 200, answer.text
    assert lines(small_office, case, "pause") == 2  # of two clocks, once each
    legal = answer.json()["clocks"][0]
    assert (legal["state"], legal["open_pauses"]) == ("paused", ["third_party"])
    assert legal["buttons"] == ["pause", "resume"]
    assert legal["lines"][-1]["letter_id"] is not None
    refused = officer.post(url, json=body)
    assert refused.status_code == 409
    assert refused.json()["code"] == "clock_verb_refused"
    assert refused.json()["params"]["possible"] == ["reset", "pause", "resume", "extend", "stop"]
    assert refused.json()["title"] == (
        "时限不能这样调整：已因此暂停。现在可以：自今日重新起算、暂停、恢复、延长、停止。"
    )
    signed_in(client, "foi_officer", "en")
    assert (
        "it is paused for this already. Possible now: "
        in client.post(url, json=body).json()["title"]
    )
    assert client.post(f"/api/v1/cases/{case.id}/clocks/legal/wind", json=body).status_code == 422
    assert client.post(url.replace("legal", "sundial"), json=body).status_code == 404
    assert client.post(url, json={}).status_code == 422


def test_portal_and_staff_say_the_same_of_a_date(
    client: TestClient, small_office: Application
) -> None:
    case = filed(small_office)
    clock = small_office.ports.clock
    clock.advance(timedelta(days=1))  # type: ignore[attr-defined]
    done(small_office, case, "check_request", "foi_officer", outcome="accept")
    done(
        small_office, case, "search", "planning", outcome="consult", third_party_name="某公司",
        third_party_email="third@example.org", consultation_question="是否同意公开",
    )  # fmt: skip
    clock.advance(timedelta(days=7))  # type: ignore[attr-defined]
    done(small_office, case, "record_consultation", "planning", answer="agrees")
    drain(small_office)
    expected = (
        "Counted from 2 March 2026, 20 working days (Regulation on Open Government Information, "
        "art. 33): 30 March 2026. Paused from 3 March 2026 to 10 March 2026 for consulting the "
        "third party (Regulation on Open Government Information, art. 33): 5 working days left "
        "out. New date 7 April 2026."
    )
    for user, path in (("foi_officer", ""), ("citizen", "page")):
        signed_in(client, user, "en")
        if path:
            assert expected in client.get(f"/cases/{case.reference}").text
            assert "Time for handling" not in client.get(f"/cases/{case.reference}").text
        else:
            clocks = client.get(f"/api/v1/cases/{case.id}").json()["clocks"]
            assert " ".join(clocks[0]["why"]) == expected
            assert {"legal", "promised", "stage", "task"} == {c["kind"] for c in clocks}
    signed_in(client, "citizen")
    page = client.get(f"/cases/{case.reference}").text
    assert (
        "自2026年3月2日起算20个工作日（《政府信息公开条例》第三十三条），至2026年3月30日。" in page
    )
    assert "5个工作日不计入，新日期为2026年4月7日。" in page


def test_the_guide_tells_both_dates_for_today_and_any_day(client: TestClient) -> None:
    client.cookies.set("banshi_locale", "en")
    today = client.get("/services/F001").text
    assert "If you apply today: 23 March 2026" in today
    assert "If you apply today: 30 March 2026" in today
    assert "<dd>Working days: 20<br>" in today
    later = client.get("/services/F001?on=2026-02-10").text
    assert "We promise a decision by 9 March 2026" in later
    assert "By law at the latest by 16 March 2026" in later
    # Another service of the same package has limits of its own; a complaint's usual ones.
    assert (
        "By law at the latest by 16 March 2026" in client.get("/services/S031?on=2026-03-02").text
    )
    assert (
        "By law at the latest by 23 March 2026" in client.get("/services/C001?on=2026-03-02").text
    )
    assert client.get("/services/F001?on=soon").status_code == 400
    assert client.get("/services/F001?on=9999-12-31").status_code == 400


def test_notices_over_the_interface(client: TestClient, small_office: Application) -> None:
    case = filed(small_office)
    small_office.ports.clock.advance(timedelta(days=17))  # type: ignore[attr-defined]
    drain(small_office)
    officer = signed_in(client, "foi_officer", "en")
    page = officer.get("/api/v1/notices").json()
    assert page["unread"] == len(page["items"]) == 2
    first = next(each for each in page["items"] if each["rung"] == "-3wd")
    assert first["title"] == f"Promised date 23 March 2026: 3 working days left · {case.reference}"
    assert (first["case_id"], first["personal"]) == (case.id, False)
    assert officer.get("/api/v1/notices?limit=1").json()["next"]
    assert officer.post("/api/v1/notices/read", json={"ids": [first["id"]]}).json() == {"count": 1}
    assert officer.get("/api/v1/notices?unread=true").json()["unread"] == 1
    assert signed_in(client, "roads").get("/api/v1/notices").json()["items"] == []
    assert client.post("/api/v1/notices/read", json={}).json() == {"count": 0}
    late = signed_in(client, "foi_lead").get("/api/v1/notices").json()["items"]
    assert {each["id"] for each in late} == {each["id"] for each in page["items"]}


def test_a_receipt_is_tried_then_corrected(client: TestClient, small_office: Application) -> None:
    case = filed(small_office)
    lead = signed_in(client, "foi_lead")
    url, body = f"/api/v1/cases/{case.id}/receipt", {"received_at": "2026-02-27T10:00:00+08:00"}
    assert lead.post(url, json=body).status_code == 422
    tried = lead.post(url, json=body | {"reason": "邮戳", "trial": True}).json()["items"]
    made = lead.post(url, json=body | {"reason": "邮戳"}, headers={"Idempotency-Key": "r"})
    again = lead.post(url, json=body | {"reason": "邮戳"}, headers={"Idempotency-Key": "r"})
    assert made.json()["items"] == tried == again.json()["items"]
    assert {each["new_due"][:10] for each in tried} == {"2026-03-26", "2026-03-19", "2026-03-09"}
    naive = body | {"received_at": "2026-02-27T10:00:00", "reason": "x"}
    assert lead.post(url, json=naive).status_code == 422


def test_a_recount_over_the_interface(client: TestClient, small_office: Application) -> None:
    filed(small_office)
    manager = signed_in(client, "manager")
    told = manager.post("/api/v1/recounts/preview", json={"services": ["F001"]}).json()
    assert told == {"cases": 1, "items": [], "more": False}
    begun = manager.post("/api/v1/recounts", json={"reason": "calendar_changed"})
    assert begun.status_code == 202
    url = f"/api/v1/recounts/{begun.json()['id']}"
    assert manager.post(f"{url}/stop").json()["state"] == "stopped"
    assert manager.post(f"{url}/stop").json()["code"] == "recount_not_running"
    assert manager.post(f"{url}/resume").json()["state"] == "running"
    drain(small_office)
    made = manager.get(url).json()
    assert (made["state"], made["seen"], made["moved"]) == ("done", 1, 0)
    assert manager.get("/api/v1/recounts/none").status_code == 404
