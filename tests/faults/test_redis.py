"""Redis away from the start, forgetful, frozen or dead: no job is lost, and nobody waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.celery_app import SWEEP_SECONDS
from engine.store.tables import Job, Letter
from engine.usecases.invariants import violations
from tests.conftest import leave_out
from tests.faults.support.broker import Broker
from tests.faults.support.people import browsers
from tests.support import servers
from tests.support.play import REQUEST

ROOT = Path(__file__).resolve().parents[2]
BORN = 30.0
"""How long a worker may take to start on a busy machine."""


@pytest.fixture
def broker() -> Iterator[Broker]:
    if servers.binary("redis-server") is None:
        leave_out("Redis")
    made = Broker()
    yield made
    made.kill()


@pytest.fixture
def office(broker: Broker, tmp_path: Path) -> Iterator[Application]:
    """An office with a Celery worker of its own, and no beat: nothing but wake-ups comes."""
    environment = {
        "BANSHI_DATA_DIR": str(tmp_path),
        "BANSHI_REDIS_URL": broker.url,
        "BANSHI_DEMO": "1",
    }
    wired = wire(read_settings(environment))
    migrate(wired.engine)
    open_office(wired)
    worker = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", "worker"],
        cwd=ROOT,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield wired
    finally:
        # It lets its running jobs end, and ends, whether Redis is there or not.
        worker.terminate()
        try:
            assert worker.wait(timeout=20) == 0
        finally:
            worker.kill()
            wired.close()


def filed_in(wired: Application) -> float:
    """How long somebody waits who signs in and files a case."""
    began = time.monotonic()
    with browsers(wired, "citizen") as (citizen,):
        answer = citizen.post("/api/v1/cases", json={"service": "F001", "answers": REQUEST})
        assert answer.status_code == 201, answer.text
    return time.monotonic() - began


def done_in(wired: Application, patience: float) -> float:
    """How long it takes until no job is due."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        with wired.uow.read() as session:
            due = session.scalar(
                select(func.count())
                .select_from(Job)
                .where(Job.state.in_(["waiting", "running"]), Job.due_at <= wired.ports.clock.now())
            )
        if not due:
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError("a job is left over")


def test_a_redis_that_comes_and_goes(broker: Broker, office: Application) -> None:
    slack = 3.0
    assert filed_in(office) < slack
    done_in(office, BORN)
    phases = {
        "never there": lambda: None,
        "there": broker.start,
        "flushed": broker.flush,
        "frozen": broker.freeze,
        "back": broker.thaw,
        "dead": broker.kill,
    }
    for name, begin in phases.items():
        begin()
        for _ in range(2):
            assert filed_in(office) < slack, name
        assert done_in(office, 20) < SWEEP_SECONDS + slack, name
    with office.uow.read() as session:
        states = list(session.scalars(select(Letter.state)))
    assert len(states) == 1 + 2 * len(phases)
    assert set(states) == {"sent"}
    assert list(violations(office.uow)) == []


def test_a_wake_up_is_quick_while_redis_is_there(broker: Broker, office: Application) -> None:
    """Otherwise the sweep alone would do, and nobody would notice."""
    broker.start()
    filed_in(office)
    done_in(office, BORN)
    deadline, times = time.monotonic() + BORN, []
    while time.monotonic() < deadline and (not times or min(times) > 1):
        filed_in(office)
        times.append(done_in(office, 20))
    assert min(times) < 1
