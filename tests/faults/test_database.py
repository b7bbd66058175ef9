"""The database slow, silent, refusing or cut off: no half step, no 500, and it goes on again."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event

from engine.store import pools
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.invariants import violations
from tests.faults.conftest import Behind
from tests.faults.support.people import browsers, in_words, times
from tests.support.play import REQUEST, actor, filed, open_task

WHOLE = os.environ.get("BANSHI_WHOLE_STORM") == "1"
FILING = {"service": "F001", "answers": REQUEST}
PAGES = ("/", "/cases", "/services", "/api/v1/tasks", "/api/v1/cases", "/api/v1/me", "/sign-in")


def settled(office: Behind) -> None:
    """Every connection was given back, and everything that must hold holds."""
    assert list(violations(office.direct.uow)) == []
    for engine in (office.wired.engine, office.wired.uow._writing):
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_slow_database_delays_and_loses_nothing(behind: Behind) -> None:
    cases = [filed(behind.direct) for _ in range(6)]
    tasks = [open_task(behind.direct, case) for case in cases]
    with browsers(behind.wired, "foi_officer", "citizen") as (officer, citizen):
        behind.proxy.delay = 0.3 if WHOLE else 0.05

        def act(number: int) -> int:
            if number == len(tasks):
                return int(citizen.post("/api/v1/cases", json=FILING).status_code)
            return int(officer.post(f"/api/v1/tasks/{tasks[number].id}/claim").status_code)

        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(act, range(len(tasks) + 1)))
        assert codes == [200] * len(tasks) + [201]
        behind.proxy.heal()
        assert [times(behind.direct, case.id, "task_claimed") for case in cases] == [1] * 6
    settled(behind)


def test_a_silent_database_delays_as_long_as_it_is_silent(behind: Behind) -> None:
    task = open_task(behind.direct, filed(behind.direct))
    with browsers(behind.wired, "foi_officer") as (officer,):
        behind.proxy.flowing.clear()
        threading.Timer(10 if WHOLE else 2, behind.proxy.flowing.set).start()
        assert officer.post(f"/api/v1/tasks/{task.id}/claim").status_code == 200
    settled(behind)


def impatient(office: Behind) -> None:
    """From now on an answer may take a second."""

    def hurry(dialect: Any, record: Any, given: Any, wanted: dict[str, Any]) -> None:
        wanted["read_timeout"] = wanted["connect_timeout"] = 1

    for engine in (office.wired.engine, office.wired.uow._writing):
        event.listen(engine, "do_connect", hurry)
        engine.dispose()


def test_one_that_stays_silent_is_given_up_in_words(behind: Behind) -> None:
    task = open_task(behind.direct, filed(behind.direct))
    with browsers(behind.wired, "foi_officer", "citizen") as (officer, citizen):
        impatient(behind)
        assert officer.get("/api/v1/tasks").status_code == 200
        behind.proxy.flowing.clear()
        began = time.monotonic()

        def act(number: int) -> Any:
            if number % 2:
                return citizen.post("/api/v1/cases", json=FILING)
            return officer.post(f"/api/v1/tasks/{task.id}/claim")

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(act, range(12)))
        assert {answer.status_code for answer in answers} == {503}
        assert all(in_words(answer) for answer in answers)
        assert time.monotonic() - began < 12
        behind.proxy.heal()
        assert officer.post(f"/api/v1/tasks/{task.id}/claim").status_code == 200
        assert citizen.post("/api/v1/cases", json=FILING).status_code == 201
    settled(behind)


def test_one_that_refuses_is_told_in_words_on_every_page(behind: Behind) -> None:
    task = open_task(behind.direct, filed(behind.direct))
    with browsers(behind.wired, "foi_officer", "citizen") as (officer, citizen):
        behind.proxy.refuse()
        for client in (officer, citizen):
            for path in PAGES:
                answer = client.get(path, headers={"Accept-Language": "en"})
                assert answer.status_code in (200, 503), (path, answer.text)
                assert "Something went wrong on our side" not in answer.text
        answers = [
            citizen.post("/api/v1/cases", json=FILING),
            officer.post(f"/api/v1/tasks/{task.id}/claim"),
            officer.post("/api/v1/session", json={"user_name": "citizen", "password": "x" * 12}),
            officer.get("/api/v1/health"),
        ]
        assert [answer.status_code for answer in answers] == [503] * 4
        assert {answer.json()["code"] for answer in answers[:3]} == {"store_unavailable"}
        behind.proxy.heal()
        assert officer.post(f"/api/v1/tasks/{task.id}/claim").status_code == 200
        assert citizen.get("/cases").status_code == 200
    settled(behind)


@pytest.mark.parametrize("key", [True, False], ids=["keyed", "plain"])
def test_cut_at_any_answer_of_the_database(behind: Behind, key: bool) -> None:
    """Whatever was said, it is so: done, not done, or not known; and it is done once."""
    with browsers(behind.wired, "foi_officer") as (officer,):
        said = []
        for number in range(1, 60):
            case = filed(behind.direct)
            url = f"/api/v1/tasks/{open_task(behind.direct, case).id}/claim"
            headers = {"Idempotency-Key": f"k{number}"} if key else {}
            behind.wired.engine.dispose()
            behind.proxy.cut_at_answer((number + 1) // 2, half=bool(number % 2))
            answer = officer.post(url, headers=headers)
            reached = behind.proxy.has_cut
            behind.proxy.heal()
            done = times(behind.direct, case.id, "task_claimed")
            said.append((answer.status_code, answer.json().get("code"), done))
            again = officer.post(url, headers=headers)
            assert again.status_code == 200, again.text
            assert times(behind.direct, case.id, "task_claimed") == 1
            if not reached:
                break
    assert set(said) == {
        (200, None, 1),
        (503, "store_unavailable", 0),
        (503, "outcome_unknown", 1),
    }
    settled(behind)


def test_a_connection_that_died_unused_is_noticed_before_a_step_is_sent(
    behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step of a case just written is one packet: on a dead connection it would be in doubt."""
    monkeypatch.setattr(pools, "TRUSTED_SECONDS", 0.0)
    case, officer = filed(behind.wired), actor(behind.direct, "foi_officer")
    task = open_task(behind.direct, case)
    behind.proxy.cut()
    claimed = behind.wired.uow.run(claim, ClaimTask(officer, task.id))
    assert claimed.assignee_id == officer.user_id
    assert times(behind.direct, case.id, "task_claimed") == 1
