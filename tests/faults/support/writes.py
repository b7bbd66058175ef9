"""Every route that writes, with a request that can be sent to it. All of it is for duplicates."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from api import portal
from api.demo.office import PASSWORD
from api.engine_rest import engine_rest
from api.main import create_app
from api.wiring import Application
from engine.kernel.errors import ExecutionFailed
from engine.kernel.ids import new_id
from engine.store.queries.definitions import newest
from engine.store.tables import (
    Case,
    Incident,
    Job,
    Notice,
    OfferedServiceRow,
    PackageVersion,
)
from engine.store.uow import Work
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask
from engine.usecases.complete import complete as complete_task
from engine.usecases.deploy import DeployModels, deploy
from engine.usecases.external_jobs import FetchJobs, Topic, fetch_jobs
from engine.usecases.recount import StartRecount, TurnRecount, start_recount, stop_recount
from engine.usecases.recount_choice import Wanted
from engine.usecases.repair import CorrectData, correct_data
from engine.usecases.start_instance import StartInstance, start_instance
from tests.support import engine_rest as camunda
from tests.support.play import REQUEST, actor, drain, filed, open_task
from tests.support.small_package import begun, files_of, person, published
from tests.unit.bpmn.coverage.play import catch, end, script, start, straight, timer

READ_BY_POST = frozenset(
    f"POST /engine-rest/{path}"
    for path in (
        "task", "task/count", "process-instance", "process-instance/count", "external-task",
        "external-task/count", "history/process-instance", "history/process-instance/count",
    )
)  # fmt: skip
"""Routes that only ask, as Camunda's clients do, with a body."""
PREVIEWS = frozenset({"POST /api/v1/recounts/preview", "POST /api/v1/calendars/{name}/preview"})
"""Routes that say what would happen."""
SAFE = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True)
class Sent:
    """A request of `user` (a program if it goes to /engine-rest)."""

    user: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)


Prepare = Callable[[Application], Sent]


def routes_that_write(wired: Application) -> set[str]:
    """``METHOD /path`` of every route of the product that may change something."""
    described = create_app(wired).openapi()["paths"]
    found = {f"{m.upper()} {path}" for path, methods in described.items() for m in methods}
    found |= {f"{m} {r.path}" for r in _walk(portal.router.routes) for m in r.methods}
    inner = _walk(engine_rest(wired).routes)
    found |= {f"{m} /engine-rest{r.path}" for r in inner for m in r.methods}
    return {line for line in found if line.split(" ")[0] not in SAFE} - READ_BY_POST - PREVIEWS


def _walk(routes: Any) -> Iterator[Any]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _walk(inner.routes)
        elif hasattr(route, "methods"):
            yield route


# The JSON interface


def _task(wired: Application, claimed: bool = False) -> str:
    task = open_task(wired, filed(wired))
    if claimed:
        wired.uow.run(claim, ClaimTask(actor(wired, "foi_officer"), task.id))
    return task.id


def _versions(wired: Application) -> list[str]:
    with wired.uow.read() as session:
        return list(session.scalars(select(PackageVersion.id)))


def _failed(wired: Application) -> str:
    """The id of an incident that would not fail again."""
    # Another model each time, so that it takes the service over.
    divide = script("b", f"x = 1 / n + {len(_versions(wired))}")
    published(wired, straight(start(), person("a"), divide, person("c"), end()))
    case = begun(wired)
    task, who = open_task(wired, case), actor(wired, "foi_officer")
    wired.uow.run(claim, ClaimTask(who, task.id))
    try:
        wired.uow.run(complete_task, CompleteTask(who, task.id, {}))
    except ExecutionFailed:
        wired.uow.run(correct_data, CorrectData(actor(wired, "admin"), case.id, {"n": 2}, "x"))
    with wired.uow.read() as session:
        found: str = session.scalars(select(Incident.id).where(Incident.case_id == case.id)).one()
    return found


