"""Whatever comes three times happens once: requests with a key, forms, messages, reports, jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Table, select

from api.main import create_app
from api.wiring import Application
from engine.store.tables import Base
from engine.usecases.invariants import violations
from tests.faults.support.clock_writes import CLOCKS
from tests.faults.support.dispatch_writes import DISPATCH, joint_answer
from tests.faults.support.engine_rest_writes import AUTH, CAMUNDA
from tests.faults.support.people import signed_in
from tests.faults.support.sent import Sent
from tests.faults.support.writes import REST, restored, routes_that_write
from tests.support.engine_rest import ADMIN, DESIGNER, add_worker

WITH_A_KEY = CLOCKS | REST | DISPATCH | CAMUNDA
OTHERWISE = {"POST /api/v1/tasks/{task_id}/answer, jointly": joint_answer}
"""Another way through a route that has a line."""
EXCEPTIONS = {
    "POST /api/v1/session": "signs in again: a session of its own, whose secret is kept nowhere",
    "DELETE /api/v1/session": "who has signed out is nobody any more, and is told so (401)",
    "POST /api/v1/webhooks/{name}": "has the delivery's id: see test_webhooks",
}
"""Routes that take no key, and why."""
FORMS = {
    "POST /services/{code}/apply",
    "POST /drafts/{draft_id}/check",
    "POST /drafts/{draft_id}/{page_id}",
    "POST /cases/{reference}/tasks/{task_id}",
    "POST /cases/{reference}/withdraw",
    "POST /sign-in",
    "POST /sign-out",
    "POST /register",
    "POST /track",
}
"""Forms of the portal; browsers send no key. A double click on each is in test_double_click."""
OWN = {"user_sessions", "idempotency_keys", "sign_in_attempts"}


def everything(wired: Application) -> dict[str, list[Any]]:
    """Every row of every table, but those that say who has asked what."""
    with wired.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(*_told(table)))))
            for table in Base.metadata.sorted_tables
            if table.name not in OWN
        }


def _told(table: Table) -> list[Any]:
    return [column for column in table.columns if column.name != "archive"]


class Senders:
    """Sends requests with one key a line, from browsers and programs that stay signed in."""

    def __init__(self, wired: Application) -> None:
        self._app = create_app(wired)
        self._program = TestClient(self._app, raise_server_exceptions=False)
        self._browsers: dict[str, TestClient] = {}

    def send(self, line: str, sent: Sent) -> Any:
        method = line.split(" ", maxsplit=1)[0]
        more = {"headers": {"Idempotency-Key": line}, **sent.body}
        if "/engine-rest/" in line:
            auth = AUTH | {"admin": ADMIN, "designer": DESIGNER}
            return self._program.request(method, sent.path, auth=auth[sent.user], **more)
        if sent.user not in self._browsers:
            self._browsers[sent.user] = signed_in(self._app, sent.user)
        return self._browsers[sent.user].request(method, sent.path, **more)


def test_every_route_that_writes_has_a_line(small_office: Application) -> None:
    assert routes_that_write(small_office) == set(WITH_A_KEY) | set(EXCEPTIONS) | FORMS


def test_three_times_with_one_key(office: Application) -> None:
    """One route after the other, in an office that goes on changing."""
    add_worker(office)
    senders = Senders(office)
    for line, prepare in (WITH_A_KEY | OTHERWISE).items():
        restored(office)
        sent = prepare(office)
        before = everything(office)
        answers = [senders.send(line, sent)]
        once = everything(office)
        answers += [senders.send(line, sent) for _ in range(2)]
        assert {answer.status_code // 100 for answer in answers} == {2}, (line, answers[0].text)
        assert len({(answer.status_code, answer.text) for answer in answers}) == 1, line
        assert everything(office) == once, line
        assert once != before or line.endswith("extendLock"), line


# The routes of an application are made with its first requests, in whichever thread.
@pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")
def test_three_at_once_with_one_key(office: Application) -> None:
    """As if an impatient client had sent it again before it was answered."""
    add_worker(office)
    senders = Senders(office)
    for line, prepare in (WITH_A_KEY | OTHERWISE).items():
        restored(office)
        sent = prepare(office)
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda _: senders.send(line, sent), range(3)))  # noqa: B023
        assert {answer.status_code // 100 for answer in answers} == {2}, (
            line, [answer.text for answer in answers],
        )  # fmt: skip
        once = everything(office)
        assert senders.send(line, sent).is_success
        assert everything(office) == once, line
    assert list(violations(office.uow)) == []
