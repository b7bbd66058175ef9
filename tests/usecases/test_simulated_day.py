"""A simulated day of a hotline keeps to what it must, and would show if it did not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from typer.testing import CliRunner

from api.cli import app
from api.day_command import BEGINS
from api.demo.day import DayFigures, DayPlan, simulate_day
from api.demo.day.figures import count_day, note_unowned
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from engine.kernel.clock import SettableClock
from engine.store.tables import Notice, Task
from engine.store.uow import Work
from engine.usecases.invariants import violations

PLAN = DayPlan(seed=4, departments=3, tickets=80)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Application, DayFigures]]:
    clock = SettableClock(BEGINS)
    folder: Path = tmp_path_factory.mktemp("day")
    wired = wire(read_settings({"BANSHI_DATA_DIR": str(folder)}), clock)
    migrate(wired.engine)
    wired.open_calendars()
    yield wired, simulate_day(wired, clock, PLAN)
    wired.close()


def test_every_ticket_has_an_owner_and_everybody_is_warned_once(
    played: tuple[Application, DayFigures],
) -> None:
    wired, figures = played
    assert figures.kept
    assert figures.dispatched == PLAN.tickets
    assert 0 < figures.handled < PLAN.tickets  # the hard ones are left
    assert figures.returned > 0
    assert figures.warned > 0
    assert list(violations(wired.uow)) == []


def test_what_it_looks_for_would_be_seen(played: tuple[Application, DayFigures]) -> None:
    wired, _ = played

    def spoil(work: Work, _: None) -> None:
        open_ones = (Task.state == "open", Task.element == "handle")
        work.session.execute(update(Task).where(*open_ones).values(assignee_id=None))
        work.session.execute(delete(Notice).where(Notice.clock == "promised"))

    wired.uow.run(spoil, None)
    seen = DayFigures(PLAN.seed, PLAN.departments, 0, PLAN.tickets)
    note_unowned(wired, seen)
    count_day(wired, seen)
    assert seen.unowned
    assert seen.unwarned > 0
    assert not seen.kept


def test_the_same_seed_gives_the_same_day_in_the_shell() -> None:
    command = ["simulate-day", "--seed", "7", "--departments", "2", "--tickets", "40", "--json"]
    made = [CliRunner().invoke(app, command) for _ in range(2)]
    assert [each.exit_code for each in made] == [0, 0], made[0].output
    told = [json.loads(each.stdout) for each in made]
    for each in told:
        each.pop("seconds")
    assert told[0] == told[1]
    assert (told[0]["tickets"], told[0]["unowned"], told[0]["warned_twice"]) == (40, 0, 0)
