"""The shipped packages as golden stories: what a scenario did to the process, written down."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.demo.office import open_office, shipped_package
from api.demo.player import Player
from api.demo.scenario import read_scenario
from api.migrations import migrate
from engine.bpmn.running.process import PackagedProcess
from engine.domain.process import Step
from engine.kernel.clock import SettableClock
from tests.support.databases import opened
from tests.support.golden import Move, looked_at, named

ROOT = Path(__file__).resolve().parents[2]
TOLD = (
    "complaint/bounced_twice_then_solved",
    "information_request/correction_and_consultation",
    "service_application/food_licence_granted",
)
"""For each package the scenario that goes through most of it."""
StoryOf = tuple[str, dict[str, bytes], str, Mapping[str, Any], list[Move]]


def stories_of_packages() -> Iterator[StoryOf]:
    """Name, models, process, first data and moves of each."""
    for name in TOLD:
        package, _, scenario = name.partition("/")
        models = {
            file: content
            for file, content in shipped_package(package).items()
            if file.endswith((".bpmn", ".dmn"))
        }
        file = ROOT / "processes" / package / "scenarios" / f"{scenario}.yaml"
        written = _played(file)
        yield package, models, written.process, written.data, written.moves


@dataclass
class _Written:
    """What was done to the process of one case."""

    process: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    known: set[tuple[bytes, str]] = field(default_factory=set)


def _played(file: Path) -> _Written:
    clock = SettableClock(datetime(2026, 1, 5, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'golden.db'}"
        with opened(url, Path(folder), clock) as office, _written_down() as written:
            migrate(office.engine)
            open_office(office)
            played = Player(office, clock).play(read_scenario(file.name, file.read_bytes()))
            assert played.problem is None, played.problem
    return written


@contextmanager
def _written_down() -> Iterator[_Written]:
    written = _Written()
    start, complete, fire = PackagedProcess.start, PackagedProcess.complete, PackagedProcess.fire

    def started(self: PackagedProcess, data: Mapping[str, Any], at: str | None = None) -> Step:
        written.process, written.data = self.id, data
        return start(self, data, at)

    def moved(self: PackagedProcess, verb: str, state: bytes, key: str, data: Any) -> None:
        # A transaction may run twice.
        if (state, key) not in written.known:
            written.known.add((state, key))
            element, place = named(looked_at(self, state), key)
            written.moves.append((verb, element, dict(data or {}), place))

    def completed(self: PackagedProcess, state: bytes, key: str, data: Any, *more: Any) -> Step:
        moved(self, "complete", state, key, data)
        return complete(self, state, key, data, *more)

    def fired(
        self: PackagedProcess, state: bytes, key: str, data: Any = None, *more: Any
    ) -> Step | None:
        moved(self, "fire", state, key, data)
        return fire(self, state, key, data, *more)

    try:
        for name, watched in (("start", started), ("complete", completed), ("fire", fired)):
            setattr(PackagedProcess, name, watched)
        yield written
    finally:
        for name, original in (("start", start), ("complete", complete), ("fire", fire)):
            setattr(PackagedProcess, name, original)
