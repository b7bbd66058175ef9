"""People who file and handle cases over HTTP, and remember what they were told."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from uuid import uuid4

import httpx2 as httpx

from api.demo.office import PASSWORD
from tests.faults.support.farm import Database
from tests.support.play import REQUEST

PATIENCE = 30.0


class Refused(Exception):
    """An answer that a repeated request with one key must never get."""


@dataclass
class Told:
    """What the service acknowledged, by all clients; `at` are the instants of it."""

    filed: list[str] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    completed: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Client:
    """A citizen and an officer at one keyboard; every request is sent until it is answered."""

    def __init__(self, address: str, database: Database, told: Told) -> None:
        self._address, self._database, self._told = address, database, told
        self._tokens: dict[str, str] = {}
        self._sessions = {name: self._signed_in(name) for name in ("citizen", "foi_officer")}

    def _signed_in(self, user: str) -> httpx.Client:
        client = httpx.Client(base_url=self._address, timeout=10)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = client.post(
                    "/api/v1/session", json={"user_name": user, "password": PASSWORD}
                )
                if answer.status_code == 200:
                    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
                    return client
            except httpx.HTTPError:
                pass
            if time.monotonic() > end:
                raise TimeoutError(user)
            time.sleep(0.05)

    def send(self, user: str, path: str, **body: object) -> httpx.Response:
        """Send until there is an answer; the key makes sending again harmless."""
        key, end = uuid4().hex, time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._sessions[user].post(
                    path,
                    headers={"Idempotency-Key": key},
                    **body,  # type: ignore[arg-type]
                )
                if answer.status_code < 500:
                    break
                if answer.status_code != 503:
                    raise Refused(f"{path}: {answer.status_code} {answer.text[:200]}")
            except httpx.HTTPError:
                pass
            if time.monotonic() > end:
                raise TimeoutError(path)
            time.sleep(0.03)
        if answer.status_code >= 400:
            raise Refused(f"{path}: {answer.status_code} {answer.text[:200]}")
        with self._told.lock:
            self._told.at.append(time.monotonic())
        return answer

    def one_case(self) -> None:
        """File a case, claim its first task and finish it."""
        body = {"service": "F001", "answers": REQUEST}
        case = self.send("citizen", "/api/v1/cases", json=body).json()["id"]
        with self._told.lock:
            self._told.filed.append(case)
        task = self._task_of(case)
        self.send("foi_officer", f"/api/v1/tasks/{task}/claim")
        with self._told.lock:
            self._told.claimed.append(task)
        self.send("foi_officer", f"/api/v1/tasks/{task}/complete", data={"outcome": "accept"})
        with self._told.lock:
            self._told.completed.append((case, task))

    def close(self) -> None:
        """Hang up."""
        for session in self._sessions.values():
            session.close()

    def run(self, stop: threading.Event) -> None:
        """One case after the other until `stop`."""
        while not stop.is_set():
            try:
                self.one_case()
            except (Refused, TimeoutError) as error:
                with self._told.lock:
                    self._told.wrong.append(str(error))

    def _task_of(self, case: str) -> str:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with self._database.connect("banshi") as connection, connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT id FROM tasks WHERE case_id = %s AND element = 'check_request'",
                        (case,),
                    )
                    row = cursor.fetchone()
            except Exception:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
                continue
            if row is None:
                raise Refused(f"{case}: filed, and not there")
            return str(row[0])
