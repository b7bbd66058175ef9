"""Task lists, messages, signals, incidents and history over ``/engine-rest``."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from api.demo.office import PASSWORD
from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.audit import first_broken_event
from engine.store.tables import Case, CaseState, Message, Task
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.incidents import RetryIncident, retry_incident
from engine.usecases.joint_answers import AskJointly, ask_jointly
from engine.usecases.repair import CorrectData, correct_data
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
from tests.support.play import actor, drain, filed

OFFICER = ("foi_officer", PASSWORD)
LEAD = ("foi_lead", PASSWORD)
ROADS = ("roads", PASSWORD)
BESIDE = '<bpmn:message id="m" name="paid"/><bpmn:signal id="storm" name="storm"/>'
WAIT = (
    '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="m"/>'
    "</bpmn:intermediateCatchEvent>"
)
LISTEN = (
    '<bpmn:intermediateCatchEvent id="listen"><bpmn:signalEventDefinition signalRef="storm"/>'
    "</bpmn:intermediateCatchEvent>"
)


def tasks(client: TestClient, auth: tuple[str, str] = ADMIN, **asked: Any) -> list[Any]:
    rows: list[Any] = client.get(f"{ROOT}/task", params=asked, auth=auth).json()
    count = client.get(f"{ROOT}/task/count", params=asked, auth=auth).json()["count"]
    assert len(rows) == count
    assert client.post(f"{ROOT}/task", json=asked, auth=auth).json() == rows
    return rows


def test_a_task_is_claimed_and_completed(client: TestClient, office: Application) -> None:
    deployed(client, model(person("look", "Look at it"), job("work", "print")))
    case_id = started(client, pages=3)
    (task,) = tasks(client, OFFICER, processInstanceId=case_id)
    assert (task["name"], task["assignee"], task["formKey"]) == ("Look at it", None, None)
    assert task["taskDefinitionKey"] == "look"
    assert tasks(client, ROADS, processInstanceId=case_id) == []
    path = f"{ROOT}/task/{task['id']}"
    assert client.get(path, auth=ROADS).status_code == 404
    assert client.get(f"{path}/variables", auth=OFFICER).json()["pages"]["value"] == 3
    other = client.post(f"{path}/claim", json={"userId": "foi_lead"}, auth=OFFICER)
    assert (other.status_code, other.json()["type"]) == (403, "AuthorizationException")
    early = client.post(f"{path}/complete", json={}, auth=OFFICER)
    assert early.status_code == 403
    mine = {"userId": "foi_officer"}
    assert client.post(f"{path}/claim", json=mine, auth=OFFICER).status_code == 204
    taken = client.post(f"{path}/claim", json={"userId": "foi_lead"}, auth=LEAD)
    assert (taken.status_code, taken.json()["type"]) == (500, "TaskAlreadyClaimedException")
    assert [row["assignee"] for row in tasks(client, assignee="foi_officer")] == ["foi_officer"]
    assert client.post(f"{path}/unclaim", auth=OFFICER).status_code == 204
    assert len(tasks(client, unassigned="true", processInstanceId=case_id)) == 1
    client.post(f"{path}/claim", json=mine, auth=OFFICER)
    sent = {"approved": {"value": True, "type": "Boolean"}}
    answer = client.post(f"{path}/complete", json={"variables": sent}, auth=OFFICER)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    assert client.get(path, auth=OFFICER).status_code == 404
    (work,) = fetched(client, "print")
    assert work["variables"]["approved"] == {"type": "Boolean", "value": True, "valueInfo": {}}
    with office.uow.read() as session:
        assert session.scalars(select(Task.answers).where(Task.case_id == case_id)).one() == {
            "approved": True
        }
        assert first_broken_event(session, case_id) is None


def test_a_task_with_a_form_is_checked_by_it(client: TestClient, office: Application) -> None:
    case = filed(office)
    (task,) = tasks(client, OFFICER, processInstanceId=case.id)
    assert task["formKey"] == "check_request"
    path = f"{ROOT}/task/{task['id']}"
    client.post(f"{path}/claim", json={"userId": "foi_officer"}, auth=OFFICER)
    wrong = {"outcome": {"value": "nonsense"}}
    answer = client.post(f"{path}/complete", json={"variables": wrong}, auth=OFFICER)
    assert (answer.status_code, "outcome" in answer.json()["message"]) == (400, True)
    assert tasks(client, OFFICER, processInstanceId=case.id)[0]["id"] == task["id"]


def test_what_stands_beside_a_task_is_not_listed(client: TestClient, office: Application) -> None:
    case, who = filed(office), actor(office, "foi_officer")
    (task,) = tasks(client, OFFICER, processInstanceId=case.id)
    office.uow.run(claim, ClaimTask(who, task["id"]))
    office.uow.run(ask_jointly, AskJointly(who, task["id"], ("ROADS",), "？"))
    assert tasks(client, ADMIN, processInstanceId=case.id)[0]["id"] == task["id"]
    assert tasks(client, ROADS, processInstanceId=case.id) == []
    path = f"{ROOT}/task/{task['id']}/complete"
    answer = client.post(path, json={"variables": {}}, auth=OFFICER)
    assert answer.status_code == 400


def test_tasks_are_ordered(client: TestClient, clock: SettableClock) -> None:
    deployed(client, model(person("look")))
    cases = [started(client) for _ in range(3)]
    rows = tasks(client, sortBy="created", sortOrder="desc", processDefinitionKey="Order-1")
    assert {row["processInstanceId"] for row in rows} == set(cases)
    page = tasks(client, sortBy="id", sortOrder="asc", processDefinitionKey="Order-1")
    assert [row["processInstanceId"] for row in page] == cases
    part = client.get(f"{ROOT}/task?sortBy=id&firstResult=1&maxResults=1", auth=OFFICER).json()
    assert [row["id"] for row in part] == [page[1]["id"]]
    assert client.get(f"{ROOT}/task?sortBy=colour", auth=OFFICER).status_code == 400


def message(client: TestClient, **body: Any) -> Any:
    sent = {"messageName": "paid"} | body
    return client.post(f"{ROOT}/message", json=sent, auth=ADMIN)


def begun(client: TestClient, key: str, **variables: Any) -> str:
    body = {"businessKey": key, "variables": {n: {"value": v} for n, v in variables.items()}}
    path = f"{ROOT}/process-definition/key/Order-1/start"
    id_: str = client.post(path, json=body, auth=ADMIN).json()["id"]
    return id_


def test_a_message_reaches_the_one_case_it_names(client: TestClient, office: Application) -> None:
    deployed(client, model(WAIT, job("work", "print"), beside=BESIDE))
    first, second = begun(client, "A", n=1), begun(client, "B", n=2)
    many = message(client)
    assert many.status_code == 400
    assert many.json()["type"] == "MismatchingMessageCorrelationException"
    assert message(client, businessKey="C").status_code == 400
    assert fetched(client, "print") == []
    when = {"value": "2026-03-01T08:00:00.000+0000", "type": "Date"}
    answer = message(client, businessKey="B", processVariables={"at": when}, resultEnabled=True)
    assert answer.json()[0]["execution"]["processInstanceId"] == second
    (task,) = fetched(client, "print")
    assert (task["businessKey"], task["variables"]["at"]["type"]) == ("B", "Date")
    assert message(client, correlationKeys={"n": {"value": 1}}).status_code == 204
    assert [row["processInstanceId"] for row in fetched(client, "print")] == [first]
    with office.uow.read() as session:
        assert session.scalars(select(Message.state)).all() == ["delivered"] * 2


def test_a_message_for_all(client: TestClient) -> None:
    deployed(client, model(WAIT, job("work", "print"), beside=BESIDE))
    cases = {begun(client, "A"), begun(client, "A")}
    assert message(client, businessKey="A", all=True).status_code == 204
    assert {row["processInstanceId"] for row in fetched(client, "print")} == cases
    assert message(client, businessKey="A", all=True).status_code == 204


def test_a_message_begins_a_case(client: TestClient, office: Application) -> None:
    content = model(job("work", "print"), beside=BESIDE).replace(
        b'<bpmn:startEvent id="s"/>',
        b'<bpmn:startEvent id="s"><bpmn:messageEventDefinition messageRef="m"/></bpmn:startEvent>',
    )
    assert deployed(client, content).status_code == 200
    sent = {"applicant": {"value": "citizen"}, "amount": {"value": 5}}
    answer = message(client, businessKey="P", processVariables=sent, resultEnabled=True)
    (result,) = answer.json()
    assert result["resultType"] == "ProcessDefinition"
    assert result["processInstance"]["businessKey"] == "P"
    (task,) = fetched(client, "print")
    assert task["variables"]["amount"]["value"] == 5


def test_a_signal_reaches_those_who_listen(client: TestClient, office: Application) -> None:
    deployed(client, model(LISTEN, job("work", "print"), beside=BESIDE))
    cases = [started(client), started(client)]
    one = {"name": "storm", "executionId": cases[1], "variables": {"force": {"value": 9}}}
    assert client.post(f"{ROOT}/signal", json=one, auth=ADMIN).status_code == 204
    drain(office)
    (task,) = fetched(client, "print")
    assert task["processInstanceId"] == cases[1]
    assert task["variables"]["force"]["value"] == 9
    again = client.post(f"{ROOT}/signal", json=one, auth=ADMIN)
    assert (again.status_code, again.json()["type"]) == (404, "RestException")
    assert client.post(f"{ROOT}/signal", json={"name": "storm"}, auth=ADMIN).status_code == 204
    drain(office)
    assert [row["processInstanceId"] for row in fetched(client, "print")] == cases[:1]


def test_a_failed_timer_is_done_again(
    client: TestClient, office: Application, clock: SettableClock
) -> None:
    timer = (
        '<bpmn:intermediateCatchEvent id="t"><bpmn:timerEventDefinition>'
        "<bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
        "</bpmn:intermediateCatchEvent>"
    )
    content = model(timer, '<bpmn:exclusiveGateway id="x"/>').replace(
        b'sourceRef="x" targetRef="e"/>',
        b'sourceRef="x" targetRef="e"><bpmn:conditionExpression>${ok}'
        b"</bpmn:conditionExpression></bpmn:sequenceFlow>",
    )
    deployed(client, content)
    case_id = started(client, ok=False)
    clock.set(clock.now().replace(hour=3))
    drain(office)
    (incident,) = client.get(f"{ROOT}/incident", auth=ADMIN).json()
    assert (incident["incidentType"], incident["activityId"]) == ("failedJob", "x")
    assert client.get(f"{ROOT}/incident/{incident['id']}", auth=ADMIN).status_code == 200
    path = f"{ROOT}/job/{incident['configuration']}/retries"
    assert client.put(path, json={"retries": 0}, auth=ADMIN).status_code == 400
    assert client.put(path, json={"retries": 1}, auth=ADMIN).status_code == 204
    assert client.put(path, json={"retries": 1}, auth=ADMIN).status_code == 404
    drain(office)
    assert len(client.get(f"{ROOT}/incident?processInstanceId={case_id}", auth=ADMIN).json()) == 1


def test_history_tells_what_was_passed(client: TestClient) -> None:
    deployed(client, model(job("first", "print"), job("second", "scan")))
    case_id, other = started(client), started(client)
    for topic in ("print", "scan"):
        for task in fetched(client, topic):
            if task["processInstanceId"] == case_id:
                reported(client, task["id"], "complete")

    def history(**asked: Any) -> list[str]:
        path = f"{ROOT}/history/process-instance"
        rows = client.get(path, params=asked, auth=ADMIN).json()
        count = client.post(f"{path}/count", json=asked, auth=ADMIN).json()["count"]
        assert len(rows) == count
        return [row["id"] for row in rows]

    assert history(processDefinitionKey="Order-1") == [other, case_id]
    assert history(finished="true") == [case_id]
    assert history(unfinished="true", processDefinitionKey="Order-1") == [other]
    ended = client.get(f"{ROOT}/history/process-instance/{case_id}", auth=ADMIN).json()
    assert (ended["state"], ended["durationInMillis"]) == ("COMPLETED", 0)
    assert client.get(f"{ROOT}/process-instance/{case_id}", auth=ADMIN).status_code == 404
    path = f"{ROOT}/history/activity-instance?processInstanceId={case_id}"
    rows = client.get(path, auth=ADMIN).json()
    assert [row["activityId"] for row in rows] == ["s", "first", "second", "e"]
    assert rows[1]["activityType"] == "serviceTask"


def test_an_incident_of_a_job_is_retried_or_skipped_in_the_product_too(
    client: TestClient, office: Application
) -> None:
    deployed(client, model(job("work", "print")))
    cases = [started(client), started(client)]
    for task in fetched(client, "print"):
        reported(client, task["id"], "failure", errorMessage="broken", retries=0)
    incidents = {
        row["processInstanceId"]: row["id"]
        for row in client.get(f"{ROOT}/incident", auth=ADMIN).json()
    }
    admin = actor(office, "admin")
    office.uow.run(retry_incident, RetryIncident(admin, incidents[cases[0]]))
    office.uow.run(retry_incident, RetryIncident(admin, incidents[cases[1]], True, "not needed"))
    assert [row["processInstanceId"] for row in fetched(client, "print")] == [cases[0]]
    with office.uow.read() as session:
        assert [session.get_one(Case, id_).state for id_ in cases] == ["open", "closed"]


def test_a_task_that_failed_is_completed_again_with_its_variables(
    client: TestClient, office: Application
) -> None:
    content = model(person("look"), '<bpmn:exclusiveGateway id="x"/>').replace(
        b'sourceRef="x" targetRef="e"/>',
        b'sourceRef="x" targetRef="e"><bpmn:conditionExpression>${ok and ready}'
        b"</bpmn:conditionExpression></bpmn:sequenceFlow>",
    )
    assert deployed(client, content).status_code == 200
    case_id = started(client, ready=False)
    (task,) = tasks(client, OFFICER, processInstanceId=case_id)
    path = f"{ROOT}/task/{task['id']}"
    client.post(f"{path}/claim", json={"userId": "foi_officer"}, auth=OFFICER)
    sent = {"variables": {"ok": {"value": True}}}
    failed = client.post(f"{path}/complete", json=sent, auth=OFFICER)
    assert (failed.status_code, failed.json()["type"]) == (500, "ProcessEngineException")
    (incident,) = client.get(f"{ROOT}/incident", auth=ADMIN).json()
    assert incident["incidentType"] == "failedTask"
    admin = actor(office, "admin")
    office.uow.run(correct_data, CorrectData(admin, case_id, {"ready": True}, "it was"))
    office.uow.run(retry_incident, RetryIncident(admin, incident["id"]))
    with office.uow.read() as session:
        assert session.get_one(Case, case_id).state == "closed"
        assert session.get_one(CaseState, case_id).data["ok"] is True
    assert client.get(f"{ROOT}/external-task", auth=WORKER).json() == []
