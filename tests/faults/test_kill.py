"""A process killed at any moment loses nothing that was answered, and does nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import wire
from engine.store.audit import first_broken_event
from engine.store.tables import Case, Job, Letter

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import sys
from api.settings import read_settings
from api.wiring import wire
from tests.support.play import drain, filed
wired = wire(read_settings())
case = filed(wired)
print(case.reference, flush=True)
drain(wired)
"""


def child(environment: dict[str, str], crash_at: str) -> tuple[int, list[str]]:
    made = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=ROOT,
        env={**os.environ, **environment, "BANSHI_CRASH_AT": crash_at, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return made.returncode, made.stdout.split()


@pytest.mark.parametrize("point", ["before_commit", "after_commit", "job_leased", "job_acted"])
def test_killed_at(point: str, database_url: str, tmp_path: Path) -> None:
    environment = {
        "BANSHI_DATABASE_URL": database_url,
        "BANSHI_DATA_DIR": str(tmp_path),
        "BANSHI_DEMO": "1",
    }
    wired = wire(read_settings(environment))
    try:
        migrate(wired.engine)
        open_office(wired)
        code, answered = child(environment, point)
        assert code == 137
        with wired.uow.read() as session:
            stored = list(session.scalars(select(Case.reference)))
        assert set(answered) <= set(stored)
        assert len(stored) == (0 if point == "before_commit" else 1)
        # Once the dead worker's lease has ended, another worker finishes the work, once.
        code, _ = child(environment, "")
        assert code == 0
        wired.uow.run(_end_leases, None)
        while wired.run_due():
            pass
        with wired.uow.read() as session:
            cases = list(session.scalars(select(Case)))
            letters = session.scalar(select(func.count()).select_from(Letter))
            sent = session.scalar(
                select(func.count()).select_from(Letter).where(Letter.state == "sent")
            )
            assert letters == sent == len(cases)
            assert all(first_broken_event(session, case.id) is None for case in cases)
        assert len(list((tmp_path / "outbox").glob("*.eml"))) == len(cases)
    finally:
        wired.close()


def _end_leases(work: object, _: None) -> None:
    for job in work.session.scalars(select(Job).where(Job.state == "running")):  # type: ignore[attr-defined]
        job.leased_until = job.created_at
