"""A seeded defect is noticed: were the product so broken, the checks would say so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import wire
from api.worker.waker import ThreadWaker
from engine.kernel.clock import SettableClock
from engine.kernel.faults import DEFECTS
from tests.conftest import BEGINNING
from tests.faults.support.children import Nursery, nursery
from tests.faults.support.seeded import live

ROOT = Path(__file__).resolve().parents[2]
NOTICED = {
    "": set(),
    "audit_unchained": {"audit_broken"},
    "commit_forgotten": {"lost"},
    "key_forgotten": {"done_twice"},
    "lease_ignored": {"leased_twice"},
    "outbox_forgotten": {"promise_missing"},
    "state_forgotten": {"row_missing", "row_unfounded"},
    "timer_kept": {"closed_case_waits"},
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Nursery]]:
    """The folder of an office that was opened in order, and processes that know its packages."""
    folder = tmp_path_factory.mktemp("opened")
    environment = {"BANSHI_DATA_DIR": str(folder), "BANSHI_DEMO": "1"}
    wired = wire(read_settings(environment), SettableClock(BEGINNING), ThreadWaker())
    migrate(wired.engine)
    open_office(wired)
    wired.close()
    with nursery(environment) as children:
        yield folder, children


def test_there_is_a_line_for_every_defect() -> None:
    assert set(NOTICED) == {"", *DEFECTS}


@pytest.mark.parametrize("seeded", sorted(NOTICED))
def test_it_is_noticed(opened: tuple[Path, Nursery], seeded: str, tmp_path: Path) -> None:
    folder, children = opened
    shutil.copytree(folder, tmp_path / "office")
    environment = {"BANSHI_DATA_DIR": str(tmp_path / "office"), "BANSHI_DEMO": "1"}
    ended, told = children.played(live, environment, defect=seeded)
    assert ended == 0, told
    assert bool(set(told) & NOTICED[seeded]) == bool(seeded), told
    if not seeded:
        assert told == []


def test_no_defect_without_permission(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", "from engine.kernel.faults import defect as d\n"
         "print([name for name in __import__('engine.kernel.faults').kernel.faults.DEFECTS"
         " if d(name)])"],
        cwd=ROOT,
        env={**os.environ, "BANSHI_DEFECT": "key_forgotten", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert made.stdout.strip() == "[]"
