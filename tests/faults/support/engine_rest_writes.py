"""Requests that can be sent to the routes of /engine-rest that write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from api.demo.office import PASSWORD
from api.wiring import Application
from engine.store.queries.definitions import newest
from engine.store.tables import Case, Job
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.deploy import DeployModels, deploy
from engine.usecases.external_jobs import FetchJobs, Topic, fetch_jobs
from engine.usecases.start_instance import StartInstance, start_instance
from tests.faults.support.sent import Prepare, Sent
from tests.faults.support.writes import awaiting_signal
from tests.support import engine_rest as camunda
from tests.support.play import actor, drain, open_task
from tests.support.small_package import begun, published
from tests.unit.bpmn.coverage.play import catch, end, script, start, straight, timer

ROOT = camunda.ROOT
AUTH = {"robot": camunda.WORKER, "foi_officer": ("foi_officer", PASSWORD)}
MODELS = {
    "Working-1": camunda.model(
        camunda.job("work", "print"), camunda.person("look"), process="Working-1",
        beside='<bpmn:error id="er" errorCode="E1"/>',
        inside='<bpmn:boundaryEvent id="caught" attachedToRef="work"><bpmn:errorEventDefinition '
               'errorRef="er"/></bpmn:boundaryEvent><bpmn:endEvent id="e2"/>'
               '<bpmn:sequenceFlow id="x1" sourceRef="caught" targetRef="e2"/>',
    ),
    "Looking-1": camunda.model(camunda.person("look"), process="Looking-1"),
    "Waiting-1": camunda.model(
        '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="m"/>'
        "</bpmn:intermediateCatchEvent>",
        beside='<bpmn:message id="m" name="paid"/>', process="Waiting-1",
    ),
}  # fmt: skip


def _version(wired: Application, process: str) -> str:
    """The version that runs the process, deployed unless it is."""
    with wired.uow.read() as session:
        known = newest(session, process)
    if known is not None:
        return known.id
    command = DeployModels(actor(wired, "designer"), {f"{process}.bpmn": MODELS[process]})
    return wired.uow.run(deploy, command)[0].version.id


def _at(wired: Application, process: str) -> Case:
    """A case of the process that has just begun."""
    command = StartInstance(actor(wired, "admin"), _version(wired, process))
    return wired.uow.run(start_instance, command)


def _job(verb: str, **body: Any) -> Prepare:
    def prepare(wired: Application) -> Sent:
        case = _at(wired, "Working-1")
        found = wired.uow.run(fetch_jobs, FetchJobs("w1", [Topic("print")], 100))
        (id_,) = (each.id for each in found if each.case_id == case.id)
        path = f"{ROOT}/external-task/{id_}/{verb}"
        return Sent("robot", path, {"json": {"workerId": "w1"} | body})

    return prepare


def _administered(verb: str, **body: Any) -> Prepare:
    def prepare(wired: Application) -> Sent:
        sent = _job(verb)(wired)
        return Sent("admin", sent.path, {"json": body})

    return prepare


def _look(verb: str, claimed: bool, **body: Any) -> Prepare:
    def prepare(wired: Application) -> Sent:
        task = open_task(wired, _at(wired, "Looking-1")).id
        if claimed:
            wired.uow.run(claim, ClaimTask(actor(wired, "foi_officer"), task))
        return Sent("foi_officer", f"{ROOT}/task/{task}/{verb}", {"json": body})

    return prepare


def _started(by_id: bool) -> Prepare:
    def prepare(wired: Application) -> Sent:
        version = _version(wired, "Looking-1")
        which = f"Looking-1:1:{version}" if by_id else "key/Looking-1"
        path = f"{ROOT}/process-definition/{which}/start"
        return Sent("admin", path, {"json": {"businessKey": "b1"}})

    return prepare


def _fetch(wired: Application) -> Sent:
    _at(wired, "Working-1")
    topics = [{"topicName": "print", "lockDuration": 60_000}]
    body = {"workerId": "w1", "maxTasks": 3, "topics": topics}
    return Sent("robot", f"{ROOT}/external-task/fetchAndLock", {"json": body})


def _correlated(wired: Application) -> Sent:
    _at(wired, "Waiting-1")
    body = {"messageName": "paid", "resultEnabled": True}
    return Sent("admin", f"{ROOT}/message", {"json": body})


def _broadcast(wired: Application) -> Sent:
    awaiting_signal(wired)
    return Sent("admin", f"{ROOT}/signal", {"json": {"name": "storm"}})


def _failed_job(wired: Application) -> Sent:
    fails = straight(start(), catch("w", timer("PT1H")), script("b", "x = 1 / 0"), end())
    published(wired, fails)
    case = begun(wired)
    clock: Any = wired.ports.clock
    clock.advance(timedelta(hours=2))
    drain(wired)
    with wired.uow.read() as session:
        failed = select(Job.id).where(Job.state == "failed", Job.case_id == case.id)
        id_ = session.scalars(failed).one()
    return Sent("admin", f"{ROOT}/job/{id_}/retries", {"json": {"retries": 1}})


def _deployment(wired: Application) -> Sent:
    model = camunda.model(camunda.person("look"), process="Fresh-1")
    body = {"files": {"o.bpmn": ("o.bpmn", model)}, "data": {"deployment-name": "o"}}
    return Sent("designer", f"{ROOT}/deployment/create", body)


CAMUNDA: dict[str, Prepare] = {
    f"{method} /engine-rest{path}": prepare
    for (method, path), prepare in {
        ("POST", "/deployment/create"): _deployment,
        ("POST", "/process-definition/key/{key}/start"): _started(by_id=False),
        ("POST", "/process-definition/{id_}/start"): _started(by_id=True),
        ("POST", "/external-task/fetchAndLock"): _fetch,
        ("POST", "/external-task/{id_}/complete"): _job("complete"),
        ("POST", "/external-task/{id_}/failure"): _job("failure", errorMessage="no paper"),
        ("POST", "/external-task/{id_}/bpmnError"): _job("bpmnError", errorCode="E1"),
        ("POST", "/external-task/{id_}/lock"): _job("lock", lockDuration=60_000),
        ("POST", "/external-task/{id_}/extendLock"): _job("extendLock", newDuration=60_000),
        ("POST", "/external-task/{id_}/unlock"): _job("unlock"),
        ("PUT", "/external-task/{id_}/retries"): _administered("retries", retries=5),
        ("PUT", "/external-task/{id_}/priority"): _administered("priority", priority=7),
        ("POST", "/task/{id_}/claim"): _look("claim", False, userId="foi_officer"),
        ("POST", "/task/{id_}/unclaim"): _look("unclaim", True),
        ("POST", "/task/{id_}/complete"): _look("complete", True),
        ("POST", "/task/{id_}/submit-form"): _look("submit-form", True),
        ("POST", "/message"): _correlated,
        ("POST", "/signal"): _broadcast,
        ("PUT", "/job/{id_}/retries"): _failed_job,
    }.items()
}
