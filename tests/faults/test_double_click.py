"""Forms of the portal sent three times, one after the other and all at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.wiring import Application
from engine.usecases.invariants import violations
from tests.faults.support.people import browser
from tests.faults.test_duplicates import FORMS, everything
from tests.support.play import REQUEST, done, filed, open_task

PASSPHRASE = "a long pass phrase"


@dataclass(frozen=True)
class Click:
    """A form as a browser sends it; `lands` is where its sender is then, however often."""

    path: str
    fields: dict[str, str]
    lands: str


def token(client: TestClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]


def _apply(wired: Application, client: TestClient) -> Click:
    return Click("/services/F001/apply", {}, "/drafts/{id}/what")


def _answered(client: TestClient) -> str:
    """An application with every question answered; its address."""
    csrf = token(client, "/services/F001")
    first = client.post("/services/F001/apply", data={"csrf": csrf}, follow_redirects=False)
    draft = first.headers["location"].rpartition("/")[0]
    for page in ("what", "how", "you"):
        sent = client.post(f"{draft}/{page}", data=_fields() | {"csrf": csrf})
        assert sent.status_code == 200, sent.text
    return draft


def _fields() -> dict[str, str]:
    return {key: "yes" if value is True else str(value) for key, value in REQUEST.items()}


def _page(wired: Application, client: TestClient) -> Click:
    return Click(f"{_answered(client)}/what", _fields() | {"title": "改过"}, "/drafts/{id}/how")


def _check(wired: Application, client: TestClient) -> Click:
    return Click(f"{_answered(client)}/check", {}, "/cases/{id}/confirmation")


def _task(wired: Application, client: TestClient) -> Click:
    case = filed(wired)
    asked = {"outcome": "correction", "correction_fields": ["title"], "correction_note": "x"}
    done(wired, case, "check_request", "foi_officer", **asked)
    task = open_task(wired, case)
    path = f"/cases/{case.reference}/tasks/{task.id}"
    return Click(path, {"title": "改正"}, "/cases/{id}?done=correction")


def _withdraw(wired: Application, client: TestClient) -> Click:
    case = filed(wired)
    return Click(f"/cases/{case.reference}/withdraw", {"reason": "no longer"}, "/cases/{id}")


CLICKS: dict[str, Callable[[Application, TestClient], Click]] = {
    "POST /services/{code}/apply": _apply,
    "POST /drafts/{draft_id}/{page_id}": _page,
    "POST /drafts/{draft_id}/check": _check,
    "POST /cases/{reference}/tasks/{task_id}": _task,
    "POST /cases/{reference}/withdraw": _withdraw,
}
WITHOUT_A_CASE = {"POST /sign-in", "POST /sign-out", "POST /register", "POST /track"}


def test_every_form_is_clicked() -> None:
    assert set(CLICKS) | WITHOUT_A_CASE == FORMS


def lands(answer: Any) -> tuple[int, str]:
    return answer.status_code, re.sub(
        r"/(drafts|cases)/[^/?]+", r"/\1/{id}", answer.headers.get("location", answer.text)
    )


@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
def test_three_clicks_do_it_once(office: Application, at_once: bool) -> None:
    client = browser(office, "citizen")
    for line, prepare in CLICKS.items():
        click = prepare(office, client)
        csrf = client.headers["X-CSRF-Token"]

        def send(_: int, click: Click = click, csrf: str = csrf) -> Any:
            fields = click.fields | {"csrf": csrf}
            return client.post(click.path, data=fields, follow_redirects=False)

        if at_once:
            with ThreadPoolExecutor(3) as pool:
                answers = list(pool.map(send, range(3)))
            once = everything(office)
            assert send(3).status_code == 303, line
        else:
            answers = [send(1)]
            once = everything(office)
            answers += [send(2), send(3)]
        assert {lands(each) for each in answers} == {(303, click.lands)}, (line, answers[-1].text)
        assert len({each.headers["location"] for each in answers}) == 1, line
        assert settled(everything(office)) == settled(once), line
    assert list(violations(office.uow)) == []


def settled(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """A draft is saved each time it is sent, with the same answers."""
    return {name: row for name, row in rows.items() if name != "drafts"} | {
        "drafts": [re.sub(r"datetime\.datetime\([^)]*\)", "", row) for row in rows["drafts"]]
    }


def test_registering_twice_makes_one_account_and_says_why(small_office: Application) -> None:
    client = TestClient(browser(small_office, "citizen").app)
    fields = {
        "display_name": "王五", "user_name": "wangwu", "phone": "13700137000",
        "password": PASSPHRASE, "csrf": token(client, "/register"),
    }  # fmt: skip
    first = client.post("/register", data=fields, follow_redirects=False)
    assert first.status_code == 303
    once = everything(small_office)
    client.cookies.clear()
    fields["csrf"] = token(client, "/register")
    second = client.post("/register", data=fields, follow_redirects=False)
    assert second.status_code == 422
    assert "wangwu" in second.text
    assert everything(small_office) == once
