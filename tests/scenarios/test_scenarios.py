"""Every scenario of every package, played to its end on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.demo.player import Player
from api.demo.scenario import read_scenario
from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.audit import first_broken_event
from engine.store.tables import Case

ROOT = Path(__file__).resolve().parents[2] / "processes"
FILES = sorted(ROOT.glob("*/scenarios/*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_scenario_ends_as_it_says(file: Path, office: Application, clock: SettableClock) -> None:
    played = Player(office, clock).play(read_scenario(file.name, file.read_bytes()))
    assert played.problem is None
    # In words: a text that the catalogue lacks would show as its key.
    assert not [step.label for step in played.steps if "." in step.label]
    with office.uow.read() as session:
        for case in session.query(Case):
            assert first_broken_event(session, case.id) is None


def test_every_package_has_two_scenarios_and_one_for_the_demonstration() -> None:
    packages = {folder.parent.name for folder in ROOT.glob("*/package.toml")}
    assert packages
    for package in packages:
        scenarios = [
            read_scenario(file.name, file.read_bytes())
            for file in FILES
            if file.parts[-3] == package
        ]
        assert len(scenarios) >= 2
        assert sum(scenario.demo for scenario in scenarios) == 1
