"""What child processes do: a citizen and an officer over HTTP, and a worker. All may be repeated.

Each names its case by a title; keys make a request that is sent again harmless.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.demo.office import PASSWORD
from api.main import create_app
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.celery_app import WAKE, make_celery, queue_names
from api.worker.waker import ThreadWaker
from engine.kernel.clock import SettableClock
from engine.kernel.errors import ExecutionFailed
from engine.store.tables import Case, CaseState, Task
from tests.support.play import REQUEST, done, open_task
from tests.support.small_package import begun

Tell = Callable[[str], None]
PDF = b"%PDF-1.7 a plan"
CALLING, FAILING = "S002", "S003"
"""The services whose process calls another system, and whose process fails."""


@contextmanager
def process(environment: Mapping[str, str]) -> Iterator[Application]:
    """The product as another process wires it, at the time that the environment names."""
    clock = SettableClock(datetime.fromisoformat(environment["TEST_NOW"]))
    wired = wire(read_settings(environment), clock, ThreadWaker())
    try:
        yield wired
    finally:
        wired.close()


def _browser(app: FastAPI, user: str) -> TestClient:
    client = TestClient(app)
    answer = client.post("/api/v1/session", json={"user_name": user, "password": PASSWORD})
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return client


def file_and_handle(environment: Mapping[str, str], tell: Tell) -> None:
    """File a case, claim its first task, and finish it with a file; then work off the jobs."""
    title = environment["TEST_TITLE"]

    def send(client: TestClient, what: str, path: str, **body: Any) -> Any:
        headers = {"Idempotency-Key": f"{title} {what}"}
        answer = client.post(path, headers=headers, **body)
        assert answer.status_code < 300, (what, answer.text)
        tell(what)
        return answer.json()

    with process(environment) as wired:
        app = create_app(wired)
        citizen = _browser(app, "citizen")
        filing = {"service": "F001", "answers": REQUEST | {"title": title}}
        case = send(citizen, "filed", "/api/v1/cases", json=filing)
        tell(case["id"])
        with wired.uow.read() as session:
            task = first_task(session, case["id"])
        # As if another process went on with the case.
        wired.uow.recent.drop(case["id"])
        officer = _browser(app, "foi_officer")
        send(officer, "claimed", f"/api/v1/tasks/{task}/claim")
        wired.uow.recent.drop(case["id"])
        files = {"attachment": (f"{title}.pdf", io.BytesIO(PDF), "application/pdf")}
        fields = {"outcome": "accept"}
        send(officer, "completed", f"/api/v1/tasks/{task}/complete", data=fields, files=files)
        _work(wired)


def first_task(session: Any, case_id: str) -> str:
    """The id of the first task of a case, whatever has become of it."""
    rows = select(Task.id).where(Task.case_id == case_id).order_by(Task.id)
    found: str = session.scalars(rows).first()
    return found


def call(environment: Mapping[str, str], tell: Tell) -> None:
    """Bring a case to where it calls another system, and work off the jobs."""
    with process(environment) as wired:
        case = _case_of(wired, environment["TEST_TITLE"], CALLING)
        tell(case.id)
        if open_task(wired, case).element == "a":
            done(wired, case, "a", "foi_officer")
        _work(wired)


def fail(environment: Mapping[str, str], tell: Tell) -> None:
    """Bring a case to a step that fails, which is told like any other answer."""
    with process(environment) as wired:
        case = _case_of(wired, environment["TEST_TITLE"], FAILING)
        tell(case.id)
        try:
            done(wired, case, "a", "foi_officer")
        except ExecutionFailed:
            tell("failed")


def _case_of(wired: Application, title: str, service: str) -> Any:
    """The case with this title, begun unless there is one."""
    with wired.uow.read() as session:
        for case in session.scalars(select(Case).where(Case.service == service)):
            if session.get_one(CaseState, case.id).data["application"]["title"] == title:
                return case
    return begun(wired, service=service, title=title)


def work(environment: Mapping[str, str], tell: Tell) -> None:
    """Do what a Celery worker does when it is woken, until nothing is due."""
    with process(environment) as wired:
        _work(wired)


def _work(wired: Application) -> None:
    celery = make_celery(None, wired.run_due)
    while sum(celery.tasks[WAKE]([queue]) for queue in queue_names()):
        pass
