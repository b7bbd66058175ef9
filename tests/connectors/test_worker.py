"""Workers that call: killed in between, slow, one after the other, and over Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.embedded import EmbeddedWorker
from engine.store import jobs
from engine.store.tables import ExternalJob, Job
from engine.store.uow import Work
from engine.usecases.external_jobs import FetchJobs, Topic, fetch_jobs
from tests.connectors.conftest import OpenOffice
from tests.faults.test_worker import eventually
from tests.support.connector_models import calling, calls_of, data_of, incidents_of, waiting_of
from tests.support.play import done, drain, open_task
from tests.support.small_package import begun, published
from tests.support.web import Asked, Reply, WebServer, web_server

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
from api.settings import read_settings
from api.wiring import wire
from tests.support.play import drain
drain(wire(read_settings()))
"""


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[tuple[Application, dict[str, str]]]:
    """An office on the machine's clock, and its environment for other processes."""
    environment = {
        "BANSHI_DATABASE_URL": database_url,
        "BANSHI_DATA_DIR": str(tmp_path),
        "BANSHI_DEMO": "1",
        "BANSHI_CONNECTOR_HOSTS": "127.0.0.1:65000",
    }
    wired = wire(read_settings(environment))
    migrate(wired.engine)
    open_office(wired)
    yield wired, environment
    wired.close()


def killed(environment: dict[str, str], server: WebServer, point: str) -> None:
    made = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=ROOT,
        env={
            **os.environ,
            **environment,
            "BANSHI_CONNECTOR_HOSTS": f"127.0.0.1:{server.port}",
            "BANSHI_CRASH_AT": point,
            "PYTHONPATH": str(ROOT),
        },
        timeout=60,
        check=False,
    )
    assert made.returncode == 137


def end_leases(work: Work, _: None) -> None:
    for job in work.session.scalars(select(Job).where(Job.state == "running")):
        job.leased_until = job.created_at


@pytest.mark.parametrize(
    ("point", "calls"), [("connector_called", 2), ("job_acted", 1)], ids=["before", "after"]
)
def test_killed_between_the_call_and_its_report(
    opened: tuple[Application, dict[str, str]], point: str, calls: int
) -> None:
    """Before the answer is kept the call is repeated with its key; after that it is not."""
    wired, environment = opened
    with web_server(Reply(body=b'{"n": 1}')) as server:
        task = {"url": server.url, "method": "POST", "body": "{}", "result_variable": "made"}
        published(wired, calling("http", **task))
        case = begun(wired)
        done(wired, case, "a", "foi_officer")
        killed(environment, server, point)
        assert len(server.asked) == 1
        assert waiting_of(wired, case).state == "open"
        wired.uow.run(end_leases, None)
        with_server = {"BANSHI_CONNECTOR_HOSTS": f"127.0.0.1:{server.port}"}
        other = wire(read_settings(environment | with_server))
        drain(other)
        other.close()
        assert len(server.asked) == calls
        assert len(set(server.keys)) == 1
    assert open_task(wired, case).element == "b"
    assert data_of(wired, case)["made"] == {"n": 1}
    assert [job.state for job in calls_of(wired, case)] == ["done"]


def test_what_must_not_be_done_twice_waits_for_an_operator_after_a_crash(
    opened: tuple[Application, dict[str, str]],
) -> None:
    wired, environment = opened
    with web_server(Reply()) as server:
        task = {"url": server.url, "method": "POST", "repeatable": "false"}
        published(wired, calling("http", **task))
        case = begun(wired)
        done(wired, case, "a", "foi_officer")
        killed(environment, server, "connector_called")
        wired.uow.run(end_leases, None)
        drain(wired)
        assert len(server.asked) == 1
    assert incidents_of(wired, case)[0].detail == (
        "it is not known whether the last call was carried out"
    )


def test_slow_calls_keep_nobody_else_waiting(tmp_path: Path) -> None:
    """Other jobs are done while every call hangs, in one process with two threads."""
    go_on = threading.Event()

    def hanging(asked: Asked) -> Reply:
        go_on.wait(30)
        return Reply()

    with web_server(hanging) as server:
        environment = {
            "BANSHI_DATA_DIR": str(tmp_path),
            "BANSHI_DEMO": "1",
            "BANSHI_CONNECTOR_HOSTS": f"127.0.0.1:{server.port}",
        }
        wired = wire(read_settings(environment))
        migrate(wired.engine)
        open_office(wired)
        published(wired, calling("http", url=server.url, timeout="60"))
        cases = [begun(wired) for _ in range(3)]
        worker = EmbeddedWorker(wired.run_due)
        awake = wired.with_waker(worker.waker)
        worker.start()
        try:
            for case in cases:
                done(awake, case, "a", "foi_officer")
            assert eventually(lambda: len(server.asked) == 1)
            awake.uow.run(promise_message, None)
            assert eventually(lambda: message_job(wired).state == "done")
            assert len(server.asked) == 1
            go_on.set()
            assert eventually(lambda: all(is_done(wired, case.id) for case in cases))
        finally:
            go_on.set()
            worker.stop()
            wired.close()


def promise_message(work: Work, _: None) -> None:
    jobs.promise(work, "message", "while-all-hang", {"message_id": "none"})


def message_job(wired: Application) -> Job:
    with wired.uow.read() as session:
        return session.scalars(select(Job).where(Job.unique_key == "while-all-hang")).one()


def is_done(wired: Application, case_id: str) -> bool:
    with wired.uow.read() as session:
        return (
            session.scalar(select(ExternalJob.state).where(ExternalJob.case_id == case_id))
            == "done"
        )


def test_a_celery_worker_calls_over_redis(redis_url: str, tmp_path: Path) -> None:
    with web_server(Reply(body=b"7")) as server:
        environment = {
            "BANSHI_DATA_DIR": str(tmp_path),
            "BANSHI_REDIS_URL": redis_url,
            "BANSHI_DEMO": "1",
            "BANSHI_CONNECTOR_HOSTS": f"127.0.0.1:{server.port}",
        }
        wired = wire(read_settings(environment))
        migrate(wired.engine)
        open_office(wired)
        published(wired, calling("http", url=server.url, result_variable="n"))
        worker = subprocess.Popen(
            [sys.executable, "-c", "from api.cli import main; main()", "worker"],
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            case = begun(wired)
            done(wired, case, "a", "foi_officer")
            assert eventually(lambda: is_done(wired, case.id))
        finally:
            worker.terminate()
            worker.wait(timeout=20)
            wired.close()
    assert data_of(wired, case)["n"] == 7


def test_no_job_worker_is_given_what_a_connector_does(open_small_with: OpenOffice) -> None:
    office = open_small_with()
    published(office, calling("http", url="https://api.example.org/"))
    case = begun(office)
    done(office, case, "a", "foi_officer")
    assert waiting_of(office, case).topic == "connector:http"
    assert office.uow.run(fetch_jobs, FetchJobs("stranger", [Topic("connector:http")])) == []


def test_a_pause_grows_from_try_to_try(open_small_with: OpenOffice) -> None:
    from engine.kernel.clock import SettableClock

    with web_server(Reply(status=500)) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        clock = office.ports.clock
        assert isinstance(clock, SettableClock)
        published(office, calling("http", url=server.url, retries="8"))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        pauses = []
        for _ in range(7):
            drain(office)
            due = calls_of(office, case)[-1].due_at
            pauses.append((due - clock.now()) / timedelta(seconds=1))
            clock.set(due)
    assert pauses == [10, 30, 90, 270, 810, 2430, 3600]
