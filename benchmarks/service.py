"""The product as people meet it: over HTTP, many at one queue, many timers at once.

Run as ``python -m benchmarks.service [--json] [--rounds N]``, on one MariaDB:

http    the twelve-activity case over HTTP with session, permission, form and audit: one filing and
        four tasks; CPU milliseconds a case, server and database together
claims  fifty clients take the next task of one queue, by the use case, from two processes
timers  waiting timers that fall due at once, fired by one worker
start   a process with 100 published packages: seconds until it has answered; and the memory of the
        web process with its worker when nothing happens
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2 as httpx
from sqlalchemy import func, select, text

from api.demo.office import PASSWORD
from api.settings import read_settings
from api.wiring import wire, wired
from api.worker.waker import ThreadWaker
from benchmarks.case12 import TASKS, answers, package
from benchmarks.measure import children_of, database, machine, memory_mb, process_seconds, tell
from benchmarks.office import Office
from engine.domain.access import SYSTEM
from engine.kernel.clock import SettableClock, SystemClock
from engine.store.tables import Job, Task, User
from engine.usecases.claim import ClaimNextTask, claim_next
from engine.usecases.definition import definition
from engine.usecases.job_runner import run_due
from engine.usecases.people import actor_of
from engine.usecases.publish import PublishPackage, publish

CLIENTS = 50
SERVER = """
import os, sys, uvicorn
from api.main import create_app
from api.memory import settle
from api.settings import read_settings
from api.wiring import wire
from api.worker.embedded import EmbeddedWorker
wired = wire(read_settings())
worker = EmbeddedWorker(wired.run_due, wired.chores())
app = create_app(wired.with_waker(worker.waker), worker)
settle()
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""


