"""What earlier releases stored still loads, is what it was, and goes on to its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.backup.restoring import Restore, restore
from api.demo.player import Player
from api.demo.scenario import read_scenario
from api.main import create_app
from api.migrations.chain import read_chain
from api.version import VERSION
from api.wiring import Application
from engine.bpmn import process_data
from engine.bpmn.running import state as codec
from engine.bpmn.running.process import PackagedProcess, _Run
from engine.kernel.clock import SettableClock
from engine.store.queries.case_record import case_record
from engine.store.tables import Case
from engine.usecases.archive import UnarchiveCase, unarchive_case
from engine.usecases.invariants import violations
from tests.support.databases import opened
from tests.support.engine_rest import fetched, reported
from tests.support.golden import (
    GOLDEN,
    carried_out,
    folders,
    keys_of,
    looked_at,
    read_story,
    waits_of,
)
from tests.support.golden_database import CLERK, GoldenBackup, golden_backups
from tests.support.golden_models import MODELS
from tests.support.golden_packages import TOLD
from tests.support.play import actor, done

STORIES = list(folders())
BACKUPS = golden_backups(GOLDEN / "backups")
ADVICE = "make golden states for this release: python scripts/golden_states.py"


def story_name(folder: Path) -> str:
    return "-".join(folder.parts[-3:])


@pytest.mark.parametrize("folder", STORIES, ids=story_name)
def test_each_state_is_what_it_was(folder: Path) -> None:
    story, states, process = read_story(folder)
    for stop, state in zip(story.stops, states, strict=True):
        assert process.waits(state) == keys_of(stop.waits)
        assert process_data(state) == stop.data
        assert waits_of(looked_at(process, state)) == stop.waits


@pytest.mark.parametrize("folder", STORIES, ids=story_name)
def test_each_state_goes_on_to_the_same_end(folder: Path) -> None:
    story, states, process = read_story(folder)
    for first, state in enumerate(states):
        step = looked_at(process, state)
        for stop in story.stops[first:]:
            step = carried_out(process, step, stop.move)
            assert list(step.passed) == stop.passed
        assert step.finished
        assert step.data == story.end


def test_this_format_and_release_have_theirs() -> None:
    """A new format of states, or a new release, comes with states of its own."""
    assert codec.VERSION in {int(folder.parts[-3]) for folder in STORIES}, ADVICE
    mine = {each.name for each in STORIES if each.parts[-3:-1] == (str(codec.VERSION), VERSION)}
    assert mine >= {*MODELS, *(name.partition("/")[0] for name in TOLD)}, ADVICE
    assert VERSION in {each.file.stem for each in BACKUPS}, ADVICE


@pytest.mark.parametrize(
    "folder", [each for each in STORIES if each.parts[-3] == str(codec.VERSION)], ids=story_name
)
def test_what_is_written_has_the_layout_of_its_format(folder: Path) -> None:
    """Whoever changes what is written raises the format's version and keeps reading this one."""
    _, states, process = read_story(folder)
    assert isinstance(process, PackagedProcess)
    for state in states:
        written = codec.encode(_Run(process).load(state))
        assert written[:4] == state[:4], ADVICE
        assert codec.read_body(written) == codec.read_body(state), ADVICE


@pytest.fixture(params=BACKUPS, ids=lambda backup: backup.file.stem)
def backup(request: pytest.FixtureRequest) -> GoldenBackup:
    made: GoldenBackup = request.param
    assert made.file.stat().st_size < 200_000
    return made


@pytest.fixture
def clock(backup: GoldenBackup) -> SettableClock:
    return SettableClock(backup.at)


@pytest.fixture
def restored(
    backup: GoldenBackup, database_url: str, tmp_path: Path, clock: SettableClock
) -> Iterator[Application]:
    """The database of an earlier release, brought forward to this one."""
    with opened(database_url, tmp_path, clock) as wired:
        manifest = restore(wired, Restore(backup.file))
        assert manifest.migration in {each.number for each in read_chain().migrations}
        assert list(violations(wired.uow)) == []
        yield wired


@pytest.mark.parametrize("number", range(4))
def test_its_open_cases_go_on_to_their_ends(
    restored: Application, backup: GoldenBackup, clock: SettableClock, number: int
) -> None:
    """As the scenario of their time says: dates, letters, outcome."""
    if number >= len(backup.cases):
        pytest.fail("a golden backup has four open cases")
    case = backup.cases[number]
    story = read_scenario(case.scenario, case.story.encode())
    played = Player(restored, clock).go_on(story, case.reference, case.steps)
    assert played.problem is None
    assert list(violations(restored.uow)) == []


def test_its_archived_case_is_read_and_comes_back(
    restored: Application, backup: GoldenBackup
) -> None:
    manager = actor(restored, "manager")
    with restored.uow.read() as session:
        case = session.scalars(select(Case).where(Case.reference == backup.archived)).one()
        record = case_record(session, manager, case.id)
        assert case.archived_at is not None
        assert record.events[-1].kind == "case_archived"
        assert record.letters
    restored.uow.run(unarchive_case, UnarchiveCase(CLERK, case.id))
    with restored.uow.read() as session:
        again = case_record(session, manager, case.id)
        assert [event.digest for event in again.events[:-1]] == [e.digest for e in record.events]
        assert [letter.body for letter in again.letters] == [row.body for row in record.letters]
    assert list(violations(restored.uow)) == []


def test_a_job_worker_and_a_person_finish_the_case_of_a_program(
    restored: Application, backup: GoldenBackup
) -> None:
    with TestClient(create_app(restored)) as client:
        (job,) = fetched(client, "print")
        assert job["processInstanceId"] == backup.of_program
        assert reported(client, job["id"], "complete").status_code == 204
    with restored.uow.read() as session:
        case = session.get_one(Case, backup.of_program)
    assert done(restored, case, "look", "foi_officer").state == "closed"
    assert list(violations(restored.uow)) == []
