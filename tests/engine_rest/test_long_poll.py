"""Long polls: woken soon, waiting without a thread or a connection, ended when unwanted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from api.engine_rest import bell as bells
from api.engine_rest.bell import Bell, TooManyWaiting
from api.main import create_app
from api.wiring import Application
from engine.store.tables import ExternalJob
from engine.usecases.external_jobs import FetchJobs, Topic, fetch_jobs
from tests.support.browser import served
from tests.support.engine_rest import (
    ROOT,
    WORKER,
    add_worker,
    deployed,
    fetched,
    job,
    model,
    reported,
    started,
)
from tests.support.waiting import eventually

WAITING = 60


def poll(topic: str, wait: int, worker: str = "w") -> dict[str, object]:
    topics = [{"topicName": topic, "lockDuration": 60_000}]
    return {
        "workerId": worker,
        "maxTasks": 1,
        "asyncResponseTimeout": wait,
        "topics": topics,
    }


def test_a_poll_without_work_ends_in_time(client: TestClient) -> None:
    began = time.monotonic()
    assert fetched(client, "none", asyncResponseTimeout=600) == []
    assert time.monotonic() - began >= 0.6


def test_many_wait_at_once_and_each_job_wakes_one(
    office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_worker(office)
    rung: list[Bell] = []
    wait = Bell.wait

    async def watched(self: Bell, topics: Collection[str], seconds: float) -> bool:
        rung.append(self)
        return await wait(self, topics, seconds)

    monkeypatch.setattr(Bell, "wait", watched)
    with served(office) as address, TestClient(create_app(office)) as client:
        deployed(client, model(job("work", "print")))
        url = f"{address}{ROOT}/external-task/fetchAndLock"
        before = threading.active_count()

        def all_wait() -> bool:
            held: int = office.engine.pool.checkedout()  # type: ignore[attr-defined]
            return bool(rung) and rung[0].waiting == WAITING and held == 0

        async def all_of_them() -> list[httpx.Response]:
            limits = httpx.Limits(max_connections=WAITING)
            async with httpx.AsyncClient(auth=WORKER, timeout=30, limits=limits) as http:
                polls = [
                    asyncio.create_task(http.post(url, json=poll("print", 8_000, f"w{n}")))
                    for n in range(WAITING)
                ]
                # More wait than the server has threads or the database connections.
                assert await asyncio.to_thread(eventually, all_wait)
                assert threading.active_count() - before < WAITING
                for _ in range(3):
                    await asyncio.to_thread(started, client)
                return await asyncio.gather(*polls)

        answers = [response.json() for response in asyncio.run(all_of_them())]
    ids = [row["id"] for rows in answers for row in rows]
    assert len(answers) == WAITING
    assert len(ids) == len(set(ids)) == 3


def test_a_hung_up_poll_takes_no_job(small_office: Application) -> None:
    add_worker(small_office)
    with served(small_office) as address, TestClient(create_app(small_office)) as client:
        deployed(client, model(job("work", "print")))
        url = f"{address}{ROOT}/external-task/fetchAndLock"
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json=poll("print", 20_000), auth=WORKER, timeout=1)
        time.sleep(0.5)
        started(client)
        time.sleep(1.5)
        (task,) = fetched(client, "print", worker="other")
        assert task["workerId"] == "other"


def test_polls_that_find_nothing_write_nothing(client: TestClient, office: Application) -> None:
    fetched(client, "print")
    written: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN", "ROLLBACK", "SET")):
            written.append(statement)

    event.listen(office.engine, "before_cursor_execute", note)
    fetched(client, "print", asyncResponseTimeout=1_000)
    event.remove(office.engine, "before_cursor_execute", note)
    assert written == []


def test_workers_at_once_never_get_the_same_job(client: TestClient, office: Application) -> None:
    deployed(client, model(job("work", "print")))
    for _ in range(24):
        started(client)

    def work(number: int) -> list[str]:
        found: list[str] = []
        for _ in range(12):
            command = FetchJobs(f"w{number}", [Topic("print")], 2, by_priority=True)
            rows: list[ExternalJob] = office.uow.run(fetch_jobs, command)
            found += [row.id for row in rows]
        return found

    with ThreadPoolExecutor(6) as pool:
        ids = Counter(id_ for each in pool.map(work, range(6)) for id_ in each)
    assert len(ids) == 24
    assert set(ids.values()) == {1}


def test_reports_at_once_are_taken_once(client: TestClient, office: Application) -> None:
    deployed(client, model(job("work", "print")))
    started(client)
    (task,) = fetched(client, "print")
    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(lambda _: reported(client, task["id"], "complete"), range(6))
        codes = Counter(answer.status_code for answer in answers)
    assert codes == {204: 1, 404: 5}


def test_the_bell_rings_for_those_who_waited_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bells, "EVERY", 0.01)
    free: dict[str, int] = {}
    asked: list[Collection[str]] = []

    def look(topics: Collection[str]) -> dict[str, int]:
        asked.append(topics)
        return dict(free)

    async def play() -> list[bool]:
        bell = Bell(look, at_most=4)
        waits = [asyncio.create_task(bell.wait(topics, 0.5)) for topics in ("a", "a", "b", "ab")]
        await asyncio.sleep(0.1)
        with pytest.raises(TooManyWaiting):
            await bell.wait("a", 1)
        free["a"] = 1
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        free.clear()
        rung = list(await asyncio.gather(*waits))
        assert bell.waiting == 0
        return rung

    assert asyncio.run(play()) == [True, False, False, False]
    assert set(asked[0]) == {"a", "b"}


def test_the_bell_goes_on_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bells, "EVERY", 0.01)
    monkeypatch.setattr(bells, "_AFTER_FAILURE", 0.01)
    looks = iter(range(100))

    def look(topics: Collection[str]) -> dict[str, int]:
        if next(looks) < 3:
            raise OSError("away")
        return dict.fromkeys(topics, 1)

    assert asyncio.run(Bell(look).wait(["a"], 5)) is True
