"""Models as Camunda Modeler saves them, accounts of programs, and requests as tools send them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from fastapi.testclient import TestClient

from api.demo.office import PASSWORD
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.domain.passwords import hash_password
from engine.usecases.people import AddUser, add_user

ROOT = "/engine-rest"
WORKER = ("robot", "the robot's own password")
ADMIN = ("admin", PASSWORD)
DESIGNER = ("designer", PASSWORD)
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="http://bpmn.io/schema/bpmn">'
)


def model(
    *steps: str, process: str = "Order-1", beside: str = "", inside: str = "", **attributes: str
) -> bytes:
    """A model whose `steps` (elements with ids) follow one another; `inside` has its own flows."""
    nodes = ["s", *(step.split('id="')[1].split('"')[0] for step in steps), "e"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}"/>'
        for n, (a, b) in enumerate(pairwise(nodes))
    )
    more = "".join(f' camunda:{name}="{value}"' for name, value in attributes.items())
    return (
        f'{_HEAD}{beside}<bpmn:process id="{process}" name="Order" isExecutable="true"{more}>'
        f'<bpmn:startEvent id="s"/>{"".join(steps)}<bpmn:endEvent id="e"/>{flows}{inside}'
        "</bpmn:process></bpmn:definitions>"
    ).encode()


def job(id_: str, topic: str, inner: str = "", **attributes: str) -> str:
    more = "".join(f' camunda:{name}="{value}"' for name, value in attributes.items())
    extension = f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>" if inner else ""
    return (
        f'<bpmn:serviceTask id="{id_}" camunda:type="external" camunda:topic="{topic}"{more}>'
        f"{extension}</bpmn:serviceTask>"
    )


def person(id_: str, name: str = "Check", group: str = "FOI") -> str:
    return f'<bpmn:userTask id="{id_}" name="{name}" camunda:candidateGroups="{group}"/>'


def add_worker(wired: Application) -> None:
    """An account of a program."""
    command = AddUser(SYSTEM, WORKER[0], "Robot", hash_password(WORKER[1]), ("job_worker",))
    wired.uow.run(add_user, command)


def deployed(client: TestClient, content: bytes, name: str = "order.bpmn", **fields: str) -> Any:
    """Deploy as Camunda Modeler does; the answer."""
    data = {
        "deployment-name": "order",
        "deployment-source": "Camunda Modeler",
        "enable-duplicate-filtering": "true",
    } | {key.replace("_", "-"): value for key, value in fields.items()}
    files = {name: (name, content, "text/xml")}
    return client.post(f"{ROOT}/deployment/create", data=data, files=files, auth=DESIGNER)


def started(client: TestClient, process: str = "Order-1", **variables: Any) -> str:
    """Begin a case; its id."""
    answer = client.post(
        f"{ROOT}/process-definition/key/{process}/start",
        json={"variables": {n: typed(v) for n, v in variables.items()}},
        auth=ADMIN,
    )
    assert answer.status_code == 200, answer.text
    id_: str = answer.json()["id"]
    return id_


def typed(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"value": value}


def fetched(client: TestClient, *topics: Any, worker: str = "w1", **more: Any) -> list[Any]:
    """Fetch and lock, ten minutes each; `topics` are names or whole topics."""
    wanted = [
        {"topicName": each, "lockDuration": 600_000} if isinstance(each, str) else each
        for each in topics
    ]
    body = {"workerId": worker, "maxTasks": 10, "topics": wanted} | more
    answer = client.post(f"{ROOT}/external-task/fetchAndLock", json=body, auth=WORKER)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    rows: list[Any] = answer.json()
    return rows


def reported(client: TestClient, id_: str, verb: str, worker: str = "w1", **body: Any) -> Any:
    path = f"{ROOT}/external-task/{id_}/{verb}"
    return client.post(path, json={"workerId": worker} | body, auth=WORKER)
