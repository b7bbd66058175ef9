"""What polling for external tasks costs: medians in milliseconds on one database.

Run as ``python benchmarks/external_tasks.py [--database URL] [--backlog N] [--idle N]``; without a
database it starts a throw-away MariaDB. Rows of the backlog are copies of one real job.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx2 as httpx
import pymysql
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, text
from sqlalchemy.engine import make_url

from api.demo.office import open_office
from api.main import create_app
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.kernel.ids import new_id
from engine.store.tables import ExternalJob
from engine.usecases.external_jobs import FetchJobs, Topic, fetch_jobs, free_jobs
from tests.support import servers
from tests.support.browser import served
from tests.support.engine_rest import ROOT, WORKER, add_worker, deployed, fetched, job, model
from tests.support.engine_rest import started as begun


def median(run: Callable[[], object], rounds: int) -> float:
    """The median time in milliseconds, after two rounds that do not count."""
    taken = []
    for number in range(rounds + 2):
        began = time.perf_counter()
        run()
        if number >= 2:
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def tell(what: str, value: float) -> None:
    sys.stdout.write(f"{what:55}{value:10.2f}\n")


def fill(wired: Application, rows: int) -> None:
    """Copy the one open job `rows` times, a tenth of them locked."""
    with wired.uow.read() as session:
        first = session.scalars(select(ExternalJob).limit(1)).one()
    columns = [column.name for column in ExternalJob.__table__.columns]
    held = first.created_at + timedelta(days=365)
    for begin in range(0, rows, 5_000):
        copies = [
            {name: getattr(first, name) for name in columns}
            | {"id": new_id(), "key": new_id(), "priority": number % 10}
            | ({"worker": "other", "locked_until": held} if number % 10 == 0 else {})
            for number in range(begin, min(rows, begin + 5_000))
        ]
        wired.uow.run(lambda work, made: work.session.execute(insert(ExternalJob), made), copies)
    if wired.engine.dialect.name != "sqlite":
        with wired.engine.connect() as connection:
            connection.execute(text("ANALYZE TABLE external_jobs"))


def measure(wired: Application, backlog: int) -> None:
    add_worker(wired)
    with TestClient(create_app(wired)) as client:
        deployed(client, model(job("work", "print"))).raise_for_status()
        fetched(client, "print")
        empty = median(lambda: fetched(client, "print"), 50)
        tell("poll over HTTP that finds nothing", empty)
        begun(client, pages=3)

        def fetch() -> None:
            (row,) = fetched(client, "print")
            client.post(f"{ROOT}/external-task/{row['id']}/unlock", auth=WORKER)

        tell("fetch of one job with its variables, and unlock", median(fetch, 50))
    fill(wired, backlog)
    now = wired.ports.clock.now()
    for name, by_priority in (("in order of age", False), ("by priority", True)):
        command = FetchJobs("w", [Topic("print")], 10, by_priority=by_priority)

        def look(command: FetchJobs = command) -> None:
            with wired.uow.read() as session:
                free_jobs(session, command, now, 50)

        def take(command: FetchJobs = command) -> None:
            wired.uow.run(fetch_jobs, command)

        tell(f"find 50 of {backlog} free jobs {name}", median(look, 15))
        tell(f"lock 10 of {backlog} free jobs {name}", median(take, 15))


def idle(wired: Application, polls: int, seconds: float) -> None:
    """The server's share of a core while so many polls wait, the client's own included."""
    with served(wired) as address:

        async def wait() -> float:
            url = f"{address}{ROOT}/external-task/fetchAndLock"
            topics = [{"topicName": "nothing", "lockDuration": 1000}]
            body = {"workerId": "w", "maxTasks": 1, "topics": topics}
            limits = httpx.Limits(max_connections=polls)
            async with httpx.AsyncClient(auth=WORKER, timeout=120, limits=limits) as http:
                timeout = {"asyncResponseTimeout": int(seconds * 1000) + 20_000}
                tasks = [
                    asyncio.create_task(http.post(url, json=body | timeout)) for _ in range(polls)
                ]
                await asyncio.sleep(12)
                before = time.process_time()
                await asyncio.sleep(seconds)
                used = time.process_time() - before
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                return used / seconds

        tell(f"{polls} polls that wait, percent of a core", 100 * asyncio.run(wait()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tell("most memory of this process, MB", memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database")
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--idle", type=int, default=300)
    options = parser.parse_args()
    if options.database is None:
        with servers.mariadb() as url:
            _run(f"{_created(url)}", options.backlog, options.idle)
    else:
        _run(options.database, options.backlog, options.idle)


def _created(server: str) -> str:
    url = make_url(server)
    with (
        pymysql.connect(host=url.host, port=url.port, user="root") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE DATABASE bench CHARACTER SET utf8mb4")
    return url.set(database="bench").render_as_string(hide_password=False)


def _run(url: str, backlog: int, polls: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings(
            {"BANSHI_DATABASE_URL": url, "BANSHI_DATA_DIR": folder, "BANSHI_DEMO": "1"}
        )
        wired = wire(settings, waker=ThreadWaker())
        try:
            migrate(wired.engine)
            open_office(wired)
            measure(wired, backlog)
            idle(wired, polls, 10)
        finally:
            wired.close()


if __name__ == "__main__":
    main()
