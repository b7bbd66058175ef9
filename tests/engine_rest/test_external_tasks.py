"""External tasks over HTTP, as job workers of any language use them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.tables import Case, CaseState, ExternalJob, Incident
from tests.support.engine_rest import (
    ADMIN,
    ROOT,
    WORKER,
    deployed,
    fetched,
    job,
    model,
    person,
    reported,
    started,
)

MAPPED = (
    "<camunda:inputOutput>"
    '<camunda:inputParameter name="greeting">Hello ${name}</camunda:inputParameter>'
    '<camunda:outputParameter name="answer">${reply}</camunda:outputParameter>'
    "</camunda:inputOutput>"
)
ERROR = '<bpmn:error id="refused" errorCode="REFUSED"/>'
CAUGHT = (
    '<bpmn:boundaryEvent id="b" attachedToRef="work"><bpmn:errorEventDefinition '
    'errorRef="refused" camunda:errorMessageVariable="why"/></bpmn:boundaryEvent>'
    f'{person("look")}<bpmn:endEvent id="e2"/>'
    '<bpmn:sequenceFlow id="g1" sourceRef="b" targetRef="look"/>'
    '<bpmn:sequenceFlow id="g2" sourceRef="look" targetRef="e2"/>'
)


def data_of(wired: Application, case_id: str) -> dict[str, Any]:
    with wired.uow.read() as session:
        made: dict[str, Any] = session.get_one(CaseState, case_id).data
        return made


def state_of(wired: Application, case_id: str) -> str:
    with wired.uow.read() as session:
        return session.get_one(Case, case_id).state


def test_a_worker_fetches_and_completes(client: TestClient, office: Application) -> None:
    assert deployed(client, model(job("work", "print"), versionTag="v7")).status_code == 200
    case_id = started(client, pages=3)
    (task,) = fetched(client, "print")
    with office.uow.read() as session:
        case = session.get_one(Case, case_id)
    assert task["processInstanceId"] == case_id
    assert task["businessKey"] == case.reference
    assert task["processDefinitionKey"] == "Order-1"
    assert task["processDefinitionVersionTag"] == "v7"
    assert (task["activityId"], task["topicName"], task["workerId"]) == ("work", "print", "w1")
    assert task["lockExpirationTime"] == "2026-03-02T01:10:00.000+0000"
    assert task["variables"]["pages"] == {"type": "Integer", "value": 3, "valueInfo": {}}
    assert "case" not in task["variables"]
    assert fetched(client, "print", worker="w2") == []
    sent = {"cost": {"type": "Double", "value": 4.5}}
    assert reported(client, task["id"], "complete", variables=sent).status_code == 204
    assert (state_of(office, case_id), data_of(office, case_id)["cost"]) == ("closed", 4.5)
    again = reported(client, task["id"], "complete")
    assert (again.status_code, again.json()["type"]) == (404, "RestException")


def test_two_topics_are_fetched_each_with_its_own_lock(
    client: TestClient, office: Application
) -> None:
    deployed(client, model(job("work", "print")))
    deployed(client, model(job("work", "scan"), process="Scan"), "scan.bpmn")
    started(client)
    started(client, "Scan", colour="red", secret=1)
    rows = fetched(
        client,
        {"topicName": "print", "lockDuration": 1_000},
        {"topicName": "scan", "lockDuration": 60_000, "variables": ["colour"]},
    )
    locks = {row["topicName"]: row["lockExpirationTime"] for row in rows}
    assert locks == {
        "print": "2026-03-02T01:00:01.000+0000",
        "scan": "2026-03-02T01:01:00.000+0000",
    }
    (scan,) = (row for row in rows if row["topicName"] == "scan")
    assert list(scan["variables"]) == ["colour"]


def test_jobs_come_by_priority_and_age(client: TestClient, office: Application) -> None:
    deployed(client, model(job("work", "print", taskPriority="${urgency}")))
    cases = [started(client, urgency=n) for n in (1, 50, 7)]

    def order(**more: Any) -> list[int]:
        rows = fetched(client, "print", maxTasks=3, **more)
        for row in rows:
            client.post(f"{ROOT}/external-task/{row['id']}/unlock", auth=WORKER)
        return [cases.index(row["processInstanceId"]) for row in rows]

    assert order() == [0, 1, 2]
    assert order(usePriority=True) == [1, 2, 0]
    assert order(sorting=[{"sortBy": "createTime", "sortOrder": "desc"}]) == [2, 1, 0]
    (first,) = fetched(client, "print", maxTasks=1, usePriority=True)
    assert first["priority"] == 50


FILTERS: list[tuple[dict[str, Any], bool]] = [
    ({"processDefinitionKey": "Order-1"}, True),
    ({"processDefinitionKey": "Other"}, False),
    ({"processDefinitionKeyIn": ["Other", "Order-1"]}, True),
    ({"processDefinitionVersionTag": "v7"}, True),
    ({"processDefinitionVersionTag": "v8"}, False),
    ({"processDefinitionIdIn": ["Order-1:1:nothing"]}, False),
    ({"businessKey": "PO-5"}, True),
    ({"businessKey": "PO-6"}, False),
    ({"processVariables": {"colour": "red"}}, True),
    ({"processVariables": {"colour": "blue"}}, False),
    ({"processVariables": {"missing": None}}, False),
    ({"tenantIdIn": ["t"]}, False),
    ({"withoutTenantId": True}, True),
]


@pytest.mark.parametrize(("wanted", "found"), FILTERS, ids=str)
def test_a_topic_can_be_narrowed(
    small_client: TestClient, wanted: dict[str, Any], found: bool
) -> None:
    deployed(small_client, model(job("work", "print"), versionTag="v7"))
    body = {"businessKey": "PO-5", "variables": {"colour": {"value": "red"}}}
    path = f"{ROOT}/process-definition/key/Order-1/start"
    assert small_client.post(path, json=body, auth=ADMIN).json()["businessKey"] == "PO-5"
    topic = {"topicName": "print", "lockDuration": 1000} | wanted
    assert bool(fetched(small_client, topic)) is found


def test_the_tasks_own_variables(client: TestClient, office: Application) -> None:
    deployed(client, model(job("work", "print", MAPPED)))
    case_id = started(client, name="Ann")
    topic = {"topicName": "print", "lockDuration": 1000}
    (task,) = fetched(client, topic | {"localVariables": True})
    assert {n: v["value"] for n, v in task["variables"].items()} == {"greeting": "Hello Ann"}
    client.post(f"{ROOT}/external-task/{task['id']}/unlock", auth=WORKER)
    (task,) = fetched(client, topic)
    assert set(task["variables"]) >= {"greeting", "name"}
    own = {"reply": {"type": "String", "value": "hi"}}
    assert reported(client, task["id"], "complete", localVariables=own).status_code == 204
    data = data_of(office, case_id)
    assert data["answer"] == "hi"
    assert not {"reply", "greeting"} & set(data)


def test_failures_cost_retries_then_an_incident(
    client: TestClient, office: Application, clock: SettableClock
) -> None:
    deployed(client, model(job("work", "print")))
    case_id = started(client)
    (task,) = fetched(client, "print")
    sent = {"errorMessage": "no paper", "errorDetails": "tray 2", "retryTimeout": 60_000}
    noted = {"tray": {"value": 2, "type": "integer"}}
    answer = reported(client, task["id"], "failure", retries=1, variables=noted, **sent)
    assert answer.status_code == 204
    assert fetched(client, "print") == []
    clock.advance(timedelta(seconds=61))
    (task,) = fetched(client, "print")
    assert (task["retries"], task["errorMessage"]) == (1, "no paper")
    assert task["variables"]["tray"]["value"] == 2
    details = client.get(f"{ROOT}/external-task/{task['id']}/errorDetails", auth=WORKER)
    assert details.text == "tray 2"
    reported(client, task["id"], "failure", retries=0, **sent)
    clock.advance(timedelta(hours=1))
    assert fetched(client, "print") == []
    (incident,) = client.get(f"{ROOT}/incident", auth=ADMIN).json()
    assert incident["incidentType"] == "failedExternalTask"
    assert incident["configuration"] == task["id"]
    assert incident["incidentMessage"] == "no paper"
    path = f"{ROOT}/external-task/{task['id']}/retries"
    assert client.put(path, json={"retries": 2}, auth=WORKER).status_code == 403
    assert client.put(path, json={"retries": 2}, auth=ADMIN).status_code == 204
    assert client.get(f"{ROOT}/incident/count", auth=ADMIN).json() == {"count": 0}
    (task,) = fetched(client, "print")
    assert task["retries"] == 2
    reported(client, task["id"], "complete")
    assert state_of(office, case_id) == "closed"


def test_a_bpmn_error_is_caught(client: TestClient, office: Application) -> None:
    deployed(client, model(job("work", "print"), beside=ERROR, inside=CAUGHT))
    case_id = started(client)
    (task,) = fetched(client, "print")
    sent = {"errorCode": "REFUSED", "errorMessage": "too late"}
    noted = {"by": {"value": "clerk"}}
    assert reported(client, task["id"], "bpmnError", variables=noted, **sent).status_code == 204
    (found,) = client.get(f"{ROOT}/task?processInstanceId={case_id}", auth=ADMIN).json()
    assert found["taskDefinitionKey"] == "look"
    data = data_of(office, case_id)
    assert (data["why"], data["by"]) == ("too late", "clerk")


def test_an_error_nobody_catches_becomes_an_incident(
    client: TestClient, office: Application
) -> None:
    deployed(client, model(job("work", "print")))
    started(client)
    (task,) = fetched(client, "print")
    answer = reported(client, task["id"], "bpmnError", errorCode="REFUSED")
    assert (answer.status_code, answer.json()["type"]) == (500, "ProcessEngineException")
    with office.uow.read() as session:
        assert session.scalars(select(Incident.reason)).all() == ["error_not_caught"]
        assert session.scalars(select(ExternalJob.retries)).all() == [0]


def test_a_case_that_cannot_go_on_stops_the_job(client: TestClient, office: Application) -> None:
    gateway = '<bpmn:exclusiveGateway id="x"/>'
    content = model(job("work", "print"), gateway).replace(
        b'sourceRef="x" targetRef="e"/>',
        b'sourceRef="x" targetRef="e"><bpmn:conditionExpression>${ok}'
        b"</bpmn:conditionExpression></bpmn:sequenceFlow>",
    )
    assert deployed(client, content).status_code == 200
    case_id = started(client, ok=False)
    (task,) = fetched(client, "print")
    answer = reported(client, task["id"], "complete")
    assert answer.status_code == 500
    assert answer.json()["message"].startswith("x:")
    assert fetched(client, "print", worker="w2") == []
    (incident,) = client.get(f"{ROOT}/incident?processInstanceId={case_id}", auth=ADMIN).json()
    assert incident["activityId"] == "x"
    path = f"{ROOT}/external-task/{task['id']}/retries"
    client.put(path, json={"retries": 1}, auth=ADMIN)
    (task,) = fetched(client, "print")
    right = {"ok": {"value": True}}
    assert reported(client, task["id"], "complete", variables=right).status_code == 204
    assert state_of(office, case_id) == "closed"


def test_locks_are_lost_extended_and_given_back(
    client: TestClient, office: Application, clock: SettableClock
) -> None:
    deployed(client, model(job("work", "print")))
    started(client)
    (task,) = fetched(client, "print")
    id_ = task["id"]
    assert reported(client, id_, "extendLock", newDuration=1_200_000).status_code == 204
    clock.advance(timedelta(minutes=15))
    assert fetched(client, "print", worker="w2") == []
    refused = reported(client, id_, "extendLock", worker="w2", newDuration=1000)
    assert (refused.status_code, refused.json()["type"]) == (400, "RestException")
    assert "w1" in refused.json()["message"]
    assert reported(client, id_, "lock", worker="w2", lockDuration=1000).status_code == 400
    assert client.post(f"{ROOT}/external-task/{id_}/unlock", auth=WORKER).status_code == 204
    assert reported(client, id_, "lock", worker="w2", lockDuration=60_000).status_code == 204
    clock.advance(timedelta(minutes=2))
    assert reported(client, id_, "extendLock", worker="w2", newDuration=1000).status_code == 400
    assert fetched(client, "print", worker="w3")[0]["id"] == id_
    lost = reported(client, id_, "complete", worker="w2")
    assert (lost.status_code, "w3" in lost.json()["message"]) == (400, True)
    assert reported(client, id_, "complete", worker="w3").status_code == 204


def test_an_expired_lock_does_not_lose_the_work(client: TestClient, clock: SettableClock) -> None:
    deployed(client, model(job("work", "print")))
    started(client)
    (task,) = fetched(client, "print")
    clock.advance(timedelta(hours=1))
    assert reported(client, task["id"], "complete").status_code == 204


def test_jobs_are_listed_and_counted(client: TestClient, clock: SettableClock) -> None:
    deployed(client, model(job("work", "print")))
    case_id = started(client)
    started(client)
    fetched(client, "print", maxTasks=1)

    def count(**asked: Any) -> int:
        path = f"{ROOT}/external-task"
        rows = client.get(path, params=asked, auth=WORKER).json()
        total: int = client.post(f"{path}/count", json=asked, auth=WORKER).json()["count"]
        assert len(rows) == total
        return total

    assert count(topicName="print") == 2
    assert count(locked="true") == 1
    assert count(notLocked="true") == 1
    assert count(noRetriesLeft="true") == 0
    assert count(processInstanceId=case_id) == 1
    assert count(processDefinitionKey="Other") == 0


WRONG: list[dict[str, Any]] = [
    {},
    {"topics": "print"},
    {"topics": [{"topicName": "print"}]},
    {"topics": [{"topicName": "print", "lockDuration": 0}]},
    {"topics": [{"lockDuration": 1}]},
    {"maxTasks": 0, "topics": []},
    {"workerId": None, "topics": []},
    {"topics": [], "asyncResponseTimeout": 1_800_001},
    {"topics": [], "sorting": [{"sortBy": "colour", "sortOrder": "asc"}]},
    {"topics": [{"topicName": "a", "lockDuration": 1}] * 2},
]


@pytest.mark.parametrize("body", WRONG, ids=lambda body: json.dumps(body)[:60])
def test_a_wrong_fetch_is_told_so(small_client: TestClient, body: dict[str, Any]) -> None:
    sent = {"workerId": "w", "maxTasks": 1} | body
    answer = small_client.post(f"{ROOT}/external-task/fetchAndLock", json=sent, auth=WORKER)
    assert answer.status_code == 400
    assert set(answer.json()) == {"type", "message", "code"}
    assert answer.headers["content-type"] == "application/json"


def test_a_body_that_is_no_json_is_told_so(small_client: TestClient) -> None:
    path = f"{ROOT}/external-task/fetchAndLock"
    for content in (b"{", b"[]", b"\xff", b"[" * 100_000):
        answer = small_client.post(path, content=content, auth=WORKER)
        assert (answer.status_code, answer.json()["type"]) == (400, "InvalidRequestException")
