"""Two at one barrier, many rounds: one legal outcome, told in words, and nothing is lost."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.main import create_app
from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.kernel.errors import CaseNotOpen, EngineError, TaskNotOpen
from engine.store import jobs
from engine.store.tables import Case, Message, Task
from engine.store.uow import UnitOfWork
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.invariants import violations
from engine.usecases.timers import FireTimer, fire_timer
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.faults.support.people import in_words, signed_in, times
from tests.faults.test_delivered_twice import _passed as passed
from tests.support.play import actor, drain, filed, open_task
from tests.support.small_package import begun, person, published
from tests.unit.bpmn.coverage.play import boundary, end, start, straight, timer
from tests.unit.bpmn.models import flow, node

ROUNDS = 500 if os.environ.get("BANSHI_WHOLE_STORM") == "1" else 15


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of these gave, or raised, when all began at the same moment."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except EngineError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@contextmanager
def two_processes(wired: Application) -> Iterator[Sequence[UnitOfWork]]:
    """The unit of work of this process, and of another that recalls other cases."""
    other = UnitOfWork(wired.engine, wired.ports)
    try:
        yield (wired.uow, other)
    finally:
        other.close()


def held(wired: Application, *cases: Case) -> None:
    assert list(violations(wired.uow)) == []
    for case in cases:
        with wired.uow.read() as session:
            keys = session.scalars(select(Task.key).where(Task.case_id == case.id)).all()
        assert len(keys) == len(set(keys))


# Over HTTP


@pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")
def test_two_who_complete_one_task_are_told_apart(office: Application) -> None:
    """One 200, and one 409 in words; the same person in two windows."""
    one, other = (signed_in(create_app(office), "foi_officer") for _ in range(2))

    def completes(client: TestClient, url: str) -> Callable[[], Any]:
        return lambda: client.post(f"{url}/complete", data={"outcome": "accept"})

    for _ in range(ROUNDS):
        case = filed(office)
        url = f"/api/v1/tasks/{open_task(office, case).id}"
        assert one.post(f"{url}/claim").status_code == 200
        answers = at_once(completes(one, url), completes(other, url))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (refused,) = (answer for answer in answers if answer.status_code == 409)
        assert refused.json()["code"] == "task_not_open"
        assert in_words(refused)
        assert times(office, case.id, "task_completed") == 1
    held(office)


@pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")
def test_two_who_claim_one_task_are_told_who_has_it(office: Application) -> None:
    clients = {user: signed_in(create_app(office), user) for user in ("foi_officer", "foi_lead")}
    names = {user: actor(office, user).display_name for user in clients}

    def claims(client: TestClient, task: str) -> Callable[[], Any]:
        return lambda: client.post(f"/api/v1/tasks/{task}/claim")

    for _ in range(ROUNDS):
        case = filed(office)
        task = open_task(office, case)
        answers = at_once(*(claims(client, task.id) for client in clients.values()))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        winner, loser = sorted(
            zip(clients, answers, strict=True), key=lambda each: each[1].status_code
        )
        assert names[winner[0]] in loser[1].json()["title"]
        assert times(office, case.id, "task_claimed") == 1
    held(office)


# In the engine

LIMITED = (
    node("startEvent", "s")
    + person("a")
    + boundary("late", "a", timer("PT1H"))
    + person("b")
    + person("c")
    + node("endEvent", "d")
    + node("endEvent", "e")
    + flow("s", "a")
    + flow("a", "b")
    + flow("b", "d")
    + flow("late", "c")
    + flow("c", "e")
)


def test_completing_against_the_boundary_timer(office: Application, clock: SettableClock) -> None:
    """Either the task was done in time or it was late; never both, never neither."""
    published(office, LIMITED)
    who, ended = actor(office, "foi_officer"), Counter[str]()
    with two_processes(office) as (here, there):
        for _ in range(ROUNDS):
            case = begun(office)
            task = open_task(office, case)
            here.run(claim, ClaimTask(who, task.id))
            clock.advance(timedelta(hours=1, seconds=1))
            (job,) = here.run(jobs.lease_due, jobs.LeaseDue("w", ["timers"], 5))
            fire = FireTimer("w", job.id, case.id)
            completed, fired = at_once(
                lambda task=task: here.run(complete, CompleteTask(who, task.id, {})),
                lambda fire=fire: there.run(fire_timer, fire),
            )
            if fired is True:
                assert isinstance(completed, TaskNotOpen)
                assert open_task(office, case).element == "c"
            else:
                assert (fired, isinstance(completed, Case)) == (False, True)
                assert open_task(office, case).element == "b"
            ended[open_task(office, case).element] += 1
            assert passed(office, case, "a") + passed(office, case, "late") == 1
    assert sum(ended.values()) == ROUNDS
    held(office)


def test_withdrawing_against_completing(office: Application) -> None:
    """The case is withdrawn in the end; what was completed before that stays completed."""
    who, citizen, told = actor(office, "foi_officer"), actor(office, "citizen"), Counter[str]()
    with two_processes(office) as (here, there):
        for _ in range(ROUNDS):
            case = filed(office)
            task = open_task(office, case)
            here.run(claim, ClaimTask(who, task.id))
            answers = CompleteTask(who, task.id, {"outcome": "accept"})
            completed, gone = at_once(
                lambda answers=answers: here.run(complete, answers),
                lambda case=case: there.run(withdraw, WithdrawCase(citizen, case.id)),
            )
            assert isinstance(gone, Case), gone
            if isinstance(completed, Case):
                told["completed"] += 1
            else:
                assert isinstance(completed, TaskNotOpen | CaseNotOpen), completed
                told["refused"] += 1
            with office.uow.read() as session:
                assert session.get_one(Case, case.id).state == "withdrawn"
                states = set(session.scalars(select(Task.state).where(Task.case_id == case.id)))
            assert "open" not in states
            assert times(office, case.id, "task_completed") == isinstance(completed, Case)
    drain(office)
    held(office)


JOINED = (
    node("startEvent", "s")
    + node("parallelGateway", "fork")
    + person("a")
    + person("b")
    + node("parallelGateway", "join")
    + person("c")
    + node("endEvent", "e")
    + flow("s", "fork")
    + flow("fork", "a")
    + flow("fork", "b")
    + flow("a", "join")
    + flow("b", "join")
    + flow("join", "c")
    + flow("c", "e")
)


def test_both_branches_of_a_join_at_once(office: Application) -> None:
    """Both are done, each of them once, and what is behind the join begins once."""
    published(office, JOINED)
    who = actor(office, "foi_officer")
    with two_processes(office) as (here, there):
        for _ in range(ROUNDS):
            case = begun(office)
            tasks = [open_task(office, case, element) for element in ("a", "b")]
            for task in tasks:
                here.run(claim, ClaimTask(who, task.id))
            results = at_once(
                *(
                    lambda uow=uow, task=task: uow.run(complete, CompleteTask(who, task.id, {}))
                    for uow, task in zip((here, there), tasks, strict=True)
                )
            )
            assert all(isinstance(each, Case) for each in results), results
            assert open_task(office, case).element == "c"
            assert passed(office, case, "join") == 1
            assert times(office, case.id, "task_completed") == 2
    held(office)


# Each throws a message to the other behind its first task, and then waits for the other's.
CROSSED = """
<bpmn:message id="{sends}" name="{sends}"/><bpmn:message id="{waits}" name="{waits}"/>
"""


def _crossed(sends: str, waits: str) -> tuple[str, str]:
    throw = f'<bpmn:messageEventDefinition messageRef="{sends}"/>'
    await_ = f'<bpmn:messageEventDefinition messageRef="{waits}"/>'
    body = straight(
        start(),
        person("a"),
        node("intermediateThrowEvent", "say", throw),
        node("intermediateCatchEvent", "hear", await_),
        person("b"),
        end(),
    )
    return body, CROSSED.format(sends=sends, waits=waits)


def test_two_cases_that_write_to_each_other(office: Application) -> None:
    """In crossed order, with workers delivering meanwhile: no deadlock is shown, none is lost."""
    for service, key, sends, waits in (
        ("S002", "ping", "ping", "pong"), ("S003", "pong", "pong", "ping"),
    ):  # fmt: skip
        body, beside = _crossed(sends, waits)
        published(office, body, beside, service=service, key=key)
    who = actor(office, "foi_officer")
    stop, failures = threading.Event(), list[Exception]()

    def work() -> None:
        while not stop.is_set():
            try:
                office.run_due(["timers"])
            except Exception as error:
                failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        pairs = []
        for _ in range(ROUNDS):
            pair = [begun(office, service=service) for service in ("S002", "S003")]
            tasks = [open_task(office, case) for case in pair]
            for task in tasks:
                office.uow.run(claim, ClaimTask(who, task.id))
            results = at_once(
                *(
                    lambda task=task: office.uow.run(complete, CompleteTask(who, task.id, {}))
                    for task in tasks
                )
            )
            assert all(isinstance(each, Case) for each in results), results
            pairs += pair
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    drain(office)
    assert failures == []
    with office.uow.read() as session:
        assert Counter(session.scalars(select(Message.state))) == {"delivered": 2 * ROUNDS}
    assert [open_task(office, case).element for case in pairs] == ["b"] * len(pairs)
    assert sum(passed(office, case, "hear") for case in pairs) == len(pairs)
    held(office)
