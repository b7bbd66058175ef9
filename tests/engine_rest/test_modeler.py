"""What Camunda Modeler does: asks whether it can deploy, deploys, and starts."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.demo.office import PASSWORD, shipped_package
from api.wiring import Application
from engine.store.tables import Case, CaseState, PackageVersion, Task
from tests.support.engine_rest import (
    ADMIN,
    DESIGNER,
    ROOT,
    WORKER,
    deployed,
    fetched,
    job,
    model,
    person,
    started,
)
from tests.support.play import REQUEST

OFFICER = ("foi_officer", PASSWORD)
ORIGIN = {"Origin": "file://"}
DMN = (
    b'<?xml version="1.0" encoding="UTF-8"?><definitions id="d" name="d" namespace="n" '
    b'xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision id="fee" name="Fee">'
    b'<decisionTable id="t"><input id="i"><inputExpression id="x"><text>pages</text>'
    b'</inputExpression></input><output id="o" name="amount"/><rule id="r"><inputEntry id="ie">'
    b'<text>&gt; 1</text></inputEntry><outputEntry id="oe"><text>20</text></outputEntry></rule>'
    b"</decisionTable></decision></definitions>"
)


def test_the_connection_test(small_client: TestClient) -> None:
    url = f"{ROOT}/deployment?maxResults=0"
    nobody = small_client.get(url, headers=ORIGIN)
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"].startswith("Basic ")
    assert nobody.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in nobody.headers
    asked = {"Access-Control-Request-Method": "POST"}
    asked |= {"Access-Control-Request-Headers": "authorization,content-type,accept"}
    preflight = small_client.options(f"{ROOT}/deployment/create", headers=ORIGIN | asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    good = small_client.get(url, auth=DESIGNER)
    assert (good.status_code, good.json()) == (200, [])
    assert small_client.get(f"{ROOT}/version", auth=DESIGNER).json() == {"version": "7.24.0"}
    apps = small_client.get("/.well-known/camunda-automation-platform/webapps", headers=ORIGIN)
    assert apps.json()["cockpitUrl"] == "http://testserver/staff/"
    assert apps.headers["access-control-allow-origin"] == "*"


def test_deploy_and_start(client: TestClient, office: Application) -> None:
    content = model(job("work", "print"), person("look", "Look at it"), versionTag="1.0")
    answer = deployed(client, content).json()
    ((id_, made),) = answer["deployedProcessDefinitions"].items()
    assert (answer["name"], answer["source"]) == ("order", "Camunda Modeler")
    assert (made["id"], made["key"], made["version"]) == (id_, "Order-1", 1)
    assert (made["name"], made["resource"], made["versionTag"]) == ("Order", "order.bpmn", "1.0")
    body = {"businessKey": "PO-1", "variables": {"pages": {"value": 3, "type": "Integer"}}}
    case = client.post(f"{ROOT}/process-definition/{id_}/start", json=body, auth=ADMIN).json()
    assert (case["definitionId"], case["businessKey"], case["ended"]) == (id_, "PO-1", False)
    assert case["links"][0]["href"].endswith(f"/process-instance/{case['id']}")
    path = f"{ROOT}/process-instance/{case['id']}"
    assert client.get(path, auth=ADMIN).json()["businessKey"] == "PO-1"
    variables = client.get(f"{path}/variables", auth=ADMIN).json()
    assert variables == {"pages": {"type": "Integer", "value": 3, "valueInfo": {}}}
    xml = client.get(f"{ROOT}/process-definition/key/Order-1/xml", auth=ADMIN).json()
    assert xml["bpmn20Xml"].encode() == content
    with office.uow.read() as session:
        row = session.get_one(Case, case["id"])
    assert row.reference.startswith("BPMN-2026-")
    assert row.channel == "engine-rest"


def test_the_same_model_again_changes_nothing(client: TestClient) -> None:
    content = model(job("work", "print"))
    first = deployed(client, content).json()
    again = deployed(client, content).json()
    assert again["deployedProcessDefinitions"] is None
    assert again["id"] == first["id"]
    always = deployed(client, content, enable_duplicate_filtering="false").json()
    assert always["deployedProcessDefinitions"] == first["deployedProcessDefinitions"]
    changed = deployed(client, model(job("work", "scan"))).json()
    ((_, made),) = changed["deployedProcessDefinitions"].items()
    assert made["version"] == 2
    rows = client.get(f"{ROOT}/process-definition?key=Order-1", auth=DESIGNER).json()
    assert [row["version"] for row in rows] == [1, 2]
    latest = f"{ROOT}/process-definition?key=Order-1&latestVersion=true"
    assert [row["version"] for row in client.get(latest, auth=DESIGNER).json()] == [2]
    (old,) = first["deployedProcessDefinitions"]
    refused = client.post(f"{ROOT}/process-definition/{old}/start", json={}, auth=ADMIN)
    assert (refused.status_code, refused.json()["type"]) == (400, "RestException")


def test_a_wrong_model_is_told_element_by_element(client: TestClient, office: Application) -> None:
    wrong = model(job("work", "print")).replace(b'targetRef="e"', b'targetRef="nowhere"')
    answer = deployed(client, wrong)
    body = answer.json()
    assert (answer.status_code, body["type"]) == (400, "ParseException")
    assert body["message"].startswith("ENGINE-09005 Could not parse BPMN process. Errors: ")
    (found,) = (
        each for each in body["details"]["order.bpmn"]["errors"] if "nowhere" in each["message"]
    )
    assert found["line"] > 0
    assert found["mainElementId"] == "f1"
    assert found["\u0435lementIds"] == found["elementIds"] == ["f1"]
    with office.uow.read() as session:
        found = session.scalars(
            select(PackageVersion).where(PackageVersion.process == "Order-1")
        ).all()
    assert found == []


@pytest.mark.parametrize(
    "content", [b"", b"<html/>", b"\xff\xfe", b"<!DOCTYPE a><a/>", DMN], ids=lambda each: each[:12]
)
def test_what_is_no_process_is_refused(small_client: TestClient, content: bytes) -> None:
    answer = deployed(small_client, content)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("ENGINE-09005")


def test_a_form_without_files_is_refused(small_client: TestClient) -> None:
    path = f"{ROOT}/deployment/create"
    for files in ({"deployment-name": (None, "x")}, None):
        answer = small_client.post(path, files=files, auth=DESIGNER)
        assert answer.status_code == 400
        assert set(answer.json()) >= {"type", "message", "code"}


def test_decisions_and_other_files_go_along(client: TestClient, office: Application) -> None:
    decide = (
        '<bpmn:businessRuleTask id="decide" camunda:decisionRef="fee" '
        'camunda:resultVariable="price" camunda:mapDecisionResult="singleEntry"/>'
    )
    files = [
        ("order.bpmn", ("order.bpmn", model(decide, job("work", "print")), "text/xml")),
        ("fee.dmn", ("fee.dmn", DMN, "text/xml")),
        ("look.form", ("look.form", b'{"components": []}', "application/json")),
    ]
    answer = client.post(f"{ROOT}/deployment/create", files=files, auth=DESIGNER)
    assert answer.status_code == 200, answer.text
    started(client, pages=5)
    (task,) = fetched(client, "print")
    assert "20" in str(task["variables"]["price"]["value"])


def test_two_processes_become_two_definitions(client: TestClient) -> None:
    files = [
        ("a.bpmn", ("a.bpmn", model(job("work", "print")), "text/xml")),
        ("b.bpmn", ("b.bpmn", model(job("scan", "scan"), process="Scan"), "text/xml")),
    ]
    answer = client.post(f"{ROOT}/deployment/create", files=files, auth=DESIGNER).json()
    made = answer["deployedProcessDefinitions"].values()
    assert {each["key"]: each["resource"] for each in made} == {
        "Order-1": "a.bpmn",
        "Scan": "b.bpmn",
    }


def test_keys_that_look_alike_stay_apart(client: TestClient) -> None:
    deployed(client, model(job("work", "print"), process="Order_1"))
    deployed(client, model(job("work", "scan"), process="order-1"), "b.bpmn")
    started(client, "Order_1")
    assert fetched(client, "scan") == []
    assert len(fetched(client, "print")) == 1


DEPARTMENTS: list[tuple[dict[str, str], str, str | None]] = [
    ({}, "FOI", "FOI"),
    ({}, "clerks, foi", "FOI"),
    ({"tenant_id": "ROADS"}, "clerks", "ROADS"),
    ({"tenant_id": "nowhere"}, "FOI", None),
    ({}, "clerks", None),
]


@pytest.mark.parametrize(("fields", "group", "department"), DEPARTMENTS)
def test_a_task_of_staff_gets_a_department(
    small_client: TestClient,
    small_office: Application,
    fields: dict[str, str],
    group: str,
    department: str | None,
) -> None:
    answer = deployed(small_client, model(person("look", group=group)), **fields)
    if department is None:
        assert answer.status_code == 400
        assert "department" in answer.json()["message"] or "部门" in answer.json()["message"]
        return
    case_id = started(small_client)
    with small_office.uow.read() as session:
        task = session.scalars(select(Task).where(Task.case_id == case_id)).one()
    assert task.department == department


def test_a_model_of_a_package_becomes_its_next_version(
    client: TestClient, office: Application
) -> None:
    files = shipped_package("information_request")
    renamed = files["process.bpmn"].replace(b'isExecutable="true"', b' isExecutable="true"', 1)
    answer = deployed(client, renamed, "from-my-desk.bpmn").json()
    ((_, made),) = answer["deployedProcessDefinitions"].items()
    assert (made["key"], made["version"]) == ("information_request", 2)
    with office.uow.read() as session:
        row = session.get_one(PackageVersion, made["deploymentId"])
        assert row.key == "information_request"
        assert "F001" in row.services
    variables: dict[str, Any] = {name: {"value": value} for name, value in REQUEST.items()}
    variables |= {"applicant": {"value": "citizen"}, "service": {"value": "F001"}}
    path = f"{ROOT}/process-definition/key/information_request/start"
    phoney = {**variables, "phone": {"value": "1"}}
    wrong = client.post(path, json={"variables": phoney}, auth=ADMIN)
    assert (wrong.status_code, "phone" in wrong.json()["message"]) == (400, True)
    right = client.post(path, json={"variables": variables}, auth=ADMIN)
    assert right.status_code == 200, right.text
    with office.uow.read() as session:
        data = session.get_one(CaseState, right.json()["id"]).data
    assert data["application"]["title"] == REQUEST["title"]


def test_whom_a_case_is_for(client: TestClient, office: Application) -> None:
    deployed(client, model(job("work", "print")))
    path = f"{ROOT}/process-definition/key/Order-1/start"

    def start(auth: tuple[str, str], applicant: str | None) -> tuple[int, str]:
        variables = {} if applicant is None else {"applicant": {"value": applicant}}
        answer = client.post(path, json={"variables": variables}, auth=auth)
        if answer.status_code != 200:
            return answer.status_code, answer.json()["type"]
        with office.uow.read() as session:
            case = session.get_one(Case, answer.json()["id"])
            name: str = session.get_one(CaseState, case.id).data["case"]["applicant"]["name"]
        return 200, name

    assert start(ADMIN, "citizen")[0] == 200
    assert start(ADMIN, None)[1] != start(ADMIN, "citizen")[1]
    assert start(DESIGNER, None)[0] == 200
    assert start(DESIGNER, "citizen") == (403, "AuthorizationException")
    assert start(ADMIN, "nobody") == (400, "InvalidRequestException")
    assert start(WORKER, None) == (403, "AuthorizationException")
    assert start(OFFICER, None) == (403, "AuthorizationException")


def test_a_deployed_model_is_not_offered_to_citizens(client: TestClient) -> None:
    deployed(client, model(job("work", "print")))
    started(client, applicant="citizen")
    assert client.get("/").status_code == 200
    body = {"user_name": "citizen", "password": PASSWORD}
    assert client.post("/api/v1/session", json=body).status_code == 200
    home, mine = client.get("/"), client.get("/cases")
    assert (home.status_code, mine.status_code) == (200, 200)
    assert "Order" in mine.text
    reference = mine.text.split('href="/cases/')[1].split('"')[0]
    page = client.get(f"/cases/{reference}")
    assert (page.status_code, "Order" in page.text) == (200, True)
    assert client.get(f"/cases/{reference}/confirmation").status_code == 200


def test_reserved_names_are_refused(small_client: TestClient) -> None:
    deployed(small_client, model(job("work", "print")))
    path = f"{ROOT}/process-definition/key/Order-1/start"
    answer = small_client.post(path, json={"variables": {"case": {"value": 1}}}, auth=ADMIN)
    assert (answer.status_code, answer.json()["type"]) == (400, "InvalidRequestException")