def _archive(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def _package(wired: Application) -> Sent:
    files = files_of(straight(start(), person("a"), end()), service="S004", key="fresh")
    return Sent("designer", "/api/v1/packages", {"files": {"file": ("p.zip", _archive(files))}})


def _migration(wired: Application) -> Sent:
    source = published(wired, straight(start(), person("a"), end()))
    begun(wired)
    target = published(wired, straight(start(), person("a"), person("b"), end()))
    body = {"source_id": source, "target_id": target, "apply": True}
    return Sent("designer", "/api/v1/migrations", {"json": body})


def _signal(wired: Application) -> Sent:
    body = straight(start(), catch("wait", '<bpmn:signalEventDefinition signalRef="sg"/>'), end())
    published(wired, body, '<bpmn:signal id="sg" name="storm"/>')
    begun(wired)
    return Sent("admin", "/api/v1/signals", {"json": {"name": "storm"}})


def _repair(wired: Application) -> Sent:
    case = filed(wired)
    body = {"verb": "skip", "key": open_task(wired, case).key, "reason": "on paper"}
    return Sent("admin", f"/api/v1/cases/{case.id}/repairs", {"json": body})


def _user(wired: Application) -> Sent:
    body = {"user_name": "newcomer", "display_name": "New", "password": "a long pass phrase",
            "roles": ["caseworker"], "department": "FOI"}  # fmt: skip
    return Sent("admin", "/api/v1/users", {"json": body})


def _on_clock(wired: Application) -> Sent:
    body = {"reason": "征求意见", "pause": "third_party"}
    path = f"/api/v1/cases/{filed(wired).id}/clocks/legal/pause"
    return Sent("foi_officer", path, {"json": body})


def _receipt(wired: Application) -> Sent:
    body = {"received_at": "2026-01-05T10:00:00+08:00", "reason": "邮戳"}
    return Sent("foi_lead", f"/api/v1/cases/{filed(wired).id}/receipt", {"json": body})


def _recount(wired: Application, verb: str) -> Sent:
    who = actor(wired, "manager")
    row = wired.uow.run(start_recount, StartRecount(who, Wanted()))
    if verb == "resume":
        wired.uow.run(stop_recount, TurnRecount(who, row.id))
    return Sent("manager", f"/api/v1/recounts/{row.id}/{verb}")


def _unread(wired: Application) -> Sent:
    case = filed(wired)

    def write(work: Work, _: None) -> None:
        notice = Notice(
            id=new_id(), case_id=case.id, clock="legal", rung="-3wd", due_at=work.now,
            department="FOI", text={}, created_at=work.now,
        )  # fmt: skip
        work.session.add(notice)

    wired.uow.run(write, None)
    return Sent("foi_officer", "/api/v1/notices/read", {"json": {}})


REST: dict[str, Prepare] = {
    "POST /api/v1/cases/{case_id}/clocks/{key}/{verb}": _on_clock,
    "POST /api/v1/cases/{case_id}/receipt": _receipt,
    "POST /api/v1/recounts": lambda wired: Sent("manager", "/api/v1/recounts", {"json": {}}),
    "POST /api/v1/recounts/{recount_id}/stop": lambda wired: _recount(wired, "stop"),
    "POST /api/v1/recounts/{recount_id}/resume": lambda wired: _recount(wired, "resume"),
    "POST /api/v1/notices/read": _unread,
    "POST /api/v1/cases": lambda wired: Sent(
        "citizen", "/api/v1/cases", {"json": {"service": "F001", "answers": REQUEST}}
    ),
    "POST /api/v1/tasks/next": lambda wired: Sent(
        "foi_officer", f"/api/v1/tasks/next?case={_task(wired)}"
    ),
    "POST /api/v1/tasks/{task_id}/claim": lambda wired: Sent(
        "foi_officer", f"/api/v1/tasks/{_task(wired)}/claim"
    ),
    "POST /api/v1/tasks/{task_id}/unclaim": lambda wired: Sent(
        "foi_officer", f"/api/v1/tasks/{_task(wired, claimed=True)}/unclaim"
    ),
    "POST /api/v1/tasks/{task_id}/complete": lambda wired: Sent(
        "foi_officer",
        f"/api/v1/tasks/{_task(wired, claimed=True)}/complete",
        {"data": {"outcome": "accept"}, "files": {"attachment": ("a.pdf", b"%PDF-1.7 a")}},
    ),
    "POST /api/v1/cases/{case_id}/repairs": _repair,
    "POST /api/v1/incidents/{incident_id}/retry": lambda wired: Sent(
        "admin", f"/api/v1/incidents/{_failed(wired)}/retry", {"json": {"note": "mended"}}
    ),
    "POST /api/v1/incidents/retry": lambda wired: Sent(
        "admin", "/api/v1/incidents/retry", {"json": {"ids": [_failed(wired)], "apply": True}}
    ),
    "POST /api/v1/messages": lambda wired: Sent(
        "admin", "/api/v1/messages", {"json": {"name": "paid", "life_seconds": 600}}
    ),
    "POST /api/v1/signals": _signal,
    "POST /api/v1/migrations": _migration,
    "POST /api/v1/packages": _package,
    "POST /api/v1/users": _user,
    "PATCH /api/v1/users/{user_id}": lambda wired: Sent(
        "admin", f"/api/v1/users/{actor(wired, 'roads').user_id}", {"json": {"active": False}}
    ),
    "PUT /api/v1/me/locale": lambda wired: Sent(
        "citizen", "/api/v1/me/locale", {"json": {"locale": "en"}}
    ),
}


# /engine-rest

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
    _signal(wired)
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


def restored(wired: Application) -> None:
    """Let the service F001 be taken again by the package it ships with."""

    def offer(work: Work, _: None) -> None:
        shipped = select(PackageVersion.id).where(PackageVersion.key == "information_request")
        row = work.session.get_one(OfferedServiceRow, "F001")
        row.package_version_id = work.session.scalars(shipped).one()

    wired.uow.run(offer, None)
