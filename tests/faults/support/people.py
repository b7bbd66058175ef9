"""Browsers of people who have signed in, and what an answer in words looks like."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.demo.office import PASSWORD
from api.main import create_app
from api.wiring import Application
from engine.store.tables import Event


def browser(wired: Application, user: str) -> TestClient:
    """A browser of its own in which `user` has signed in."""
    return signed_in(create_app(wired), user)


def signed_in(app: FastAPI, user: str) -> TestClient:
    """A browser in which `user` has signed in; a 500 is an answer like any other."""
    client = TestClient(app, raise_server_exceptions=False)
    body = {"user_name": user, "password": PASSWORD}
    answer = client.post("/api/v1/session", json=body)
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return client


@contextmanager
def browsers(wired: Application, *users: str) -> Iterator[list[TestClient]]:
    """One browser each."""
    made = [browser(wired, user) for user in users]
    try:
        yield made
    finally:
        for each in made:
            each.close()


def in_words(answer: Any) -> bool:
    """Whether a refusal says in words what is wrong."""
    return bool(answer.json().get("title")) and answer.json()["code"] != "unexpected"


def times(wired: Application, case_id: str, kind: str) -> int:
    """How many events of the kind the case has."""
    with wired.uow.read() as session:
        counted = select(func.count()).select_from(Event)
        return session.scalar(counted.where(Event.case_id == case_id, Event.kind == kind)) or 0
