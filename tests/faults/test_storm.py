"""A storm of kills: nothing acknowledged is lost, and nothing is done twice.

``make faults`` runs the whole of it: 500 kills, 4 restarts of the database, 20 flushes of Redis in
three minutes. The usual test run makes a smaller storm.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.settings import read_settings
from api.wiring import Application, wired
from engine.store.tables import Case, Event, Job, Letter, Task
from engine.usecases.invariants import violations
from tests.conftest import leave_out
from tests.faults.support.clients import Client, Told
from tests.faults.support.farm import Farm, farm
from tests.support import servers

log = logging.getLogger("banshi.storm")
WHOLE = os.environ.get("BANSHI_WHOLE_STORM") == "1"
KILLS, SECONDS = (500, 170) if WHOLE else (30, 15)
RESTARTS, FLUSHES = (4, 20) if WHOLE else (1, 3)
CLIENTS = 4
SILENCE, SILENCE_OF_DATABASE = 2.0, 5.0


@pytest.fixture
def running() -> Iterator[Farm]:
    if servers.binary("mariadbd") is None or servers.binary("redis-server") is None:
        leave_out("MariaDB or Redis")
    with farm() as made:
        yield made


def storm(running: Farm, told: Told, chance: random.Random) -> list[tuple[float, float]]:
    """Kill as planned while the clients work; when the database was away, as intervals."""
    stop = threading.Event()
    clients = [Client(running.address, running.database, told) for _ in range(CLIENTS)]
    threads = [threading.Thread(target=client.run, args=(stop,)) for client in clients]
    for thread in threads:
        thread.start()
    plan = [("kill", (n + 1) * SECONDS / (KILLS + 1)) for n in range(KILLS)]
    plan += [("restart", (n + 1) * SECONDS / (RESTARTS + 1)) for n in range(RESTARTS)]
    plan += [("flush", (n + 1) * SECONDS / (FLUSHES + 1)) for n in range(FLUSHES)]
    began, away = time.monotonic(), []
    for what, at in sorted(plan, key=lambda each: each[1]):
        time.sleep(max(0.0, began + at - time.monotonic()))
        if what == "kill":
            running.kill_one(chance)
        elif what == "flush":
            running.flush_redis()
        else:
            before = time.monotonic()
            running.restart_database()
            away.append((before, time.monotonic()))
    stop.set()
    for thread, client in zip(threads, clients, strict=True):
        thread.join(timeout=60)
        assert not thread.is_alive()
        client.close()
    return away


def settled(application: Application) -> None:
    """Wait until no job is due."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        with application.uow.read() as session:
            open_jobs = session.scalar(
                select(func.count())
                .select_from(Job)
                .where(
                    Job.state.in_(["waiting", "running"]),
                    Job.due_at <= application.ports.clock.now(),
                )
            )
        if not open_jobs:
            return
        time.sleep(0.2)
    raise AssertionError("work is left over")


def check(application: Application, told: Told, data: Path) -> None:
    """Everything the clients were told is there once, and all that must hold holds."""
    assert told.wrong == []
    assert list(violations(application.uow)) == []
    with application.uow.read() as session:
        known = set(session.scalars(select(Case.id)))
        assert len(told.filed) == len(set(told.filed)) == len(known)
        assert set(told.filed) == known
        done = Counter(
            case_id
            for case_id, kind in session.execute(select(Event.case_id, Event.kind))
            if kind == "task_completed"
        )
        assert done == Counter(case for case, _ in told.completed)
        claims = session.scalar(
            select(func.count()).select_from(Event).where(Event.kind == "task_claimed")
        )
        assert claims == len(told.claimed)
        assert set(told.claimed) <= set(
            session.scalars(select(Task.id).where(Task.assignee_id.is_not(None)))
        )
        letters = list(session.scalars(select(Letter).where(Letter.address.is_not(None))))
        assert {letter.state for letter in letters} <= {"sent"}
    sent = {path.stem for path in (data / "outbox").glob("*.eml")}
    assert len(sent) >= len(letters)


def silences(told: Told, away: list[tuple[float, float]]) -> tuple[float, float]:
    """The longest silence, and the longest that a restart of the database lies in."""
    plain, of_database, times = 0.0, 0.0, sorted(told.at)
    for a, b in pairwise(times):
        if any(a <= end and b >= start for start, end in away):
            of_database = max(of_database, b - a)
        else:
            plain = max(plain, b - a)
    return plain, of_database


def test_a_storm_loses_nothing(running: Farm, record_property: pytest.RecordProperty) -> None:
    told = Told()
    away = storm(running, told, random.Random(20261124))
    with wired(read_settings(running.environment)) as application:
        settled(application)
        check(application, told, running.data)
    assert running.kills >= KILLS * 0.95
    assert len(told.completed) > SECONDS
    plain, of_database = silences(told, away)
    figures = f"{running.kills} kills, {len(told.filed)} cases, {len(told.at)} answers, "
    figures += f"silence {plain:.2f} s, {of_database:.2f} s with the database"
    record_property("storm", figures)
    log.info(figures)
    assert plain <= SILENCE
    assert of_database <= SILENCE_OF_DATABASE
