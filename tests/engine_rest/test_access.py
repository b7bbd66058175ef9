"""Who may reach what of ``/engine-rest``, and how credentials are checked."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from api.demo.office import PASSWORD
from api.engine_rest import access
from api.engine_rest.application import ROUTES
from api.main import create_app
from api.wiring import Application
from engine.domain.passwords import hash_password
from engine.store.tables import ExternalJob, Task, User
from tests.support.engine_rest import ROOT, WORKER, deployed, job, model, person, started

WHO = ["nobody", "citizen", "robot", "foi_officer", "roads", "designer", "manager", "admin"]
# What each of WHO gets. What is somebody else's department is not there at all.
TABLE: dict[str, list[int]] = {
    "GET /version": [401, 403, 200, 200, 200, 200, 200, 200],
    "GET /deployment": [401, 403, 403, 403, 403, 200, 403, 200],
    "GET /deployment/count": [401, 403, 403, 403, 403, 200, 403, 200],
    "GET /deployment/{version}": [401, 403, 403, 403, 403, 200, 403, 200],
    "POST /deployment/create": [401, 403, 403, 403, 403, 400, 403, 400],
    "GET /process-definition": [401, 403, 403, 403, 403, 200, 403, 200],
    "GET /process-definition/count": [401, 403, 403, 403, 403, 200, 403, 200],
    "GET /process-definition/key/Order-1": [401, 403, 403, 403, 403, 200, 403, 200],
    "GET /process-definition/key/Order-1/xml": [401, 403, 403, 403, 403, 200, 403, 200],
    "GET /process-definition/{version}": [401, 403, 403, 403, 403, 200, 403, 200],
    "GET /process-definition/{version}/xml": [401, 403, 403, 403, 403, 200, 403, 200],
    "POST /process-definition/key/Order-1/start": [401, 403, 403, 403, 403, 200, 403, 200],
    "POST /process-definition/{version}/start": [401, 403, 403, 403, 403, 200, 403, 200],
    "POST /external-task/fetchAndLock": [401, 403, 400, 403, 403, 403, 403, 400],
    "GET /external-task": [401, 403, 200, 403, 403, 403, 403, 200],
    "POST /external-task": [401, 403, 200, 403, 403, 403, 403, 200],
    "GET /external-task/count": [401, 403, 200, 403, 403, 403, 403, 200],
    "POST /external-task/count": [401, 403, 200, 403, 403, 403, 403, 200],
    "GET /external-task/{job}": [401, 403, 200, 403, 403, 403, 403, 200],
    "GET /external-task/{job}/errorDetails": [401, 403, 204, 403, 403, 403, 403, 204],
    "POST /external-task/{job}/complete": [401, 403, 400, 403, 403, 403, 403, 400],
    "POST /external-task/{job}/failure": [401, 403, 400, 403, 403, 403, 403, 400],
    "POST /external-task/{job}/bpmnError": [401, 403, 400, 403, 403, 403, 403, 400],
    "POST /external-task/{job}/lock": [401, 403, 400, 403, 403, 403, 403, 400],
    "POST /external-task/{job}/extendLock": [401, 403, 400, 403, 403, 403, 403, 400],
    "POST /external-task/{job}/unlock": [401, 403, 204, 403, 403, 403, 403, 204],
    "PUT /external-task/{job}/retries": [401, 403, 403, 403, 403, 403, 403, 400],
    "PUT /external-task/{job}/priority": [401, 403, 403, 403, 403, 403, 403, 400],
    "GET /execution/{case}/localVariables/none/data": [401, 403, 404, 403, 403, 403, 403, 404],
    "GET /process-instance": [401, 403, 403, 403, 403, 403, 403, 200],
    "POST /process-instance": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /process-instance/count": [401, 403, 403, 403, 403, 403, 403, 200],
    "POST /process-instance/count": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /process-instance/{case}": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /process-instance/{case}/variables": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /process-instance/{case}/variables/none": [401, 403, 403, 403, 403, 403, 403, 404],
    "GET /process-instance/{case}/variables/none/data": [401, 403, 403, 403, 403, 403, 403, 404],
    "GET /task": [401, 403, 403, 200, 200, 403, 200, 200],
    "POST /task": [401, 403, 403, 200, 200, 403, 200, 200],
    "GET /task/count": [401, 403, 403, 200, 200, 403, 200, 200],
    "POST /task/count": [401, 403, 403, 200, 200, 403, 200, 200],
    "GET /task/{task}": [401, 403, 403, 200, 404, 403, 200, 200],
    "GET /task/{task}/variables": [401, 403, 403, 200, 404, 403, 200, 200],
    "GET /task/{task}/form-variables": [401, 403, 403, 200, 404, 403, 200, 200],
    "POST /task/{task}/claim": [401, 403, 403, 400, 400, 403, 400, 400],
    "POST /task/{task}/unclaim": [401, 403, 403, 204, 404, 403, 404, 404],
    "POST /task/{task}/complete": [401, 403, 403, 403, 404, 403, 404, 404],
    "POST /task/{task}/submit-form": [401, 403, 403, 403, 404, 403, 404, 404],
    "POST /message": [401, 403, 403, 403, 403, 403, 403, 400],
    "POST /signal": [401, 403, 403, 403, 403, 403, 403, 400],
    "GET /incident": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /incident/count": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /incident/none": [401, 403, 403, 403, 403, 403, 403, 404],
    "PUT /job/none/retries": [401, 403, 403, 403, 403, 403, 403, 400],
    "GET /history/process-instance": [401, 403, 403, 403, 403, 403, 403, 200],
    "POST /history/process-instance": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /history/process-instance/count": [401, 403, 403, 403, 403, 403, 403, 200],
    "POST /history/process-instance/count": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /history/process-instance/{case}": [401, 403, 403, 403, 403, 403, 403, 200],
    "GET /history/activity-instance": [401, 403, 403, 403, 403, 403, 403, 400],
}


def test_access(small_client: TestClient, small_office: Application) -> None:
    split = '<bpmn:parallelGateway id="both"/>'
    content = model(split, job("work", "print")).replace(
        b"</bpmn:process>",
        (
            f'{person("look")}<bpmn:endEvent id="e2"/>'
            '<bpmn:sequenceFlow id="g1" sourceRef="both" targetRef="look"/>'
            '<bpmn:sequenceFlow id="g2" sourceRef="look" targetRef="e2"/></bpmn:process>'
        ).encode(),
    )
    made = deployed(small_client, content).json()
    case = started(small_client)
    with small_office.uow.read() as session:
        ids = {
            "case": case,
            "job": session.scalars(select(ExternalJob.id)).one(),
            "task": session.scalars(select(Task.id).where(Task.case_id == case)).one(),
            "version": made["id"],
        }
    got = {}
    for line in TABLE:
        method, path = line.split(" ")
        url = f"{ROOT}{path.format(**ids)}"
        got[line] = [_status(small_client, method, url, user) for user in WHO]
    assert got == TABLE


def _status(client: TestClient, method: str, url: str, user: str) -> int:
    auth = WORKER if user == "robot" else (user, PASSWORD)
    return client.request(method, url, auth=None if user == "nobody" else auth).status_code


def test_the_table_names_every_route() -> None:
    routes = {
        (method, re.sub(r"{[^}]*}", "…", route.path))
        for module in ROUTES
        for route in module.router.routes
        for method in route.methods
    }
    known = {tuple(line.split(" ")) for line in TABLE}
    told = {(method, re.sub(r"{[^}]*}|Order-1|none", "…", path)) for method, path in known}
    assert routes == told


@pytest.mark.parametrize(
    "header",
    ["", "Bearer x", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic /w==", "basic Og=="],
)
def test_what_is_no_credentials_is_refused(small_client: TestClient, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = small_client.get(f"{ROOT}/version", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["type"] == "AuthorizationException"


def test_a_sign_in_cookie_opens_nothing_here(small_client: TestClient) -> None:
    body = {"user_name": "admin", "password": PASSWORD}
    assert small_client.post("/api/v1/session", json=body).status_code == 200
    assert small_client.get(f"{ROOT}/task").status_code == 401


def test_a_worker_sees_nothing_of_the_staff_interface(small_client: TestClient) -> None:
    body = {"user_name": WORKER[0], "password": WORKER[1]}
    assert small_client.post("/api/v1/session", json=body).status_code == 200
    for path in ("/api/v1/packages", "/api/v1/tasks", "/api/v1/cases", "/api/v1/departments"):
        assert small_client.get(path).status_code == 404


def test_failures_slow_down_but_not_those_who_are_known(small_client: TestClient) -> None:
    url = f"{ROOT}/external-task"
    assert small_client.get(url, auth=WORKER).status_code == 200
    wrong = (WORKER[0], "not the password")
    codes = [small_client.get(url, auth=wrong).status_code for _ in range(6)]
    assert codes[:3] == [401, 401, 401]
    assert codes[-1] == 429
    late = small_client.get(url, auth=("admin", PASSWORD))
    assert (late.status_code, "retry-after" in late.headers) == (429, True)
    assert small_client.get(url, auth=WORKER).status_code == 200


def test_success_forgets_the_failures_before(small_client: TestClient) -> None:
    url = f"{ROOT}/external-task"
    for _ in range(3):
        codes = [small_client.get(url, auth=(WORKER[0], "wrong")).status_code for _ in range(2)]
        codes.append(small_client.get(url, auth=("admin", PASSWORD)).status_code)
        codes.append(small_client.get(url, auth=WORKER).status_code)
        assert codes == [401, 401, 200, 200]


def test_a_password_is_hashed_once_and_again_when_it_changes(
    small_client: TestClient, small_office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    true = access.password_is_right

    def counted(password: str, stored: str | None) -> bool:
        hashed.append(password)
        return true(password, stored)

    monkeypatch.setattr(access, "password_is_right", counted)
    url = f"{ROOT}/external-task"
    assert {small_client.get(url, auth=WORKER).status_code for _ in range(5)} == {200}
    assert len(hashed) == 1
    new = hash_password("another password")
    small_office.uow.run(
        lambda work, _: work.session.execute(
            update(User).where(User.user_name == WORKER[0]).values(password_hash=new)
        ),
        None,
    )
    assert small_client.get(url, auth=WORKER).status_code == 401
    assert small_client.get(url, auth=(WORKER[0], "another password")).status_code == 200


def test_an_account_out_of_service_is_out_at_once(
    small_client: TestClient, small_office: Application
) -> None:
    url = f"{ROOT}/external-task"
    assert small_client.get(url, auth=WORKER).status_code == 200
    small_office.uow.run(
        lambda work, _: work.session.execute(
            update(User).where(User.user_name == WORKER[0]).values(active=False)
        ),
        None,
    )
    assert small_client.get(url, auth=WORKER).status_code == 401


def test_what_is_not_there_is_told_as_camunda_does(small_office: Application) -> None:
    with TestClient(create_app(small_office)) as client:
        answer = client.get(f"{ROOT}/nothing/here")
        assert (answer.status_code, set(answer.json())) == (404, {"type", "message", "code"})
        assert client.get(f"{ROOT}").status_code == 404
        assert client.get("/engine-restless").headers["content-type"].startswith("text/html")
        assert client.delete(f"{ROOT}/task").status_code == 405
