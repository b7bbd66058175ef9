"""Cases that always fail stop nobody else; each ends as an incident that can be taken up again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from api.cli import app
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.kernel.clock import SettableClock
from engine.kernel.errors import ExecutionFailed, NotAllowed, ReasonMissing
from engine.store import jobs
from engine.store.tables import Case, Incident, Job, Message
from engine.usecases.incidents import RetryIncident, retry_incident
from engine.usecases.invariants import violations
from engine.usecases.messages import ReceiveMessage, receive_message, take_message
from engine.usecases.repair import CorrectData, correct_data
from engine.usecases.retry_incidents import ChooseIncidents, choose_incidents
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.faults.support.people import browser
from tests.faults.test_delivered_twice import _passed as passed
from tests.support.play import actor, done, drain, filed, open_task
from tests.support.small_package import begun, person, published
from tests.support.smtp import smtp_server
from tests.unit.bpmn.coverage.play import boundary, catch, end, script, start, straight, timer
from tests.unit.bpmn.models import node, path

MESSAGE = '<bpmn:messageEventDefinition messageRef="paid"/>'
BESIDE = '<bpmn:message id="paid" name="paid"/>'
MONTH = timedelta(days=30)
# Fails unless the case's title is a good one.
FAILS = script("divide", "x = 1 / (1 if application['title'] == 'good' else 0)")
# What a hostile designer might think of; each is ended by a budget of its own.
HOSTILE = {
    "raises": "x = 1 / 0",
    "runs for ever": "while True:\n    pass",
    "grows": "x = 'a'\nwhile True:\n    x = x + x",
    "counts": "x = 1\nfor n in range(100000000):\n    x = x + n",
    "nests": "x = []\nfor n in range(5000):\n    x = [x]",
}


def incidents(wired: Application) -> list[Incident]:
    with wired.uow.read() as session:
        return list(session.scalars(select(Incident).order_by(Incident.created_at, Incident.id)))


def state_of(wired: Application, entity: Any, id_: str) -> str:
    with wired.uow.read() as session:
        found: str = session.get_one(entity, id_).state
        return found


def paid(wired: Application, key: str) -> Message:
    command = ReceiveMessage(SYSTEM, "paid", {"key": key}, unique_key=key, life=MONTH)
    return take_message(wired.uow, command)


def test_hostile_cases_among_others(office: Application, clock: SettableClock) -> None:
    """Every timer is due at once: those of the hostile end as incidents, the others go on."""
    cases = {}
    for name, source in HOSTILE.items():
        body = straight(start(), catch("wait", timer("PT1H")), script("evil", source), end())
        published(office, body)
        cases[name] = begun(office)
    published(office, straight(start(), catch("wait", timer("PT1H")), person("b"), end()))
    good = [begun(office) for _ in range(5)]
    clock.advance(timedelta(hours=2))
    drain(office)
    assert [open_task(office, case).element for case in good] == ["b"] * 5
    found = {each.case_id: each.element for each in incidents(office)}
    assert found == dict.fromkeys((case.id for case in cases.values()), "evil")
    assert list(violations(office.uow)) == []
    clock.advance(timedelta(days=1))
    drain(office)
    assert len(incidents(office)) == len(HOSTILE)


def test_a_receiver_that_fails_keeps_its_message_and_nobody_elses(office: Application) -> None:
    """It has waited longest: the first message is its own, and the next reaches the next case."""
    published(office, straight(start(), catch("wait", MESSAGE), FAILS, person("b"), end()), BESIDE)
    bad, good = begun(office, title="bad"), begun(office, title="good")
    held = paid(office, "m1")
    assert (held.state, held.case_id) == ("held", bad.id)
    assert paid(office, "m1").id == held.id
    assert paid(office, "m2").case_id == good.id
    assert open_task(office, good).element == "b"
    (incident,) = incidents(office)
    assert (incident.case_id, incident.element, incident.source) == (bad.id, "divide", "message")
    admin = actor(office, "admin")
    with pytest.raises(ExecutionFailed):
        office.uow.run(retry_incident, RetryIncident(admin, incident.id))
    mend = CorrectData(admin, bad.id, {"application": {"title": "good"}}, "a slip")
    office.uow.run(correct_data, mend)
    office.uow.run(retry_incident, RetryIncident(admin, incident.id))
    assert open_task(office, bad).element == "b"
    assert state_of(office, Message, held.id) == "delivered"
    assert list(violations(office.uow)) == []


def test_a_message_that_waited_meets_a_receiver_that_fails(office: Application) -> None:
    """It is delivered by a job, which must not try again and again."""
    body = straight(start(), person("a"), catch("wait", MESSAGE), FAILS, person("b"), end())
    published(office, body, BESIDE)
    message = paid(office, "m1")
    bad, good = begun(office, title="bad"), begun(office, title="good")
    done(office, bad, "a", "foi_officer")
    drain(office)
    assert [each.case_id for each in incidents(office)] == [bad.id]
    assert state_of(office, Message, message.id) == "held"
    done(office, good, "a", "foi_officer")
    assert paid(office, "m2").case_id == good.id
    with office.uow.read() as session:
        assert {job.state for job in session.scalars(select(Job))} == {"done"}
    assert list(violations(office.uow)) == []


def test_more_than_a_page_of_receivers_that_fail(small_office: Application) -> None:
    office = small_office
    published(office, straight(start(), catch("wait", MESSAGE), FAILS, person("b"), end()), BESIDE)
    for number in range(25):
        begun(office, title=f"bad {number}")
    good = begun(office, title="good")
    states = [paid(office, f"m{number}").state for number in range(26)]
    assert states == ["held"] * 25 + ["delivered"]
    assert open_task(office, good).element == "b"


def test_a_mail_that_cannot_be_sent_becomes_an_incident(
    open_with: Any, clock: SettableClock
) -> None:
    """After six tries; meanwhile the others are sent. Taken up again, it is sent too."""
    refused = ["451 not now"] * (jobs.MAX_ATTEMPTS + 1)
    with smtp_server(*refused) as server:
        office = open_with(BANSHI_SMTP_URL=f"smtp://127.0.0.1:{server.server_address[1]}")
        case = filed(office)
        for _ in range(jobs.MAX_ATTEMPTS + 2):
            drain(office)
            clock.advance(jobs.LONGEST_WAIT)
        (incident,) = incidents(office)
        assert (incident.case_id, incident.source, incident.reason) == (case.id, "job", "given_up")
        assert incident.element
        assert "451" in incident.detail
        tried = len(refused) - len(server.refusals)
        assert tried == jobs.MAX_ATTEMPTS
        server.refusals.clear()
        other = filed(office)
        drain(office)
        assert len(server.mails) == 1
        office.uow.run(retry_incident, RetryIncident(actor(office, "admin"), incident.id))
        drain(office)
        assert len(server.mails) == 2
    assert state_of(office, Case, other.id) == "open"
    assert list(violations(office.uow)) == []


def test_a_mail_that_nobody_wants_any_more_is_given_up(
    open_with: Any, clock: SettableClock
) -> None:
    with smtp_server(*["451 not now"] * 20) as server:
        office = open_with(BANSHI_SMTP_URL=f"smtp://127.0.0.1:{server.server_address[1]}")
        filed(office)
        for _ in range(jobs.MAX_ATTEMPTS + 2):
            drain(office)
            clock.advance(jobs.LONGEST_WAIT)
        (incident,) = incidents(office)
        admin, left = actor(office, "admin"), len(server.refusals)
        with pytest.raises(ReasonMissing):
            office.uow.run(retry_incident, RetryIncident(admin, incident.id, skip=True))
        skip = RetryIncident(admin, incident.id, skip=True, note="told by telephone")
        assert office.uow.run(retry_incident, skip).resolution == "skipped"
        drain(office)
        assert len(server.refusals) == left


def test_a_job_that_kills_its_workers_is_taken_alone_and_then_given_up(
    office: Application, clock: SettableClock
) -> None:
    """Those leased beside it are not taken down with it for ever."""
    published(office, straight(start(), catch("wait", timer("PT1H")), person("b"), end()))
    deadly, *others = [begun(office) for _ in range(4)]
    clock.advance(timedelta(hours=2))
    deaths = 0
    while not incidents(office):
        wanted = jobs.LeaseDue(f"w{deaths}", ["timers"], 50)
        leased = office.uow.run(jobs.lease_due, wanted)
        if any(job.case_id == deadly.id for job in leased) and deaths < jobs.MOST_DEATHS:
            deaths += 1  # the worker dies before it has done anything
            clock.advance(jobs.LEASE + timedelta(seconds=1))
            continue
        office.uow.run(jobs.release, jobs.Leases(f"w{deaths}", [job.id for job in leased]))
        drain(office)
    assert [open_task(office, case).element for case in others] == ["b"] * 3
    (incident,) = incidents(office)
    assert (incident.case_id, incident.reason) == (deadly.id, "worker_died")
    assert passed(office, deadly, "wait") == 0
    # The operator has put right what killed the workers.
    office.uow.run(retry_incident, RetryIncident(actor(office, "admin"), incident.id))
    drain(office)
    assert open_task(office, deadly).element == "b"
    assert list(violations(office.uow)) == []


def failed(wired: Application, count: int, mended: int) -> list[Case]:
    """Cases whose step behind ``a`` has failed; the first `mended` would not fail again."""
    published(
        wired, straight(start(), person("a"), script("divide", "x = 1 / n"), person("b"), end())
    )
    cases = [begun(wired) for _ in range(count)]
    admin = actor(wired, "admin")
    for number, case in enumerate(cases):
        with pytest.raises(ExecutionFailed):
            done(wired, case, "a", "foi_officer")
        if number < mended:
            wired.uow.run(correct_data, CorrectData(admin, case.id, {"n": 2}, "was missing"))
    return cases


def test_one_many_and_all_are_taken_up(office: Application, clock: SettableClock) -> None:
    """Looked at first; then each for itself, with what came of it."""
    cases = failed(office, 5, mended=3)
    admin = browser(office, "admin")
    admin.headers["Accept-Language"] = "en"
    ids = {each.case_id: each.id for each in incidents(office)}

    def retry(**body: Any) -> list[tuple[str, str]]:
        answer = admin.post("/api/v1/incidents/retry", json=body)
        assert answer.status_code == 200, answer.text
        assert all(each["message"] for each in answer.json()["items"])
        return [(each["case_id"], each["result"]) for each in answer.json()["items"]]

    expected = ["goes_on"] * 3 + ["fails"] * 2
    assert retry() == list(zip((case.id for case in cases), expected, strict=True))
    assert {each.state for each in incidents(office)} == {"open"}
    one = admin.post(f"/api/v1/incidents/{ids[cases[0].id]}/retry", json={})
    assert one.status_code == 200, one.text
    many = [ids[cases[0].id], ids[cases[1].id], ids[cases[3].id]]
    assert retry(ids=many) == [(cases[1].id, "goes_on"), (cases[3].id, "fails")]
    assert retry(ids=many, apply=True) == [(cases[1].id, "retried"), (cases[3].id, "fails")]
    assert retry(element="elsewhere", apply=True) == []
    assert retry(element="divide", apply=True) == [
        (cases[2].id, "retried"), (cases[3].id, "fails"), (cases[4].id, "fails"),
    ]  # fmt: skip
    assert [open_task(office, case).element for case in cases] == ["b"] * 3 + ["a"] * 2
    refused = admin.post("/api/v1/incidents/retry", json={"skip": True, "apply": True})
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_missing")
    skipped = retry(skip=True, note="not needed", apply=True)
    assert skipped == [(cases[3].id, "skipped"), (cases[4].id, "skipped")]
    assert [open_task(office, case).element for case in cases] == ["b"] * 5
    assert retry() == []
    assert list(violations(office.uow)) == []


def test_a_preview_knows_what_only_trying_shows(office: Application, clock: SettableClock) -> None:
    timed = straight(start(), catch("wait", timer("PT1H")), script("divide", "x = 1 / n"), end())
    published(office, timed)
    for value in (1, 0):
        case = begun(office)
        clock.advance(timedelta(hours=2))
        drain(office)
        command = CorrectData(actor(office, "admin"), case.id, {"n": value}, "x")
        office.uow.run(correct_data, command)
    admin = browser(office, "admin")
    found = admin.post("/api/v1/incidents/retry", json={}).json()["items"]
    assert [each["result"] for each in found] == ["goes_on", "fails"]
    applied = admin.post("/api/v1/incidents/retry", json={"apply": True}).json()["items"]
    # A timer is given back to the workers, who meet the fault again.
    assert [each["result"] for each in applied] == ["retried", "retried"]
    drain(office)
    assert [each.state for each in incidents(office)] == ["resolved", "resolved", "open"]


def test_only_an_administrator_chooses(small_office: Application) -> None:
    with pytest.raises(NotAllowed):
        small_office.uow.run(choose_incidents, ChooseIncidents(actor(small_office, "foi_lead")))


def test_a_message_without_a_case_that_waits_is_kept(small_office: Application) -> None:
    """`take_message` does what `receive_message` does when nothing fails."""
    command = ReceiveMessage(SYSTEM, "paid", {}, unique_key="k", life=MONTH)
    first = take_message(small_office.uow, command)
    assert small_office.uow.run(receive_message, command).id == first.id
    assert first.state == "waiting"


def test_a_failed_timer_that_is_no_longer_waited_for(
    office: Application, clock: SettableClock
) -> None:
    """The task it belonged to was completed, or the case withdrawn: nothing is left over."""
    body = (
        node("startEvent", "s")
        + person("a")
        + boundary("late", "a", timer("PT1H"), interrupting=False)
        + script("divide", "x = 1 / 0")
        + node("endEvent", "e")
        + node("endEvent", "f")
        + path("s", "a", "e")
        + path("late", "divide", "f")
    )
    published(office, body)
    completed, withdrawn = begun(office), begun(office)
    clock.advance(timedelta(hours=2))
    drain(office)
    assert len(incidents(office)) == 2
    done(office, completed, "a", "foi_officer")
    citizen = actor(office, "citizen")
    office.uow.run(withdraw, WithdrawCase(citizen, withdrawn.id))
    assert list(violations(office.uow)) == []
    admin = actor(office, "admin")
    for incident in incidents(office):
        taken = office.uow.run(retry_incident, RetryIncident(admin, incident.id))
        assert taken.state == "resolved"
    drain(office)
    assert list(violations(office.uow)) == []


def test_the_shell_shows_and_takes_up_incidents(small_office: Application) -> None:
    cases = failed(small_office, 3, mended=2)
    environment = {
        "BANSHI_DATABASE_URL": small_office.settings.database_url,
        "BANSHI_DATA_DIR": str(small_office.settings.data_dir),
    }

    def told(*arguments: str) -> tuple[int, list[str]]:
        command = ["incidents", "--json", *arguments]
        made = CliRunner().invoke(app, command, env=environment)
        return made.exit_code, [each["result"] for each in json.loads(made.stdout or "[]")]

    assert told("--as", "admin") == (0, ["goes_on", "goes_on", "fails"])
    first = incidents(small_office)[0].id
    assert told("--as", "admin", "--retry", first) == (0, ["retried"])
    assert told("--as", "admin", "--retry") == (1, ["retried", "fails"])
    assert told("--as", "admin", "--skip", "--note", "not needed") == (0, ["skipped"])
    assert [open_task(small_office, case).element for case in cases] == ["b"] * 3
    for nobody in ("foi_lead", "no such user"):
        made = CliRunner().invoke(app, ["incidents", "--as", nobody], env=environment)
        assert (made.exit_code, bool(made.stdout.strip())) == (1, True)