@contextmanager
def server(environment: dict[str, str]) -> Iterator[tuple[str, int, float]]:
    """The web process with its worker: address, process id, and seconds until it answered."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)], env={**os.environ, **environment}
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                if httpx.get(f"{address}/api/v1/health", timeout=1).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.02)
        yield address, process.pid, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(timeout=20)


def environment_of(office: Office) -> dict[str, str]:
    settings = office.wired.settings
    return {
        "BANSHI_DATABASE_URL": settings.database_url,
        "BANSHI_DATA_DIR": str(settings.data_dir),
        "PYTHONPATH": os.getcwd(),
    }


def over_http(office: Office, database_pid: int, rounds: int, cases: int) -> dict[str, Any]:
    with (
        server(environment_of(office)) as (address, pid, _),
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        body = {"user_name": "citizen", "password": PASSWORD}
        token = client.post("/api/v1/session", json=body).json()["csrf_token"]
        client.headers["X-CSRF-Token"] = token
        values = []
        for round_ in range(rounds + 1):
            server_before, database_before = _seconds(pid), process_seconds(database_pid)
            _play(client, office, cases, token)
            spent = _seconds(pid) - server_before
            spent_there = process_seconds(database_pid) - database_before
            if round_:
                values.append(((spent + spent_there) / cases * 1000, spent / cases * 1000))
    return {
        "cpu_ms": round(statistics.median(value[0] for value in values), 2),
        "server_ms": round(statistics.median(value[1] for value in values), 2),
        "spread": [round(f(value[0] for value in values), 2) for f in (min, max)],
    }


def _play(client: httpx.Client, office: Office, count: int, token: str) -> None:
    made = []
    for number in range(count):
        filing = {"service": "F001", "answers": answers(number)}
        answer = client.post("/api/v1/cases", json=filing)
        answer.raise_for_status()
        made.append(answer.json())
    references = {case["id"]: case["reference"] for case in made}
    for name in TASKS:
        with office.wired.uow.read() as session:
            rows = session.execute(
                select(Task.id, Task.case_id).where(
                    Task.case_id.in_(list(references)), Task.state == "open", Task.element == name
                )
            ).all()
        for row in rows:
            fields = {"csrf": token, "urgent": "true", "comment": "in order"}
            path = f"/cases/{references[row.case_id]}/tasks/{row.id}"
            answer = client.post(path, data=fields, follow_redirects=False)
            if answer.status_code != 303:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")


def _seconds(pid: int) -> float:
    return process_seconds(pid) + sum(process_seconds(child) for child in children_of(pid))


def claims(office: Office, count: int) -> dict[str, Any]:
    """Fifty clients in two processes take tasks of one department until none is left."""
    office.fill_queue(count)
    environment = environment_of(office)
    queue: Any = multiprocessing.get_context("spawn").Queue()
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    workers = [
        context.Process(target=_claim, args=(environment, CLIENTS // 2, start, queue))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    results = [queue.get(timeout=300) for _ in workers]
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    taken = [id_ for ids, _ in results for id_ in ids]
    waits = sorted(wait for _, each in results for wait in each)
    if len(taken) != len(set(taken)) or len(taken) != count:
        raise RuntimeError(f"{len(taken)} claims of {count} tasks")
    return {
        "claims_a_second": round(len(taken) / seconds),
        "p50_ms": round(waits[len(waits) // 2] * 1000, 1),
        "p95_ms": round(waits[len(waits) * 95 // 100] * 1000, 1),
    }


def _claim(environment: dict[str, str], clients: int, start: Any, queue: Any) -> None:
    application = wire(read_settings(environment), waker=ThreadWaker())
    with application.uow.read() as session:
        officer = actor_of(
            session.scalars(select(User).where(User.user_name == "foi_officer")).one()
        )
    taken: list[str] = []
    waits: list[float] = []

    def client() -> None:
        while True:
            began = time.perf_counter()
            task = application.uow.run(claim_next, ClaimNextTask(officer))
            if task is None:
                return
            taken.append(task.id)
            waits.append(time.perf_counter() - began)

    start.wait()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put((taken, waits))
    application.close()


def timers(office: Office, count: int, database_pid: int) -> dict[str, Any]:
    """One worker fires `count` timers that are due at once, each with a step of its case."""
    made = 0
    while made < count:
        made += len(office.create_together(min(50, count - made)))
    clock = SettableClock(SystemClock().now() + timedelta(days=4))
    application = wire(office.wired.settings, clock, ThreadWaker())
    began, cpu = time.perf_counter(), time.process_time()
    there = process_seconds(database_pid)
    fired = run_due(application.uow, at_most=count * 2)
    spent = time.process_time() - cpu + process_seconds(database_pid) - there
    seconds = time.perf_counter() - began
    with application.uow.read() as session:
        left = session.scalar(
            select(func.count())
            .select_from(Job)
            .where(Job.kind == "timer", Job.due_at < clock.now())
        )
    application.close()
    if left or fired < count:
        raise RuntimeError(f"{left} timers were not fired")
    return {
        "timers_a_second": round(fired / seconds),
        "timers_a_core_second": round(fired / spent),
    }


def start_up(office: Office, packages: int) -> dict[str, Any]:
    """The time until a process with many definitions answers, and what it holds at rest."""
    for number in range(packages):
        files = {
            name: content.replace(b"case12", b"case12_%d" % number)
            for name, content in package().items()
        }
        files["package.toml"] = files["package.toml"].replace(
            b'"BM"', b'"B%c%c"' % (65 + number // 26, 65 + number % 26)
        )
        office.wired.uow.run(publish, PublishPackage(SYSTEM, files))
    with server(environment_of(office)) as (_, pid, seconds):
        time.sleep(3)
        idle = memory_mb(pid) + sum(memory_mb(child) for child in children_of(pid))
    with wired(read_settings(environment_of(office))) as application:
        with application.uow.read() as session:
            ids = list(session.scalars(text("SELECT id FROM package_versions")))
        began = time.perf_counter()
        with application.uow.read() as session:
            for id_ in ids:
                definition(session, id_, application.ports)
        reading = time.perf_counter() - began
    return {
        "definitions": len(ids),
        "seconds_until_it_answers": round(seconds, 2),
        "seconds_to_read_all_definitions": round(reading, 2),
        "idle_mb": round(idle),
    }


def measure(rounds: int) -> dict[str, Any]:
    with database() as (url, pid), Office.opened(url) as office:
        return {
            "machine": machine(),
            "http": over_http(office, pid, rounds, 40),
            "timers": timers(office, 2_000, pid),
            "claims": claims(office, 1_500),
            "start": start_up(office, 100),
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found = measure(given.rounds)
    tell(found, given.json)
