"""Messages: delivered once, now or later, to the case that waits for them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.domain.variables import Variables
from engine.kernel.clock import SettableClock
from engine.kernel.errors import MessageRefused
from engine.store.tables import Case, CaseState, ExternalJob, Message, Subscription
from engine.usecases.external_jobs import FetchJobs, Topic, fetch_jobs
from engine.usecases.job_reports import CompleteJob, complete_job
from engine.usecases.messages import ReceiveMessage, SendSignal, receive_message, send_signal
from tests.support.play import done, drain, open_task
from tests.support.small_package import begun, person, published
from tests.unit.bpmn.coverage.play import catch, end, start, straight, throw

MESSAGE = '<bpmn:messageEventDefinition messageRef="paid"/>'
SIGNAL = '<bpmn:signalEventDefinition signalRef="storm"/>'
BESIDE = '<bpmn:message id="paid" name="paid"/><bpmn:signal id="storm" name="storm"/>'
WAITS = straight(start(), person("a"), catch("wait", MESSAGE), person("b"), end())
MONTH = timedelta(days=30)


def sent(wired: Application, key: str, life: timedelta = MONTH, **data: object) -> Message:
    command = ReceiveMessage(SYSTEM, "paid", data, unique_key=key, life=life)
    return wired.uow.run(receive_message, command)


def test_a_message_reaches_the_case_that_waits_and_only_once(office: Application) -> None:
    published(office, WAITS, BESIDE)
    first, second = begun(office), begun(office)
    for case in (first, second):
        done(office, case, "a", "foi_officer")
    message = sent(office, "k1", amount=5)
    assert (message.state, message.case_id) == ("delivered", first.id)
    assert sent(office, "k1", amount=5).id == message.id
    assert open_task(office, first).element == "b"
    with office.uow.read() as session:
        waiting = session.scalars(select(Subscription.case_id)).all()
    assert waiting == [second.id]


def test_a_message_that_comes_first_waits_for_its_receiver(office: Application) -> None:
    published(office, WAITS, BESIDE)
    case = begun(office)
    assert sent(office, "k1", amount=5).state == "waiting"
    done(office, case, "a", "foi_officer")
    drain(office)
    assert open_task(office, case).element == "b"
    with office.uow.read() as session:
        assert session.scalars(select(Message.state)).all() == ["delivered"]


def test_a_message_lives_only_so_long(office: Application, clock: SettableClock) -> None:
    published(office, WAITS, BESIDE)
    case = begun(office)
    assert sent(office, "now", timedelta(0)).state == "expired"
    sent(office, "short", timedelta(hours=1))
    clock.advance(timedelta(hours=2))
    done(office, case, "a", "foi_officer")
    drain(office)
    with office.uow.read() as session:
        assert session.get_one(Case, case.id).state == "open"
        assert session.scalar(select(Subscription.name)) == "paid"


def test_a_correlation_chooses_the_case(office: Application) -> None:
    zeebe = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    beside = (
        f'<bpmn:message id="paid" name="paid"><bpmn:extensionElements><zeebe:subscription {zeebe} '
        'correlationKey="=a.number"/></bpmn:extensionElements></bpmn:message>'
    )
    published(office, WAITS, beside)
    cases = [begun(office), begun(office)]
    for number, case in enumerate(cases):
        done(office, case, "a", "foi_officer", number=f"n{number}")
    command = ReceiveMessage(SYSTEM, "paid", {}, correlation="n1", life=MONTH)
    assert office.uow.run(receive_message, command).case_id == cases[1].id
    command = ReceiveMessage(SYSTEM, "paid", {}, correlation="n9", life=MONTH)
    assert office.uow.run(receive_message, command).state == "waiting"


def test_a_signal_reaches_every_case_that_listens(office: Application) -> None:
    body = straight(start(), catch("wait", SIGNAL), person("b"), end())
    published(office, body, BESIDE)
    cases = [begun(office), begun(office)]
    assert office.uow.run(send_signal, SendSignal(SYSTEM, "storm", {})) == 2
    drain(office)
    assert [open_task(office, case).element for case in cases] == ["b", "b"]


def test_one_case_sends_and_another_receives(office: Application) -> None:
    published(office, WAITS, BESIDE)
    waiting = begun(office)
    done(office, waiting, "a", "foi_officer")
    published(office, straight(start(), throw("say", MESSAGE), person("c"), end()), BESIDE)
    begun(office)
    drain(office)
    assert open_task(office, waiting).element == "b"


def test_a_message_begins_a_case(office: Application) -> None:
    published(office, straight(start("begin", MESSAGE), person("b"), end()), BESIDE)
    command = ReceiveMessage(SYSTEM, "paid", {"amount": 5}, unique_key="m", applicant="citizen")
    message = office.uow.run(receive_message, command)
    assert message.state == "delivered"
    assert office.uow.run(receive_message, command).case_id == message.case_id
    with office.uow.read() as session:
        case = session.get_one(Case, message.case_id)
        assert session.get_one(CaseState, case.id).data["amount"] == 5
        assert len(session.scalars(select(Case.id)).all()) == 1
    assert open_task(office, case).element == "b"
    nobody = ReceiveMessage(SYSTEM, "paid", {}, applicant="no such user")
    assert office.uow.run(receive_message, nobody).state == "expired"


@pytest.mark.parametrize("name", ["", "x" * 161])
def test_a_message_without_a_proper_name_is_refused(small_office: Application, name: str) -> None:
    with pytest.raises(MessageRefused):
        small_office.uow.run(receive_message, ReceiveMessage(SYSTEM, name, {}))


JOB = (
    '<bpmn:serviceTask id="work"><bpmn:extensionElements><zeebe:taskDefinition '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" type="print" retries="2"/>'
    "</bpmn:extensionElements></bpmn:serviceTask>"
)


def test_a_job_is_fetched_by_one_worker_and_reported(
    office: Application, clock: SettableClock
) -> None:
    published(office, straight(start(), JOB, person("b"), end()))
    case = begun(office)
    (job,) = office.uow.run(fetch_jobs, FetchJobs("w1", [Topic("print")]))
    assert office.uow.run(fetch_jobs, FetchJobs("w2", [Topic("print")])) == []
    clock.advance(timedelta(minutes=6))
    (again,) = office.uow.run(fetch_jobs, FetchJobs("w2", [Topic("print")]))
    assert again.id == job.id
    office.uow.run(complete_job, CompleteJob(SYSTEM, "w2", job.id, Variables({"pages": 3})))
    assert open_task(office, case).element == "b"
    with office.uow.read() as session:
        assert session.get_one(ExternalJob, job.id).state == "done"
