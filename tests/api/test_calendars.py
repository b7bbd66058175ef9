"""Working calendars over the JSON interface, and what everybody may ask of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.tables import Case
from tests.api.test_access import signed_in
from tests.support.play import drain, filed

HOLIDAYS_2027 = {
    "year": 2027,
    "papers": ["https://example.org/notice"],
    "days": [
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        {"name": "元旦", "date": "2027-01-02", "isOffDay": True},
        {"name": "元旦", "date": "2026-12-27", "isOffDay": False},
        {"name": "春节", "date": "2027-02-06", "isOffDay": True},
        {"name": "春节", "date": "2027-02-20", "isOffDay": False},
    ],
}


@pytest.fixture
def client(small_office: Application) -> Iterator[TestClient]:
    with TestClient(create_app(small_office), base_url="http://testserver") as made:
        yield made


@pytest.fixture
def admin(client: TestClient) -> dict[str, str]:
    headers = signed_in(client, "admin")
    client.put("/api/v1/me/locale", json={"locale": "en"}, headers=headers)
    return headers


def detail(client: TestClient, name: str = "cn") -> dict[str, Any]:
    answer = client.get(f"/api/v1/calendars/{name}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def sent(
    client: TestClient,
    headers: dict[str, str],
    content: Any,
    name: str = "holidays.json",
    apply: bool = False,
    **fields: Any,
) -> Any:
    raw = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return client.post(
        f"/api/v1/calendars/cn/import?apply={str(apply).lower()}",
        files={"file": (name, raw.encode())},
        data=fields,
        headers=headers,
    )


def test_the_list_names_the_main_calendar(client: TestClient, admin: dict[str, str]) -> None:
    items = {each["name"]: each for each in client.get("/api/v1/calendars").json()["items"]}
    assert [name for name, each in items.items() if each["main"]] == ["cn"]
    assert items["cn"]["title"] == "Working calendar of mainland China"
    assert items["cn"]["announced"] == [2024, 2025, 2026]
    assert items["uk-foi"]["zone"] == "Europe/London"


def test_days_are_edited_and_the_change_is_shown(client: TestClient, admin: dict[str, str]) -> None:
    before = detail(client)
    year = before["years"]["2026"]
    typhoon = {"from": "2026-08-03", "to": "2026-08-04", "name": {"zh-CN": "台风", "en": "Typhoon"}}
    body = {
        "revision": before["revision"],
        "reason": "Typhoon “Anna”",
        "years": {"2026": {**year, "holidays": [*year["holidays"], typhoon]}},
    }
    answer = client.patch("/api/v1/calendars/cn", json=body, headers=admin)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert made["revision"] == before["revision"] + 1
    assert {"day": "2026-08-04", "holiday": True, "name": "Typhoon", "own": True} in made["days"]
    assert made["changes"][0]["reason"] == "Typhoon “Anna”"
    assert [each["day"] for each in made["changes"][0]["changes"]["holidays_added"]] == [
        "2026-08-03",
        "2026-08-04",
    ]
    # What was not said has stayed.
    assert made["office_hours"] == before["office_hours"]
    assert made["years"]["2025"] == before["years"]["2025"]
    again = client.patch("/api/v1/calendars/cn", json=body, headers=admin)
    assert (again.status_code, again.json()["code"]) == (412, "calendar_changed")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "2026-05-09 is listed as a holiday as well. A day is one or the other."),
        ("zh-CN", "2026-05-09同时列为放假日，同一天只能是其中之一。"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    client: TestClient, admin: dict[str, str], locale: str, words: str
) -> None:
    client.put("/api/v1/me/locale", json={"locale": locale}, headers=admin)
    year = detail(client)["years"]["2026"]
    off = {"from": "2026-05-09", "to": "2026-05-09", "name": {}}
    years = {"2026": {**year, "holidays": [*year["holidays"], off]}}
    body = {"revision": 1, "reason": "x", "zone": "Mars", "years": years}
    answer = client.patch("/api/v1/calendars/cn", json=body, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (422, "calendar_refused")
    errors = {each["field"]: each["message"] for each in answer.json()["errors"]}
    place = year["make_up_days"].index("2026-05-09")
    assert errors[f"years.2026.make_up_days.{place}"] == words
    assert "Asia/Shanghai" in errors["zone"]


def test_an_office_calendar_is_added_and_extends_its_country(
    client: TestClient, admin: dict[str, str]
) -> None:
    body = {
        "name": "hall",
        "title": {"zh-CN": "大厅", "en": "Hall"},
        "zone": "Asia/Shanghai",
        "extends": "cn",
        "departments": ["ROADS"],
        "reason": "The hall opens on Saturdays",
        "years": {"2026": {"make_up_days": ["2026-03-07"]}},
    }
    answer = client.post("/api/v1/calendars", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    days = {each["day"]: each for each in made["days"]}
    assert days["2026-03-07"]["own"]
    assert not days["2026-02-17"]["own"]
    assert days["2026-02-17"]["name"] == "Spring Festival"
    assert made["announced"] == [2024, 2025, 2026]
    again = client.post("/api/v1/calendars", json=body, headers=admin)
    assert [each["field"] for each in again.json()["errors"]] == ["name", "departments"][:1]
    assert client.get("/api/v1/calendars/nothing").status_code == 404
    answer = client.get("/api/v1/calendars/hall/upcoming?days=10")
    assert [each["day"] for each in answer.json()["items"]] == ["2026-03-07"]


def test_an_import_is_shown_before_it_is_done(client: TestClient, admin: dict[str, str]) -> None:
    preview = sent(client, admin, HOLIDAYS_2027).json()
    assert preview["applied"] is False
    assert preview["years"] == [2027]
    assert preview["changes"]["announced"] == [2027]
    # A name that the calendar knows in both languages keeps both.
    assert preview["changes"]["holidays_added"] == [
        {"day": "2027-01-01", "name": "New Year's Day"},
        {"day": "2027-01-02", "name": "New Year's Day"},
        {"day": "2027-02-06", "name": "Spring Festival"},
    ]
    assert preview["changes"]["make_up_added"] == ["2026-12-27", "2027-02-20"]
    assert preview["changes"]["holidays_removed"] == []
    assert detail(client)["revision"] == 1
    refused = sent(client, admin, HOLIDAYS_2027, apply=True, revision=1)
    assert refused.json()["errors"][0]["field"] == "reason"
    done = sent(client, admin, HOLIDAYS_2027, apply=True, revision=1, reason="notice").json()
    assert (done["applied"], done["revision"]) == (True, 2)
    after = detail(client)
    assert after["years"]["2027"]["make_up_days"] == ["2027-02-20"]
    assert "2026-12-27" in after["years"]["2026"]["make_up_days"]
    assert len(after["years"]["2026"]["holidays"]) == 7
    assert sent(client, admin, HOLIDAYS_2027).json()["changes"]["holidays_added"] == []


def test_only_the_years_that_are_named_are_taken_over(
    client: TestClient, admin: dict[str, str]
) -> None:
    calendar = {
        "years": {
            "2026": {"holidays": [{"from": "2026-01-01", "to": "2026-01-01"}]},
            "2027": {"holidays": [{"from": "2027-01-01", "to": "2027-01-03"}]},
        }
    }
    both = sent(client, admin, calendar).json()
    assert both["years"] == [2026, 2027]
    assert len(both["changes"]["holidays_removed"]) == 32
    one = sent(client, admin, calendar, years=[2027]).json()
    assert one["changes"]["holidays_removed"] == []
    assert len(one["changes"]["holidays_added"]) == 3


def test_a_bad_file_is_told_with_its_line(client: TestClient, admin: dict[str, str]) -> None:
    text = '{\n "year": 2027,\n "days": [\n  {"name": "x", "date": "1 May", "isOffDay": true}\n ]}'
    answer = sent(client, admin, text)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "field": "file",
            "code": "day_wrong",
            "message": "Line 4: A day needs “name”, “date” (like 2026-05-01) and “isOffDay” "
            "(true or false).",
        }
    ]


def test_everybody_may_ask_by_when_and_why(client: TestClient, clock: SettableClock) -> None:
    clock.set(datetime(2026, 2, 10, 2, tzinfo=UTC))
    client.cookies.clear()
    headers = {"Accept-Language": "en"}
    body = client.get("/api/v1/clock?service=F001", headers=headers).json()
    assert (body["on"], body["calendar"]) == ("2026-02-10", "cn")
    assert body["legal"]["due_on"] == "2026-03-16"
    assert body["promised"]["due_on"] < body["legal"]["due_on"]
    assert "art. 33" in body["legal"]["basis"]
    assert [run["text"] for run in body["legal"]["days"]][:4] == [
        "received, day 0",
        "days 1 to 3",
        "day 4, a make-up working day",
        "Spring Festival, not counted",
    ]
    later = client.get("/api/v1/clock?service=F001&on=2026-12-21", headers=headers).json()
    assert later["legal"]["provisional"]
    assert "provisional" in later["legal"]["days"][-1]["text"]
    assert client.get("/api/v1/clock?service=F001&on=2126-12-21").status_code == 422
    assert client.get("/api/v1/clock?service=F999").status_code == 404
    guide = client.get("/services/F001").text
    assert "2026年3月16日" in guide


def test_an_edit_is_previewed_then_followed_by_its_recount(
    client: TestClient, small_office: Application, clock: SettableClock, admin: dict[str, str]
) -> None:
    case = filed(small_office)
    year = detail(client)["years"]["2026"]
    off = {"from": "2026-03-12", "to": "2026-03-12", "name": {}}
    edit = {"years": {"2026": {**year, "holidays": [*year["holidays"], off]}}, "revision": 1}
    told = client.post("/api/v1/calendars/cn/preview", json=edit, headers=admin).json()
    assert (told["cases"], told["more"]) == (1, False)
    assert [(each["name"], each["new_due"][:10]) for each in told["items"]] == [
        ("Legal date", "2026-03-31"),
        ("Promised date", "2026-03-24"),
    ]
    assert client.get("/api/v1/recounts").json()["items"] == []
    stale = client.post("/api/v1/calendars/cn/preview", json=edit | {"revision": 9}, headers=admin)
    assert stale.status_code == 412
    made = client.patch("/api/v1/calendars/cn", json=edit | {"reason": "typhoon"}, headers=admin)
    assert made.status_code == 200
    (row,) = client.get("/api/v1/recounts").json()["items"]
    assert (row["state"], row["seen"], row["total"]) == ("running", 0, 1)
    assert row["reason"] == "the working calendar has changed"
    clock.advance(timedelta(seconds=10))
    drain(small_office)
    (row,) = client.get("/api/v1/recounts").json()["items"]
    assert (row["state"], row["seen"], row["moved"]) == ("done", 1, 1)
    with small_office.uow.read() as session:
        due = session.get_one(Case, case.id).legal_due_at
    assert str(due)[:10] == "2026-03-31"
    officer = signed_in(client, "foi_officer")
    refused = client.post("/api/v1/calendars/cn/preview", json=edit, headers=officer)
    assert refused.status_code == 403
