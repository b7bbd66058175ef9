"""An office whose cases of every shipped package ended long ago."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.demo.player import Player
from api.demo.scenario import read_scenario
from api.main import create_app
from api.wiring import Application
from engine.kernel.clock import SettableClock
from tests.support.engine_rest import (
    ADMIN,
    ROOT,
    add_worker,
    deployed,
    fetched,
    job,
    model,
    reported,
    started,
)

PACKAGES = Path(__file__).resolve().parents[2] / "processes"
FILES = sorted(PACKAGES.glob("*/scenarios/*.yaml"))


def played(office: Application, clock: SettableClock) -> Application:
    """Every scenario to its end, and a case of a program's with an external job and a file."""
    for file in FILES:
        outcome = Player(office, clock).play(read_scenario(file.name, file.read_bytes()))
        assert outcome.problem is None
    add_worker(office)
    with TestClient(create_app(office)) as client:
        deployed(client, model(job("work", "print")))
        case_id = started(client, pages=3, note="ein Text")
        (task,) = fetched(client, "print")
        value = {"type": "File", "value": "JVBERi0x", "valueInfo": {"filename": "a.pdf"}}
        answer = reported(client, task["id"], "complete", variables={"plan": value})
        assert answer.status_code == 204, answer.text
        found = client.get(f"{ROOT}/history/process-instance/{case_id}", auth=ADMIN).json()
        assert found["state"] == "COMPLETED"
    clock.set(clock.now() + timedelta(days=400))
    return office


@pytest.fixture
def old_office(office: Application, clock: SettableClock) -> Application:
    return played(office, clock)


@pytest.fixture
def small_old_office(small_office: Application, clock: SettableClock) -> Application:
    """The same on SQLite only."""
    return played(small_office, clock)
