"""The golden backup of a release: a few cases half way, and how each of them goes on."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from api.backup.taking import take_backup
from api.demo.office import open_office
from api.demo.player import Player
from api.demo.scenario import read_scenario
from api.main import create_app
from api.migrations import migrate
from api.wiring import Application
from engine.domain.access import Actor
from engine.kernel.clock import SettableClock
from engine.usecases.archive import archive_closed
from tests.support.databases import opened
from tests.support.engine_rest import add_worker, deployed, job, model, person, started

PROCESSES = Path(__file__).resolve().parents[2] / "processes"
CLERK = Actor("shell", "shell", "shell", frozenset({"administrator"}))
ENDED = "complaint/not_accepted"
BEGUN: Mapping[str, int] = {
    "information_request/correction_and_consultation": 1,
    "service_application/deemed_accepted_and_refused": 0,
    "information_request/extended_and_silent_third_party": 1,
    "complaint/bounced_twice_then_solved": 5,
}
"""The scenarios of the open cases, with how many of their steps are done. No timer of theirs is
due before the last of these steps."""


@dataclass(frozen=True)
class GoldenCase:
    """An open case of a golden backup, its scenario as it was then, and the steps done."""

    scenario: str
    reference: str
    steps: int
    story: str


@dataclass(frozen=True)
class GoldenBackup:
    """`archived` is the number of a case that is in the archive, `of_program` the id of one that
    waits for a job worker."""

    file: Path
    at: datetime
    cases: list[GoldenCase]
    archived: str
    of_program: str


def golden_backups(folder: Path) -> list[GoldenBackup]:
    """Those of every release."""
    made = []
    for file in sorted(folder.glob("*.json")):
        raw = json.loads(file.read_text(encoding="utf-8"))
        cases = [GoldenCase(**each) for each in raw["cases"]]
        at = datetime.fromisoformat(raw["at"])
        backup = file.with_suffix(".tar")
        made.append(GoldenBackup(backup, at, cases, raw["archived"], raw["of_program"]))
    return made


def write_database(folder: Path, version: str) -> int:
    """Make the golden backup of this release; its size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    file, clock = folder / f"{version}.tar", SettableClock(datetime(2026, 2, 1, tzinfo=UTC))
    file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as data:
        url = f"sqlite:///{Path(data) / 'golden.db'}"
        with opened(url, Path(data), clock) as office:
            migrate(office.engine)
            open_office(office)
            told = _live(office, clock)
            told["at"] = clock.now().isoformat()
            take_backup(office, file)
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
    file.with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")
    return file.stat().st_size


def _live(office: Application, clock: SettableClock) -> dict[str, object]:
    player = Player(office, clock)
    ended = player.play(read_scenario(ENDED, _story(ENDED)))
    assert ended.problem is None, ended.problem
    cases = []
    for name, steps in BEGUN.items():
        played = player.begin(read_scenario(name, _story(name)), steps)
        assert played.problem is None, played.problem
        story = _story(name).decode()
        cases.append(
            {"scenario": name, "reference": played.reference, "steps": steps, "story": story}
        )
    add_worker(office)
    with TestClient(create_app(office)) as client:
        parts = job("work", "print"), person("look")
        assert deployed(client, model(*parts)).status_code == 200
        of_program = started(client, pages=3)
    now = clock.now()
    clock.set(now + timedelta(days=40))
    assert archive_closed(office.uow, CLERK, clock.now()).count == 1
    clock.set(now)
    return {"cases": cases, "archived": ended.reference, "of_program": of_program}


def _story(name: str) -> bytes:
    package, _, scenario = name.partition("/")
    return (PROCESSES / package / "scenarios" / f"{scenario}.yaml").read_bytes()
