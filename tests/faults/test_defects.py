"""A seeded defect is noticed: were the product so broken, the checks would say so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.kernel.faults import DEFECTS

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = """
from datetime import timedelta
from fastapi.testclient import TestClient
from sqlalchemy import select
from api.demo.office import PASSWORD, open_office
from api.main import create_app
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import wire
from api.worker.waker import ThreadWaker
from engine.kernel.clock import SettableClock
from engine.store import jobs
from engine.store.tables import Case, Job
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.invariants import violations
from tests.conftest import BEGINNING
from tests.support.play import REQUEST, actor, drain, open_task

clock = SettableClock(BEGINNING)
wired = wire(read_settings(), clock, ThreadWaker())
migrate(wired.engine)
"""
PLAY = """
import engine.kernel.faults as faults
# The office is opened in order; only what follows is broken.
faults._DEFECT = os.environ["SEEDED"] or None
client = TestClient(create_app(wired))
def sign_in(user):
    body = {"user_name": user, "password": PASSWORD}
    answer = client.post("/api/v1/session", json=body)
    return {"X-CSRF-Token": answer.json()["csrf_token"], "Idempotency-Key": user}
headers = sign_in("citizen")
told = client.post("/api/v1/cases", json={"service": "F001", "answers": REQUEST}, headers=headers)
again = client.post("/api/v1/cases", json={"service": "F001", "answers": REQUEST}, headers=headers)
if told.status_code != 201:
    print("refused", told.text)
elif told.json() != again.json():
    print("done_twice")
with wired.uow.read() as session:
    case = session.get(Case, told.json().get("id"))
if case is None:
    print("lost")
else:
    one = wired.uow.run(jobs.lease_due, jobs.LeaseDue("one", ["letters"], 5))
    other = wired.uow.run(jobs.lease_due, jobs.LeaseDue("other", ["letters"], 5))
    if {job.id for job in one} & {job.id for job in other}:
        print("leased_twice")
    wired.uow.run(jobs.release, jobs.Leases("one", [job.id for job in one] or [""]))
    drain(wired)
    who = actor(wired, "foi_officer")
    task = open_task(wired, case)
    wired.uow.run(claim, ClaimTask(who, task.id))
    wired.uow.recent.drop(case.id)
    client.cookies.clear()
    headers = sign_in("foi_officer")
    url = f"/api/v1/tasks/{task.id}/complete"
    fields = {"outcome": "correction", "correction_fields": "title", "correction_note": "x"}
    answer = client.post(url, data=fields, headers=headers)
    print(answer.status_code) if answer.status_code != 200 else None
    clock.advance(timedelta(days=40))
    drain(wired)
    for violation in violations(wired.uow):
        print(violation.code)
"""
NOTICED = {
    "": set(),
    "audit_unchained": {"audit_broken"},
    "commit_forgotten": {"lost"},
    "key_forgotten": {"done_twice"},
    "lease_ignored": {"leased_twice"},
    "outbox_forgotten": {"promise_missing"},
    "state_forgotten": {"row_missing", "row_unfounded"},
    "timer_kept": {"closed_case_waits"},
}


def found_with(seeded: str, folder: Path) -> set[str]:
    """What the checks say of a small office with this defect."""
    made = subprocess.run(
        [sys.executable, "-c", f"import os\n{SCENARIO}\nopen_office(wired)\n{PLAY}"],
        cwd=ROOT,
        env={
            **os.environ,
            "BANSHI_DATA_DIR": str(folder),
            "BANSHI_DEMO": "1",
            "PYTHONPATH": str(ROOT),
            "SEEDED": seeded,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return set(made.stdout.split())


def test_there_is_a_line_for_every_defect() -> None:
    assert set(NOTICED) == {"", *DEFECTS}


@pytest.mark.parametrize("seeded", sorted(NOTICED))
def test_it_is_noticed(seeded: str, tmp_path: Path) -> None:
    found = found_with(seeded, tmp_path)
    assert bool(found & NOTICED[seeded]) == bool(seeded), found
    if not seeded:
        assert found == set()


def test_no_defect_without_permission(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", "from engine.kernel.faults import defect as d\n"
         "print([name for name in __import__('engine.kernel.faults').kernel.faults.DEFECTS"
         " if d(name)])"],
        cwd=ROOT,
        env={**os.environ, "BANSHI_DEFECT": "key_forgotten", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert made.stdout.strip() == "[]"
