"""A client of ``/engine-rest`` and an account for a program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from api.wiring import Application
from tests.support.engine_rest import add_worker


@pytest.fixture
def client(office: Application) -> Iterator[TestClient]:
    add_worker(office)
    with TestClient(create_app(office)) as made:
        yield made


@pytest.fixture
def small_client(small_office: Application) -> Iterator[TestClient]:
    add_worker(small_office)
    with TestClient(create_app(small_office)) as made:
        yield made
