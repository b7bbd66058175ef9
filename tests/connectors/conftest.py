"""An office whose connectors may reach what a test allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.kernel.clock import SettableClock

OpenOffice = Callable[..., Application]


@pytest.fixture
def open_with(database_url: str, tmp_path: Path, clock: SettableClock) -> Iterator[OpenOffice]:
    """Opens the office with further variables of the environment, on both databases."""
    yield from _opener(database_url, tmp_path, clock)


@pytest.fixture
def open_small_with(tmp_path: Path, clock: SettableClock) -> Iterator[OpenOffice]:
    """The same on SQLite only."""
    yield from _opener(f"sqlite:///{tmp_path / 'test.db'}", tmp_path, clock)


def _opener(url: str, folder: Path, clock: SettableClock) -> Iterator[OpenOffice]:
    opened: list[Application] = []

    def open_with(**variables: str) -> Application:
        basic = {"BANSHI_DATABASE_URL": url, "BANSHI_DATA_DIR": str(folder), "BANSHI_DEMO": "1"}
        wired = wire(read_settings(basic | variables), clock, ThreadWaker())
        opened.append(wired)
        migrate(wired.engine)
        open_office(wired)
        return wired

    yield open_with
    for wired in opened:
        wired.close()
