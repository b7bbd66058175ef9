"""Webhooks that come in: signed, taken once, and delivered to the right case."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.connectors.signature import DELIVERY, SIGNATURE, sign
from api.connectors.webhooks import MOST_BYTES
from api.main import create_app
from api.settings import SettingWrong, read_settings
from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.tables import Message
from tests.connectors.conftest import OpenOffice
from tests.support.connector_models import connector_task, data_of
from tests.support.play import done, drain, open_task
from tests.support.small_package import begun, person, published
from tests.support.web import Asked, Reply, web_server
from tests.unit.bpmn.coverage.play import catch, end, start, straight

SECRET = "shared-by-both"
HOOK = {
    "BANSHI_WEBHOOK_PAY_DESK_SECRET": SECRET,
    "BANSHI_WEBHOOK_PAY_DESK_MESSAGE": "paid",
    "BANSHI_WEBHOOK_PAY_DESK_CORRELATION": "$.orders[0].case",
}
BESIDE = (
    '<bpmn:message id="paid" name="paid"><bpmn:extensionElements>'
    '<zeebe:subscription xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    "correlationKey=\"=application['title']\"/></bpmn:extensionElements></bpmn:message>"
)
WAITS = straight(
    start(),
    person("a"),
    catch("wait", '<bpmn:messageEventDefinition messageRef="paid"/>'),
    person("b"),
    end(),
)


def body_for(case: str = "X-1", **more: Any) -> bytes:
    return json.dumps({"orders": [{"case": case}], "amount": 5} | more).encode()


def post(
    wired: Application,
    body: bytes,
    at: datetime,
    delivery: str = "d1",
    secret: str = SECRET,
    name: str = "pay-desk",
    **headers: str,
) -> Any:
    signed = {SIGNATURE: sign(secret, at, delivery, body), DELIVERY: delivery}
    with TestClient(create_app(wired)) as client:
        return client.post(f"/api/v1/webhooks/{name}", content=body, headers=signed | headers)


def kept(wired: Application) -> int:
    with wired.uow.read() as session:
        return session.scalar(select(func.count()).select_from(Message)) or 0


def test_a_signed_message_reaches_its_case_once(
    open_with: OpenOffice, clock: SettableClock
) -> None:
    office = open_with(**HOOK)
    published(office, WAITS, BESIDE)
    other, case = begun(office, title="X-2"), begun(office, title="X-1")
    for each in (other, case):
        done(office, each, "a", "foi_officer")
    answer = post(office, body_for(), clock.now())
    assert answer.status_code == 202, answer.text
    assert "set-cookie" not in answer.headers
    assert open_task(office, case).element == "b"
    # The message cannot name the process data it changes.
    assert data_of(office, case)["pay_desk"]["amount"] == 5
    assert data_of(office, case)["application"]["title"] == "X-1"
    clock.advance(timedelta(minutes=20))
    again = post(office, body_for(), clock.now())
    assert (again.status_code, again.json()) == (202, answer.json())
    assert kept(office) == 1
    assert data_of(office, other).get("pay_desk") is None


def test_a_message_that_comes_first_is_kept(open_with: OpenOffice, clock: SettableClock) -> None:
    office = open_with(**HOOK)
    published(office, WAITS, BESIDE)
    case = begun(office, title="X-1")
    assert post(office, body_for(), clock.now()).status_code == 202
    clock.advance(timedelta(days=6))
    done(office, case, "a", "foi_officer")
    drain(office)
    assert open_task(office, case).element == "b"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret": "guessed"}, "The signature is missing, wrong or too old."),
        ({"name": "unknown"}, "The signature is missing, wrong or too old."),
        ({SIGNATURE: ""}, "The signature is missing, wrong or too old."),
        ({DELIVERY: "d2"}, "The signature is missing, wrong or too old."),
    ],
)
def test_who_cannot_sign_is_refused_in_words(
    open_small_with: OpenOffice, clock: SettableClock, change: dict[str, str], words: str
) -> None:
    office = open_small_with(**HOOK)
    language = {"Accept-Language": "en"}
    answer = post(office, body_for(), clock.now(), **(language | change))
    assert (answer.status_code, answer.json()["title"]) == (401, words)
    assert kept(office) == 0


def test_a_changed_body_is_refused(open_small_with: OpenOffice, clock: SettableClock) -> None:
    office = open_small_with(**HOOK)
    signature = sign(SECRET, clock.now(), "d1", body_for())
    answer = post(office, body_for(amount=5000), clock.now(), **{SIGNATURE: signature})
    assert (answer.status_code, kept(office)) == (401, 0)


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 202), (4, 202), (6, 401)])
def test_a_signature_holds_for_five_minutes(
    open_small_with: OpenOffice, clock: SettableClock, minutes: int, status: int
) -> None:
    office = open_small_with(**HOOK)
    at = clock.now() + timedelta(minutes=minutes)
    assert post(office, body_for(), at).status_code == status


def test_without_an_id_a_message_listened_to_is_not_taken_twice(
    open_small_with: OpenOffice, clock: SettableClock
) -> None:
    office = open_small_with(**HOOK)
    body = body_for()
    signature = sign(SECRET, clock.now(), "", body)
    turned = ",".join([*reversed(signature.split(",")), "v1=" + "0" * 64])
    ids = {
        post(office, body, clock.now(), "", **{SIGNATURE: header}).json()["id"]
        for header in (signature, turned)
    }
    assert (len(ids), kept(office)) == (1, 1)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"orders": []}', b'{"orders": [{"case": {}}]}'])
def test_what_cannot_be_read_is_refused(
    open_small_with: OpenOffice, clock: SettableClock, body: bytes
) -> None:
    office = open_small_with(**HOOK)
    answer = post(office, body, clock.now())
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook_unreadable")
    assert kept(office) == 0


def test_a_huge_message_is_refused(open_small_with: OpenOffice, clock: SettableClock) -> None:
    office = open_small_with(**HOOK)
    answer = post(office, b'"' + b"x" * MOST_BYTES + b'"', clock.now())
    assert answer.status_code == 413


def test_the_id_may_be_in_the_message(
    open_small_with: OpenOffice, clock: SettableClock, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("old\n")
    office = open_small_with(
        BANSHI_WEBHOOK_ORDERS_SECRET_FILE=str(file), BANSHI_WEBHOOK_ORDERS_DELIVERY="event.id"
    )
    file.write_text(f"{SECRET}\n")
    body = b'{"event": {"id": 17}}'
    answers = [post(office, body, clock.now(), delivery, name="orders") for delivery in ("x", "y")]
    assert [each.status_code for each in answers] == [202, 202]
    assert kept(office) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("CORRELATION", "$..x["), ("LIFE", "soon"), ("VARIABLE", "a b")],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    variable = f"BANSHI_WEBHOOK_PAY_DESK_{name}"
    with pytest.raises(SettingWrong, match=variable):
        read_settings(HOOK | {variable: value})


def test_one_office_can_call_another(open_small_with: OpenOffice, clock: SettableClock) -> None:
    """What the connector signs is what the webhook accepts."""
    made: list[Application] = []

    def hand_on(asked: Asked) -> Reply:
        with TestClient(create_app(made[0])) as client:
            answer = client.post(asked.path, content=asked.body, headers=asked.headers)
        return Reply(answer.status_code, answer.content)

    with web_server(hand_on) as server:
        office = open_small_with(
            BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}", BANSHI_SECRET_DESK=SECRET, **HOOK
        )
        made.append(office)
        task = connector_task(
            "http",
            url=f"{server.url}/api/v1/webhooks/pay-desk",
            method="POST",
            body="={'orders': [{'case': 'X-1'}]}",
            signature="secret:DESK",
            result_variable="taken",
        )
        published(office, straight(start(), task, person("b"), end()))
        case = begun(office)
        drain(office)
    assert list(data_of(office, case)["taken"]) == ["id"]
    assert kept(office) == 1
