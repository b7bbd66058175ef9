"""The official npm client, unmodified, against a real server on a real socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.main import create_app
from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.tables import Case, CaseState, Incident
from tests.conftest import leave_out
from tests.support.browser import served
from tests.support.engine_rest import (
    ADMIN,
    ROOT,
    WORKER,
    add_worker,
    deployed,
    fetched,
    job,
    model,
    person,
    reported,
    started,
)
from tests.support.node import Program, installed, running

FOLDER = Path(__file__).parent / "client"
PAPER = b"%PDF-1.4\n" + bytes(range(256)) * 20
ERROR = '<bpmn:error id="refused" errorCode="REFUSED"/>'
CAUGHT = (
    '<bpmn:boundaryEvent id="b" attachedToRef="work"><bpmn:errorEventDefinition '
    'errorRef="refused" camunda:errorMessageVariable="why"/></bpmn:boundaryEvent>'
    f'{person("look")}<bpmn:endEvent id="e2"/>'
    '<bpmn:sequenceFlow id="g1" sourceRef="b" targetRef="look"/>'
    '<bpmn:sequenceFlow id="g2" sourceRef="look" targetRef="e2"/>'
)


@pytest.fixture
def program(small_office: Application, tmp_path: Path) -> Iterator[tuple[Program, TestClient]]:
    """The worker in Node, already polling, and a client for the test's own requests."""
    missing = installed(FOLDER)
    if missing is not None:
        leave_out(missing)
    add_worker(small_office)
    paper = tmp_path / "permit.pdf"
    paper.write_bytes(PAPER)
    with served(small_office) as address, TestClient(create_app(small_office)) as client:
        url = f"{address}{ROOT}"
        with running(FOLDER, "worker.mjs", url, *WORKER, str(paper)) as worker:
            worker.heard("ready")
            yield worker, client


def closed(wired: Application, case_id: str) -> dict[str, object]:
    """The case's data, once it has ended."""
    for _ in range(200):
        with wired.uow.read() as session:
            if session.get_one(Case, case_id).state == "closed":
                data: dict[str, object] = session.get_one(CaseState, case_id).data
                return data
        time.sleep(0.05)
    raise AssertionError("the case has not ended")


def test_variables_of_every_type_go_there_and_back(
    program: tuple[Program, TestClient], small_office: Application
) -> None:
    worker, client = program
    assert deployed(client, model(job("first", "write"), job("second", "read"))).status_code == 200
    case_id = started(client, begun={"type": "Boolean", "value": True})
    worker.heard("written")
    seen = worker.heard("read")
    assert seen["types"] == {
        "begun": "boolean",
        "text": "string",
        "whole": "integer",
        "part": "double",
        "yes": "boolean",
        "nothing": "null",
        "json": "json",
        "at": "date",
        "long": "long",
        "small": "short",
        "bytes": "bytes",
        "paper": "file",
    }
    assert seen["at"] == "2026-11-24T10:00:00.123Z"
    assert seen["json"] == {"list": [1, {"deep": True}]}
    assert (seen["long"], seen["text"]) == (2**40, "海州")
    assert (seen["file"], seen["same"]) == ("permit.pdf", True)
    data = closed(small_office, case_id)
    assert data["at"] == "2026-11-24T10:00:00.123+00:00"
    assert not {"secret", "draft"} & set(data)
    assert all(line["array"] for line in worker.said if line["event"] == "poll")


def test_a_failure_is_tried_again_and_then_an_incident(
    program: tuple[Program, TestClient], small_office: Application
) -> None:
    worker, client = program
    deployed(client, model(job("work", "flaky")))
    started(client)
    tries = [worker.heard("failing") for _ in range(3)]
    assert [line["retries"] for line in tries] == [2, 1, 0]
    assert [line["message"] for line in tries] == [None, "out of order", "out of order"]
    for _ in range(100):
        with small_office.uow.read() as session:
            incidents = session.scalars(select(Incident.detail)).all()
        if incidents:
            break
        time.sleep(0.05)
    assert incidents == ["out of order"]


def test_a_bpmn_error_goes_to_the_boundary_event(
    program: tuple[Program, TestClient], small_office: Application
) -> None:
    _, client = program
    deployed(client, model(job("work", "refuse"), beside=ERROR, inside=CAUGHT))
    case_id = started(client)
    for _ in range(100):
        rows = client.get(f"{ROOT}/task", params={"processInstanceId": case_id}, auth=ADMIN).json()
        if rows:
            break
        time.sleep(0.05)
    assert [row["taskDefinitionKey"] for row in rows] == ["look"]
    with small_office.uow.read() as session:
        data = session.get_one(CaseState, case_id).data
    assert (data["why"], data["by"]) == ("too late", "node")


def test_locks_are_extended_given_back_and_taken(
    program: tuple[Program, TestClient], small_office: Application
) -> None:
    worker, client = program
    deployed(client, model(job("work", "slow")))
    case_id = started(client)
    refused = worker.heard("complete:error")
    # Only the second report of the same job is refused, in a way the client can read.
    assert (refused["status"], refused["type"], refused["code"]) == (404, "RestException", 0)
    refusals = {line["event"] for line in worker.said if line["event"].endswith(":error")}
    assert refusals == {"complete:error"}
    closed(small_office, case_id)


def test_a_lost_lock_is_told(
    program: tuple[Program, TestClient], small_office: Application, clock: SettableClock
) -> None:
    worker, client = program
    deployed(client, model(job("work", "steal")))
    case_id = started(client)
    held = worker.heard("holding")
    taken: list[dict[str, Any]] = []
    for _ in range(50):
        clock.advance(timedelta(minutes=1))
        taken = fetched(client, "steal", worker="thief")
        if taken:
            break  # the worker's own poll may have been quicker
    (mine,) = taken
    assert mine["id"] == held["id"]
    worker.tell("go on")
    lost = worker.heard("complete:error")
    assert (lost["status"], "thief" in lost["message"]) == (400, True)
    assert reported(client, mine["id"], "complete", worker="thief").status_code == 204
    closed(small_office, case_id)


def test_a_long_poll_wakes_within_a_second(
    program: tuple[Program, TestClient], small_office: Application
) -> None:
    worker, client = program
    deployed(client, model(job("first", "write"), job("second", "read")))
    time.sleep(1.5)  # the worker's poll has begun long before, and waits
    began = time.monotonic()
    started(client)
    assert worker.heard("written")["heard"] - began < 2.0
