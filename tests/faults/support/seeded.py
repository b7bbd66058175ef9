"""A short life of one case in an office with a seeded defect, and what the checks say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient

from api.demo.office import PASSWORD
from api.main import create_app
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.kernel import faults
from engine.kernel.clock import SettableClock
from engine.store import jobs
from engine.store.tables import Case
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.invariants import violations
from tests.conftest import BEGINNING
from tests.support.play import REQUEST, actor, drain, open_task

Tell = Callable[[str], None]


def live(environment: Mapping[str, str], tell: Tell) -> None:
    """File a case, ask for a correction, let the time pass; tell every fault that is noticed."""
    clock = SettableClock(BEGINNING)
    wired = wire(read_settings(environment), clock, ThreadWaker())
    client = TestClient(create_app(wired), raise_server_exceptions=False)
    headers = _signed_in(client, "citizen")
    filing = {"service": "F001", "answers": REQUEST}
    told = client.post("/api/v1/cases", json=filing, headers=headers)
    again = client.post("/api/v1/cases", json=filing, headers=headers)
    if told.status_code != 201:
        tell("refused")
        return
    if told.json() != again.json():
        tell("done_twice")
    with wired.uow.read() as session:
        case = session.get(Case, told.json().get("id"))
    if case is None:
        tell("lost")
        return
    if _leased_twice(wired):
        tell("leased_twice")
    _ask_for_correction(wired, client, case, tell)
    clock.advance(timedelta(days=40))
    drain(wired)
    for violation in violations(wired.uow):
        tell(violation.code)


def _signed_in(client: TestClient, user: str) -> dict[str, str]:
    # Only what follows is broken, and a session would be forgotten too.
    seeded, faults._DEFECT = faults._DEFECT, None
    client.cookies.clear()
    body = {"user_name": user, "password": PASSWORD}
    answer: Any = client.post("/api/v1/session", json=body)
    faults._DEFECT = seeded
    return {"X-CSRF-Token": answer.json()["csrf_token"], "Idempotency-Key": user}


def _leased_twice(wired: Application) -> bool:
    one, other = (
        wired.uow.run(jobs.lease_due, jobs.LeaseDue(name, ["letters"], 5))
        for name in ("one", "other")
    )
    twice = {job.id for job in one} & {job.id for job in other}
    wired.uow.run(jobs.release, jobs.Leases("one", [job.id for job in one] or [""]))
    return bool(twice)


def _ask_for_correction(wired: Application, client: TestClient, case: Case, tell: Tell) -> None:
    drain(wired)
    task = open_task(wired, case)
    wired.uow.run(claim, ClaimTask(actor(wired, "foi_officer"), task.id))
    wired.uow.recent.drop(case.id)
    fields = {"outcome": "correction", "correction_fields": "title", "correction_note": "x"}
    url = f"/api/v1/tasks/{task.id}/complete"
    answer = client.post(url, data=fields, headers=_signed_in(client, "foi_officer"))
    if answer.status_code != 200:
        tell(str(answer.status_code))
