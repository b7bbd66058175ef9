"""Embedded and distributed: the same jobs run; a lost wake-up only costs a few seconds."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.celery_app import Chore
from api.worker.embedded import EmbeddedWorker
from api.worker.waker import waker_for
from engine.store.tables import Letter
from tests.support.play import filed
from tests.support.waiting import eventually


def all_sent(wired: Application) -> bool:
    with wired.uow.read() as session:
        states = list(session.scalars(select(Letter.state)))
    return bool(states) and set(states) == {"sent"}


def opened(environment: dict[str, str]) -> Application:
    wired = wire(read_settings(environment))
    migrate(wired.engine)
    open_office(wired)
    return wired


def test_the_embedded_worker_sends_letters_and_stops_cleanly(tmp_path: Path) -> None:
    wired = opened({"BANSHI_DATA_DIR": str(tmp_path), "BANSHI_DEMO": "1"})
    before = threading.active_count()
    try:
        for _ in range(2):
            worker = EmbeddedWorker(wired.run_due, wired.chores())
            awake = wired.with_waker(worker.waker)
            worker.start()
            try:
                filed(awake)
                assert eventually(lambda: all_sent(wired))
            finally:
                worker.stop()
        assert threading.active_count() == before
    finally:
        wired.close()


def test_chores_are_done_from_time_to_time(tmp_path: Path) -> None:
    wired = opened({"BANSHI_DATA_DIR": str(tmp_path), "BANSHI_DEMO": "1"})
    done: list[str] = []
    chores = [Chore("one", 0.2, lambda: done.append("one")), Chore("two", 0.3, wired.tidy)]
    worker = EmbeddedWorker(wired.run_due, chores)
    try:
        worker.start()
        assert eventually(lambda: len(done) >= 2)
    finally:
        worker.stop()
        wired.close()


def test_an_unreachable_redis_keeps_nobody_from_filing(tmp_path: Path) -> None:
    settings = read_settings(
        {"BANSHI_DATA_DIR": str(tmp_path), "BANSHI_REDIS_URL": "redis://127.0.0.1:1/0"}
    )
    wired = wire(settings)
    try:
        migrate(wired.engine)
        open_office(wired)
        assert filed(wired).reference
        # What Redis did not hear of, the sweep finds.
        assert wired.run_due() >= 1
        assert all_sent(wired)
    finally:
        wired.close()


@pytest.mark.parametrize("url", [None, "redis://127.0.0.1:1/0"])
def test_waking_never_raises(tmp_path: Path, url: str | None) -> None:
    environment = {"BANSHI_DATA_DIR": str(tmp_path)} | ({"BANSHI_REDIS_URL": url} if url else {})
    waker_for(read_settings(environment)).wake(["letter", "mail", "letter"])
