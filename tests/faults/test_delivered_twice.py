"""Messages, webhooks, reports, timers and jobs that come three times, and bring no key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.connectors.signature import DELIVERY, SIGNATURE, sign
from api.main import create_app
from api.wiring import Application
from api.worker.celery_app import WAKE, make_celery, queue_names
from engine.domain.access import SYSTEM
from engine.kernel.clock import SettableClock
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import Case, Event, Job, Letter, Message
from engine.usecases import job_runner
from engine.usecases.invariants import violations
from engine.usecases.messages import ReceiveMessage, receive_message
from engine.usecases.timers import FireTimer, fire_timer
from tests.connectors.conftest import OpenOffice
from tests.connectors.test_webhooks import BESIDE as CORRELATED
from tests.connectors.test_webhooks import HOOK, SECRET, WAITS, body_for
from tests.faults.test_duplicates import everything
from tests.support.engine_rest import add_worker, deployed, fetched, job, model, reported, started
from tests.support.play import done, drain, filed, open_task
from tests.support.small_package import begun, person, published
from tests.unit.bpmn.coverage.play import catch, end, start, straight, timer

MONTH = timedelta(days=30)
MESSAGE = '<bpmn:messageEventDefinition messageRef="paid"/>'
BESIDE = '<bpmn:message id="paid" name="paid"/>'


@contextmanager
def thrice(wired: Application, send: Callable[[], Any], at_once: bool) -> Iterator[list[Any]]:
    """Send it once and look at everything; then twice more, or three times at once."""
    answers: list[Any] = []
    if at_once:
        with ThreadPoolExecutor(3) as pool:
            answers += pool.map(lambda _: send(), range(3))
        once = everything(wired)
        answers.append(send())
    else:
        answers.append(send())
        once = everything(wired)
        answers += [send(), send()]
    yield answers
    assert everything(wired) == once
    assert list(violations(wired.uow)) == []


@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
def test_a_message(office: Application, at_once: bool) -> None:
    """Two cases wait: only one of them gets it."""
    published(office, straight(start(), catch("wait", MESSAGE), person("b"), end()), BESIDE)
    cases = [begun(office) for _ in range(2)]
    command = ReceiveMessage(SYSTEM, "paid", {"n": 1}, unique_key="k", life=MONTH)
    with thrice(office, lambda: office.uow.run(receive_message, command), at_once) as answers:
        assert len({(each.id, each.state, each.case_id) for each in answers}) == 1
    with office.uow.read() as session:
        assert len(session.scalars(select(Message)).all()) == 1
    moved = [case for case in cases if _passed(office, case, "wait")]
    assert [case.id for case in moved] == [answers[0].case_id]


def _passed(wired: Application, case: Case, element: str) -> int:
    """How often the case has passed the element."""
    with wired.uow.read() as session:
        rows = session.scalars(
            select(Event.details).where(Event.case_id == case.id, Event.kind == "process_advanced")
        )
        return sum(each["passed"].count(element) for each in rows)


@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
def test_a_message_that_begins_a_case(office: Application, at_once: bool) -> None:
    published(office, straight(start("begin", MESSAGE), person("b"), end()), BESIDE)
    command = ReceiveMessage(SYSTEM, "paid", {}, unique_key="k", applicant="citizen")
    with thrice(office, lambda: office.uow.run(receive_message, command), at_once):
        pass
    with office.uow.read() as session:
        assert len(session.scalars(select(Case)).all()) == 1


# Routes are made with the first requests, in whichever thread.
@pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")
@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
def test_a_webhook(open_with: OpenOffice, clock: SettableClock, at_once: bool) -> None:
    office = open_with(**HOOK)
    published(office, WAITS, CORRELATED)
    case = begun(office, title="X-1")
    done(office, case, "a", "foi_officer")
    client, body = TestClient(create_app(office)), body_for()

    def deliver() -> Any:
        signed = {SIGNATURE: sign(SECRET, clock.now(), "d1", body), DELIVERY: "d1"}
        return client.post("/api/v1/webhooks/pay-desk", content=body, headers=signed)

    with thrice(office, deliver, at_once) as answers:
        assert len({(each.status_code, each.text) for each in answers}) == 1
        assert answers[0].status_code == 202
    assert _passed(office, case, "wait") == 1


@pytest.mark.parametrize("verb", ["complete", "failure", "bpmnError"])
def test_a_report_of_a_job_worker(office: Application, verb: str) -> None:
    """The second is told that the job is done, or no longer its own; nothing else happens."""
    add_worker(office)
    client = TestClient(create_app(office))
    caught = (
        '<bpmn:boundaryEvent id="c" attachedToRef="work"><bpmn:errorEventDefinition '
        'errorRef="er"/></bpmn:boundaryEvent><bpmn:endEvent id="e2"/>'
        '<bpmn:sequenceFlow id="x" sourceRef="c" targetRef="e2"/>'
    )
    beside = '<bpmn:error id="er" errorCode="E1"/>'
    deployed(client, model(job("work", "print"), job("more", "post"), beside=beside, inside=caught))
    started(client)
    (found,) = fetched(client, "print")
    more = {"errorCode": "E1", "errorMessage": "no paper", "retryTimeout": 60_000}
    with thrice(office, lambda: reported(client, found["id"], verb, **more), False) as answers:
        assert [each.status_code // 100 for each in answers] == [2, 4, 4]
        assert all(each.json()["message"] for each in answers[1:])


def test_a_timer(office: Application, clock: SettableClock) -> None:
    """The same leased job, fired three times: by a worker that was slow, and by others."""
    published(office, straight(start(), catch("wait", timer("PT1H")), person("b"), end()))
    case = begun(office)
    clock.advance(timedelta(hours=2))
    (leased,) = office.uow.run(jobs.lease_due, jobs.LeaseDue("one", ["timers"], 5))
    command = FireTimer("one", leased.id, case.id)
    with thrice(office, lambda: office.uow.run(fire_timer, command), False) as answers:
        assert answers == [True, False, False]
    assert _passed(office, case, "wait") == 1
    assert open_task(office, case).element == "b"


def test_a_job_that_three_workers_have(office: Application) -> None:
    """Their leases ended one after the other, and all of them go on."""
    filed(office)
    (leased,) = office.uow.run(jobs.lease_due, jobs.LeaseDue("one", ["letters"], 5))
    with thrice(office, lambda: job_runner._run(office.uow, "one", leased), False):
        pass
    with office.uow.read() as session:
        (letter,) = session.scalars(select(Letter))
        mails = session.scalars(select(Job).where(Job.kind == "mail")).all()
    assert (letter.state, len(mails)) == ("sent", 1)


def test_wake_ups(office: Application, clock: SettableClock) -> None:
    """Every worker is woken three times at once for all that is due."""
    published(office, straight(start(), catch("wait", timer("PT1H")), person("b"), end()))
    cases = [begun(office) for _ in range(12)]
    clock.advance(timedelta(hours=2))
    celery = make_celery(None, office.run_due)
    wakes = [[queue] for queue in queue_names()] * 3
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(celery.tasks[WAKE], wakes))
    drain(office)
    assert [_passed(office, case, "wait") for case in cases] == [1] * 12
    once = everything(office)
    for queues in wakes:
        assert celery.tasks[WAKE](queues) == 0
    assert everything(office) == once
    assert list(violations(office.uow)) == []


def test_a_job_promised_three_times_is_one(office: Application) -> None:
    def promise(work: Any, key: str) -> None:
        jobs.promise(work, "message", key, {"message_id": "none"})

    key = new_id()
    for _ in range(3):
        office.uow.run(promise, key)
    with office.uow.read() as session:
        assert len(session.scalars(select(Job).where(Job.unique_key == key)).all()) == 1
