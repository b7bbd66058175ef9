"""Incidents and repair: nothing half done, everything audited, and the case goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.kernel.clock import SettableClock
from engine.kernel.errors import ExecutionFailed, IncidentResolved, NotAllowed, ReasonMissing
from engine.store.audit import first_broken_event
from engine.store.tables import Case, CaseState, Event, Incident, Task
from engine.usecases.external_jobs import FetchJobs, Topic, fetch_jobs
from engine.usecases.incidents import RetryIncident, retry_incident
from engine.usecases.job_reports import FailJob, fail_job
from engine.usecases.job_runner import run_due
from engine.usecases.repair import (
    CorrectData,
    MoveToken,
    SkipPlace,
    correct_data,
    move_token,
    skip_place,
)
from tests.support.play import actor, done, open_task
from tests.support.small_package import begun, person, published
from tests.unit.bpmn.coverage.play import catch, end, script, start, straight, timer
from tests.usecases.test_messages import JOB

FAILS = straight(start(), person("a"), script("divide", "x = 1 / divisor"), person("b"), end())


def incidents(wired: Application) -> list[Incident]:
    with wired.uow.read() as session:
        return list(session.scalars(select(Incident)))


def failed(wired: Application) -> tuple[Case, Incident]:
    """A case whose script has just failed behind the task ``a``."""
    published(wired, FAILS)
    case = begun(wired)
    with pytest.raises(ExecutionFailed):
        done(wired, case, "a", "foi_officer", note="typed")
    (incident,) = incidents(wired)
    return case, incident


def test_a_failing_step_is_rolled_back_and_becomes_an_incident(office: Application) -> None:
    case, incident = failed(office)
    assert (incident.element, incident.reason, incident.source) == (
        "divide", "expression_failed", "task",
    )  # fmt: skip
    assert incident.payload["answers"] == {"note": "typed"}
    assert open_task(office, case).element == "a"
    with pytest.raises(ExecutionFailed):
        office.uow.run(retry_incident, RetryIncident(actor(office, "admin"), incident.id))
    assert len(incidents(office)) == 1


def test_data_is_corrected_and_the_step_done_again(office: Application) -> None:
    case, incident = failed(office)
    admin = actor(office, "admin")
    office.uow.run(correct_data, CorrectData(admin, case.id, {"divisor": 4}, "was missing"))
    office.uow.run(retry_incident, RetryIncident(admin, incident.id))
    assert open_task(office, case).element == "b"
    with office.uow.read() as session:
        data = session.get_one(CaseState, case.id).data
        assert (data["x"], data["a"]) == (0.25, {"note": "typed"})
        kinds = session.scalars(
            select(Event.kind).where(Event.case_id == case.id).order_by(Event.number)
        ).all()
        assert first_broken_event(session, case.id) is None
    assert [k for k in kinds if k in ("data_corrected", "incident_resolved")] == [
        "data_corrected", "incident_resolved",
    ]  # fmt: skip
    with pytest.raises(IncidentResolved):
        office.uow.run(retry_incident, RetryIncident(admin, incident.id))


def test_the_failing_activity_is_skipped_with_a_reason(office: Application) -> None:
    case, incident = failed(office)
    command = RetryIncident(actor(office, "admin"), incident.id, skip=True, note="not needed")
    office.uow.run(retry_incident, command)
    assert open_task(office, case).element == "b"
    assert incidents(office)[0].resolution == "skipped"


def test_a_timer_that_leads_into_a_failure_is_not_tried_blindly(
    office: Application, clock: SettableClock
) -> None:
    body = straight(
        start(), catch("later", timer("PT1H")), script("divide", "x = 1 / 0"), person("b"), end()
    )
    published(office, body)
    case = begun(office)
    clock.advance(timedelta(hours=2))
    while run_due(office.uow):
        pass
    (incident,) = incidents(office)
    assert (incident.element, incident.source) == ("divide", "job")
    admin = actor(office, "admin")
    office.uow.run(retry_incident, RetryIncident(admin, incident.id, skip=True, note="no"))
    while run_due(office.uow):
        pass
    assert open_task(office, case).element == "b"


def test_what_waits_is_skipped_or_moved(office: Application) -> None:
    published(office, straight(start(), person("a"), person("b"), person("c"), end()))
    case = begun(office)
    admin = actor(office, "admin")
    key = open_task(office, case).key
    office.uow.run(skip_place, SkipPlace(admin, case.id, key, "done on paper"))
    task = open_task(office, case)
    assert task.element == "b"
    office.uow.run(move_token, MoveToken(admin, case.id, task.key, "a", "begin again"))
    assert open_task(office, case).element == "a"
    with office.uow.read() as session:
        states = session.execute(
            select(Task.element, Task.state).where(Task.case_id == case.id)
        ).all()
    assert sorted(map(tuple, states)) == [("a", "cancelled"), ("a", "open"), ("b", "cancelled")]


def test_repair_wants_an_administrator_and_a_reason(small_office: Application) -> None:
    published(small_office, straight(start(), person("a"), end()))
    case = begun(small_office)
    key = open_task(small_office, case).key
    lead, admin = actor(small_office, "foi_lead"), actor(small_office, "admin")
    with pytest.raises(NotAllowed):
        small_office.uow.run(skip_place, SkipPlace(lead, case.id, key, "no"))
    with pytest.raises(ReasonMissing):
        small_office.uow.run(skip_place, SkipPlace(admin, case.id, key, " "))
    with pytest.raises(NotAllowed):
        small_office.uow.run(skip_place, SkipPlace(SYSTEM, case.id, key, "no"))


def test_a_job_worker_that_gives_up_leaves_an_incident(office: Application) -> None:
    published(office, straight(start(), JOB, person("b"), end()))
    begun(office)
    for _ in range(2):
        (job,) = office.uow.run(fetch_jobs, FetchJobs("w1", [Topic("print")]))
        office.uow.run(fail_job, FailJob(SYSTEM, "w1", job.id, "no paper"))
    assert office.uow.run(fetch_jobs, FetchJobs("w1", [Topic("print")])) == []
    assert [(each.element, each.reason) for each in incidents(office)] == [("work", "job_failed")]
