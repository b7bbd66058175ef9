"""The connection is lost between a commit and its answer: nothing is done twice, or denied."""

from __future__ import annotations

import io
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from engine.store import doubt
from engine.store.tables import Base, Case, Document, Draft, Event, Message, Task, User
from engine.usecases.invariants import violations
from tests.faults.conftest import Behind
from tests.faults.support.acts import file_and_handle
from tests.faults.support.children import nursery
from tests.faults.support.people import browsers, in_words
from tests.faults.support.proxy import Fate
from tests.support.play import REQUEST, filed, open_task

PDF = ("plan.pdf", io.BytesIO(b"%PDF-1.7 x"), "application/pdf")


@dataclass(frozen=True)
class Act:
    """`send` asks for a change as `user`; `counted` are the rows it adds one to."""

    user: str
    send: Callable[[TestClient, str, dict[str, str]], Any]
    counted: type[Base]
    done: int = 200


def filing(client: TestClient, task: str, headers: dict[str, str]) -> Any:
    body = {"service": "F001", "answers": REQUEST}
    return client.post("/api/v1/cases", json=body, headers=headers)


def claiming(client: TestClient, task: str, headers: dict[str, str]) -> Any:
    return client.post(f"/api/v1/tasks/{task}/claim", headers=headers)


def next_one(client: TestClient, task: str, headers: dict[str, str]) -> Any:
    return client.post("/api/v1/tasks/next", headers=headers)


def message(client: TestClient, task: str, headers: dict[str, str]) -> Any:
    body = {"name": "paid", "life_seconds": 60}
    return client.post("/api/v1/messages", json=body, headers=headers)


def user(client: TestClient, task: str, headers: dict[str, str]) -> Any:
    body = {"user_name": "new_officer", "display_name": "New", "password": "a long pass phrase",
            "roles": ["caseworker"], "department": "FOI"}  # fmt: skip
    return client.post("/api/v1/users", json=body, headers=headers)


def draft(client: TestClient, task: str, headers: dict[str, str]) -> Any:
    form = {"csrf": client.headers["X-CSRF-Token"]}
    url = "/services/F001/apply"
    return client.post(url, data=form, headers=headers, follow_redirects=False)


ACTS = {
    "filing": Act("citizen", filing, Case, 201),
    "claiming": Act("foi_officer", claiming, Event),
    "next": Act("foi_officer", next_one, Event),
    "message": Act("admin", message, Message),
    "user": Act("admin", user, User, 201),
    "draft": Act("citizen", draft, Draft, 303),
}


def count(office: Behind, entity: type[Base]) -> int:
    with office.direct.uow.read() as session:
        return session.scalar(select(func.count()).select_from(entity)) or 0


def test_what_was_carried_out_is_answered_as_such(behind: Behind) -> None:
    """Without a key: the answer is the one it would have been."""
    for name, act in ACTS.items():
        task = open_task(behind.direct, filed(behind.direct)).id
        with browsers(behind.wired, act.user) as (client,):
            before = count(behind, act.counted)
            behind.proxy.lose_commit("answer_lost")
            answer = act.send(client, task, {})
        assert answer.status_code == act.done, (name, answer.text)
        assert count(behind, act.counted) == before + 1, name
    assert list(violations(behind.direct.uow)) == []


@pytest.mark.parametrize("fate", ["answer_lost", "never_sent"])
def test_with_a_key_it_is_done_once_whatever_became_of_the_commit(
    behind: Behind, fate: Fate
) -> None:
    for name, act in ACTS.items():
        key = {"Idempotency-Key": name}
        task = open_task(behind.direct, filed(behind.direct)).id
        with browsers(behind.wired, act.user) as (client,):
            before = count(behind, act.counted)
            behind.proxy.lose_commit(fate)
            answers = [act.send(client, task, key) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {act.done}, (name, answers[0].text)
        assert len({answer.text for answer in answers}) == 1, name
        assert count(behind, act.counted) == before + 1, name
    assert list(violations(behind.direct.uow)) == []


@pytest.mark.parametrize("fate", ["answer_lost", "never_sent"])
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}], ids=["plain", "keyed"])
def test_while_it_stays_away_nobody_is_told_that_nothing_was_changed(
    behind: Behind, monkeypatch: pytest.MonkeyPatch, key: dict[str, str], fate: Fate
) -> None:
    monkeypatch.setattr(doubt, "LOOK_SECONDS", 0.3)
    with browsers(behind.wired, "citizen") as (client,):
        behind.proxy.lose_commit(fate)
        behind.proxy.on_commit = behind.proxy.refuse
        answer = filing(client, "", key | {"Accept-Language": "en"})
        assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
        assert in_words(answer)
        behind.proxy.heal()
        done = count(behind, Case)
        assert done == (1 if fate == "answer_lost" else 0)
        if key:
            assert filing(client, "", key).status_code == 201
            assert count(behind, Case) == 1


def test_an_upload_and_its_task(behind: Behind) -> None:
    """Two commands of one request: each is done once, though each commit is lost in turn."""
    case = filed(behind.direct)
    task = open_task(behind.direct, case).id
    with browsers(behind.wired, "foi_officer") as (client,):
        claiming(client, task, {})
        for _ in range(2):
            behind.proxy.lose_commit("answer_lost")
            answer = client.post(
                f"/api/v1/tasks/{task}/complete",
                data={"outcome": "accept"},
                files={"attachment": PDF},
                headers={"Idempotency-Key": "k"},
            )
            assert answer.status_code == 200, answer.text
        assert count(behind, Document) == 1
        with behind.direct.uow.read() as session:
            done = session.scalars(select(Task).where(Task.state == "done")).all()
        assert len(done) == 1
    assert list(violations(behind.direct.uow)) == []


@pytest.mark.parametrize("fate", ["answer_lost", "never_sent"])
def test_a_process_killed_between_the_commit_and_its_answer(
    behind: Behind, fate: Fate, tmp_path: Path
) -> None:
    """The rows were sent: the process dies before it learns what became of them."""
    url = str(behind.wired.engine.url.render_as_string(hide_password=False))
    environment = {
        "BANSHI_DATABASE_URL": url,
        "BANSHI_DATA_DIR": str(tmp_path),
        "BANSHI_DEMO": "1",
        "TEST_NOW": behind.direct.ports.clock.now().isoformat(),
    }
    with nursery(environment) as children:
        behind.proxy.on_commit = children.kill
        # The filing, and the completion of the first task.
        for number in (2, 6):
            given = environment | {"TEST_TITLE": f"case {number}"}
            behind.proxy.lose_commit(fate, number)
            ended, told = children.played(file_and_handle, given)
            assert ended == -signal.SIGKILL
            assert len(told) < number
            ended, told = children.played(file_and_handle, given)
            assert ended == 0, told
    assert count(behind, Case) == 2
    with behind.direct.uow.read() as session:
        kinds = Counter(session.scalars(select(Event.kind)))
    assert (kinds["task_claimed"], kinds["task_completed"]) == (2, 2)
    assert list(violations(behind.direct.uow)) == []
