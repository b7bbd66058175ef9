"""Pages while ten thousand timers, due since an outage, are fired.

Run as ``python -m benchmarks.timers_due [--json] [--timers N]``, on one MariaDB:

quiet     nothing is due
separate  a worker process of its own fires them
embedded  the worker inside the web process does

For each the milliseconds of the applicant's status page and of the officer's inbox, asked for by
two people each with a short pause in between: median, 95 of 100, and the longest; and how long the
timers took.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx
from sqlalchemy import func, select, text

from api.demo.office import PASSWORD
from api.settings import read_settings
from api.wiring import wire
from api.worker.waker import ThreadWaker
from benchmarks.measure import database, machine, tell
from benchmarks.office import Office
from benchmarks.service import environment_of, server
from engine.store.tables import Case, Job

PAUSE = 0.05
QUIET_SECONDS = 8.0
PEOPLE = 2
"""Who ask for each of the pages."""
WITHOUT_WORKER = """
import sys, uvicorn
from api.main import create_app
from api.settings import read_settings
from api.wiring import wire
from api.worker.waker import ThreadWaker
app = create_app(wire(read_settings(), waker=ThreadWaker()))
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""


@contextmanager
def web(environment: dict[str, str]) -> Iterator[str]:
    """A web process that runs no jobs; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", WITHOUT_WORKER, str(port)]
    process = subprocess.Popen(command, env={**os.environ, **environment})
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                if httpx.get(f"{address}/api/v1/health", timeout=1).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


class People:
    """Who ask for pages again and again, and note how long each took."""

    def __init__(self, address: str, reference: str) -> None:
        self._address = address
        self._pages = {"page": ("citizen", f"/cases/{reference}"), "inbox": ("foi_officer", INBOX)}
        self._stop = threading.Event()
        self._took: dict[str, list[float]] = {name: [] for name in self._pages}

    def ask_while(self, act: Callable[[], Any]) -> Any:
        """What `act` gives; meanwhile everybody asks."""
        threads = [
            threading.Thread(target=self._ask, args=(name, *page))
            for name, page in self._pages.items()
            for _ in range(PEOPLE)
        ]
        for thread in threads:
            thread.start()
        try:
            return act()
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _ask(self, name: str, user: str, path: str) -> None:
        with httpx.Client(base_url=self._address, timeout=60) as client:
            body = {"user_name": user, "password": PASSWORD}
            client.post("/api/v1/session", json=body).raise_for_status()
            client.get(path).raise_for_status()
            while not self._stop.is_set():
                began = time.perf_counter()
                client.get(path).raise_for_status()
                self._took[name].append((time.perf_counter() - began) * 1000)
                time.sleep(PAUSE)

    def figures(self) -> dict[str, Any]:
        return {name: _spread(sorted(took)) for name, took in self._took.items()}


INBOX = "/api/v1/tasks?view=department"


def _spread(took: list[float]) -> dict[str, Any]:
    return {
        "p50_ms": round(took[len(took) // 2], 1),
        "p95_ms": round(took[len(took) * 95 // 100], 1),
        "max_ms": round(took[-1], 1),
        "requests": len(took),
    }


def make_due(office: Office, count: int) -> None:
    """Cases whose timer should have fired an hour ago."""
    made = 0
    while made < count:
        made += len(office.create_together(min(50, count - made)))
    with office.wired.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE jobs SET due_at = UTC_TIMESTAMP(6) - INTERVAL 1 HOUR "
                "WHERE kind = 'timer' AND state = 'waiting'"
            )
        )


def left(office: Office) -> int:
    """How many timers are due."""
    with office.wired.uow.read() as session:
        now = office.wired.ports.clock.now()
        due = select(func.count()).select_from(Job).where(Job.kind == "timer", Job.due_at < now)
        return session.scalar(due) or 0


def until_none_is_left(office: Office) -> float:
    began = time.perf_counter()
    while left(office):
        time.sleep(0.2)
    return time.perf_counter() - began


def _work(environment: dict[str, str], stop: Any) -> None:
    application = wire(read_settings(environment), waker=ThreadWaker())
    while not stop.is_set():
        if application.run_due(["timers"]) == 0:
            time.sleep(0.1)
    application.close()


def fired_by_a_process(office: Office) -> float:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    worker = context.Process(target=_work, args=(environment_of(office), stop))
    worker.start()
    seconds = until_none_is_left(office)
    stop.set()
    worker.join()
    return seconds


def _with_timers(people: People, act: Callable[[], float], count: int) -> dict[str, Any]:
    seconds = people.ask_while(act)
    return people.figures() | {
        "seconds": round(seconds, 1),
        "timers_a_second": round(count / seconds),
    }


def measure(count: int) -> dict[str, Any]:
    with database() as (url, _), Office.opened(url) as office:
        case = office.create(0)
        made = {"machine": machine(), "timers": count}
        make_due(office, count)
        environment = environment_of(office)
        office.fill_queue(500)
        with office.wired.uow.read() as session:
            reference = session.get_one(Case, case.id).reference
        with web(environment) as address:
            quiet = People(address, reference)
            quiet.ask_while(lambda: time.sleep(QUIET_SECONDS))
            made["quiet"] = quiet.figures()
            people = People(address, reference)
            made["separate"] = _with_timers(people, lambda: fired_by_a_process(office), count)
        office.take_over()
        make_due(office, count)
        with server(environment) as (address, _, _):
            people = People(address, reference)
            made["embedded"] = _with_timers(people, lambda: until_none_is_left(office), count)
        return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--timers", type=int, default=10_000)
    given = parser.parse_args()
    found = measure(given.timers)
    tell(found, given.json)
