"""Verbs by button, by answer and by the model; the clocks of tasks, stages and departments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.kernel import errors
from engine.kernel.clock import SettableClock
from engine.store.tables import Case, ClockRow, Letter, Task
from engine.usecases.clock_buttons import PressButton, press_button
from engine.usecases.invariants import violations
from engine.usecases.reassign import ReassignTask, reassign
from tests.support.clocks import (
    clerk,
    clock_of,
    due_of,
    events_of,
    ledger_of,
    line_of,
    published_clocks,
    verb,
)
from tests.support.play import actor, done, drain, filed, open_task
from tests.support.small_package import begun

TOML = """
[clocks.legal]
limit = "reply"
buttons = { pause = "caseworker", resume = "caseworker", extend = "manager", stop = "manager" }
[clocks.legal.extension]
limits = ["more"]
times = 2
cap = "reply"
role = "manager"
letter = "longer"
[clocks.legal.pauses.hearing]
title = { zh-CN = "听证", en = "a hearing" }
basis = { zh-CN = "第四十五条", en = "art. 45" }
[clocks.legal.pauses.testing]
title = { zh-CN = "检测", en = "testing" }
[clocks.promised]
like = "legal"
limit = "reply"
"""
PLAIN = line_of(("go", verb("go", "start")), ("a", clerk("a", limit="step")), ("b", clerk("b")))


def press(
    wired: Application, case: Case, by: str, verb: str, clock: str = "legal", **more: object
) -> object:
    command = PressButton(
        actor(wired, by),
        case.id,
        clock,
        verb,
        **({"reason": "because"} | more),  # type: ignore[arg-type]
    )
    return wired.uow.run(press_button, command)


@pytest.fixture
def case(office: Application) -> Case:
    """A case whose legal date is 30 March and whose promised date is 23 March 2026."""
    published_clocks(office, PLAIN, TOML, ("longer",))
    return begun(office)


def test_buttons_move_both_dates_and_say_what_they_did(
    office: Application, case: Case, clock: SettableClock
) -> None:
    assert (due_of(office, case, "legal"), due_of(office, case, "promised")) == (
        date(2026, 3, 30),
        date(2026, 3, 23),
    )
    press(office, case, "foi_officer", "pause", pause="hearing", also=("promised",))
    clock.advance(timedelta(days=1))
    press(office, case, "foi_officer", "pause", pause="testing", also=("promised",))
    clock.advance(timedelta(days=2))
    press(office, case, "foi_officer", "resume", pause="hearing", also=("promised",))
    clock.advance(timedelta(days=1))
    assert clock_of(office, case, "legal").state == "paused"
    press(office, case, "foi_officer", "resume", pause="testing", basis="art. 9")
    # 3 to 6 March are left out once: four working days.
    assert due_of(office, case, "legal") == date(2026, 4, 3)
    first, *_, last = ledger_of(office, case, "legal")
    assert (first.verb, first.actor_name) == ("start", "张伟")
    assert (last.verb, last.actor_name, last.line["pause"]) == ("resume", "李静", "testing")
    assert last.line["basis"] == {"zh-CN": "art. 9", "en": "art. 9"}
    assert ledger_of(office, case, "legal")[1].line["basis"]["en"] == "art. 45"
    with office.uow.read() as session:
        row = session.get_one(Case, case.id)
        assert office.ports.calendar.local_date(row.legal_due_at) == date(2026, 4, 3)  # type: ignore[arg-type]
    assert len(events_of(office, case, "clock_pause")) == 4
    assert list(violations(office.uow)) == []


def test_an_extension_is_capped_agreed_to_and_told(office: Application, case: Case) -> None:
    with pytest.raises(errors.NotAllowed):
        press(office, case, "foi_officer", "extend")
    press(office, case, "foi_lead", "extend", also=("promised",))
    assert due_of(office, case, "legal") == date(2026, 4, 7)
    assert due_of(office, case, "promised") == date(2026, 3, 30)
    with office.uow.read() as session:
        letters = session.scalars(select(Letter).where(Letter.letter == "longer")).all()
    assert len(letters) == 1
    assert letters[0].to_applicant
    for key in ("legal", "promised"):
        assert ledger_of(office, case, key)[-1].letter_id == letters[0].id
    drain(office)
    with office.uow.read() as session:
        assert "2026年4月7日 because" in str(session.get_one(Letter, letters[0].id).body)
    press(office, case, "foi_lead", "extend")
    with pytest.raises(errors.ClockVerbRefused) as refused:
        press(office, case, "foi_lead", "extend")
    assert refused.value.params["why"] == "extended_before"
    assert "extend" not in refused.value.params["possible"]
    assert refused.value.params["clock"] == "legal"


@pytest.mark.parametrize(
    ("by", "verb", "more", "error"),
    [
        ("roads", "pause", {"pause": "hearing"}, errors.NotFound),
        ("designer", "pause", {"pause": "hearing"}, errors.NotFound),
        ("foi_officer", "reset", {}, errors.NotAllowed),
        ("foi_officer", "pause", {"pause": "hearing", "reason": " "}, errors.ReasonMissing),
        ("foi_officer", "pause", {"pause": "lunch"}, errors.ClockVerbRefused),
        ("foi_officer", "resume", {"pause": "hearing"}, errors.ClockVerbRefused),
        ("foi_officer", "pause", {"clock": "sundial"}, errors.NotFound),
        ("foi_officer", "pause", {"pause": "hearing", "revision": 99}, errors.StaleRevision),
        ("foi_lead", "extend", {"limit": "step"}, errors.ClockVerbRefused),
    ],
)
def test_what_is_refused_changes_nothing(
    office: Application,
    case: Case,
    by: str,
    verb: str,
    more: dict[str, object],
    error: type[errors.EngineError],
) -> None:
    before = ledger_of(office, case, "legal")
    with pytest.raises(error):
        press(office, case, by, verb, **more)
    assert len(ledger_of(office, case, "legal")) == len(before)


def test_a_declared_clock_takes_no_verb_out_of_turn(office: Application) -> None:
    body = line_of(("go", verb("go", "start")), ("a", clerk("a")), ("x", verb("x", "start")))
    published_clocks(office, body, TOML, ("longer",))
    case = begun(office)
    with pytest.raises(errors.ClockVerbRefused) as refused:
        done(office, case, "a", "foi_officer")
    assert refused.value.params["why"] == "running"
    assert open_task(office, case).element == "a"


def test_a_package_that_says_nothing_of_clocks_keeps_what_it_could(office: Application) -> None:
    # Models published before clocks were declared restart, pause again and stop twice.
    body = line_of(
        ("go", verb("go", "reset", limit="reply")),
        ("p1", verb("p1", "pause")),
        ("p2", verb("p2", "pause")),
        ("a", clerk("a")),
        ("r", verb("r", "resume")),
        ("x", verb("x", "start", limit="reply")),
        ("s1", verb("s1", "stop")),
        ("s2", verb("s2", "stop")),
        ("b", clerk("b")),
    )
    published_clocks(office, body, "")
    case = begun(office)
    done(office, case, "a", "foi_officer")
    verbs = [entry.verb for entry in ledger_of(office, case, "legal")]
    assert verbs == ["start", "pause", "resume", "start", "stop"]
    assert list(violations(office.uow)) == []


def test_an_answer_asks_for_a_verb(office: Application, clock: SettableClock) -> None:
    case = filed(office)
    clock.advance(timedelta(days=1))
    fields = {"outcome": "correction", "correction_fields": ["title"], "correction_note": "x"}
    done(office, case, "check_request", "foi_officer", **fields)
    legal = clock_of(office, case, "legal")
    assert [pause.name for pause in legal.pauses] == ["correction"]
    assert ledger_of(office, case, "legal")[-1].line["basis"]["en"].endswith("art. 30")


def test_a_task_with_a_limit_has_a_clock_of_its_own(
    office: Application, case: Case, clock: SettableClock
) -> None:
    task = open_task(office, case, "a")
    key = f"task:{task.key}"
    assert clock_of(office, case, key).due_at == task.due_at
    assert office.ports.calendar.local_date(task.due_at) == date(2026, 3, 5)  # type: ignore[arg-type]
    clock.advance(timedelta(days=1))
    done(office, case, "a", "foi_officer")
    assert [(e.verb, e.actor_name) for e in ledger_of(office, case, key)] == [
        ("start", None),
        ("stop", None),
    ]
    assert clock_of(office, case, key).state == "stopped"
    with office.uow.read() as session:
        keys = session.scalars(select(ClockRow.key).where(ClockRow.case_id == case.id)).all()
    assert sorted(keys) == sorted(["legal", "promised", key])  # b has no limit
    assert list(violations(office.uow)) == []


def test_moving_a_tasks_clock_moves_its_date(office: Application) -> None:
    toml = '[clocks.task]\nbuttons = { pause = "caseworker", resume = "caseworker" }\n'
    published_clocks(office, line_of(("a", clerk("a", limit="step"))), toml)
    case = begun(office)
    task = open_task(office, case, "a")
    key = f"task:{task.key}"
    press(office, case, "foi_officer", "pause", key, pause="supplier")
    office.ports.clock.advance(timedelta(days=2))  # type: ignore[attr-defined]
    press(office, case, "foi_officer", "resume", key, pause="supplier")
    with office.uow.read() as session:
        moved = session.get_one(Task, task.id).due_at
    assert office.ports.calendar.local_date(moved) == date(2026, 3, 9)  # type: ignore[arg-type]
    assert list(violations(office.uow)) == []


def test_the_clock_of_a_stage_runs_while_the_case_is_in_it(office: Application) -> None:
    toml = """
[clocks.receiving]
kind = "stage"
stage = "submitted"
title = { zh-CN = "收件", en = "Receiving" }
limit = "step"
[clocks.working]
kind = "stage"
stage = "handling"
title = { zh-CN = "办理", en = "Working" }
limit = "more"
"""
    body = line_of(("a", clerk("a")), ("b", clerk("b", stage="handling", limit="step")))
    published_clocks(office, body, toml)
    case = begun(office)
    assert clock_of(office, case, "receiving").state == "running"
    done(office, case, "a", "foi_officer")
    assert clock_of(office, case, "receiving").state == "stopped"
    assert clock_of(office, case, "working").state == "running"
    done(office, case, "b", "foi_officer")
    assert clock_of(office, case, "working").state == "stopped"


def test_a_departments_clock_counts_only_what_it_had_the_case(
    office: Application, clock: SettableClock
) -> None:
    toml = '[clocks.department]\nlimit = "more"\n'
    body = line_of(("a", clerk("a")), ("b", clerk("b", department="ROADS")), ("c", clerk("c")))
    published_clocks(office, body, toml)
    case = begun(office)
    assert due_of(office, case, "department:FOI") == date(2026, 3, 9)
    clock.advance(timedelta(days=1))

    def move(to: str) -> None:
        task = open_task(office, case)
        command = ReassignTask(actor(office, "manager"), task.id, "更合适", department=to)
        office.uow.run(reassign, command)

    move("WATER")
    assert clock_of(office, case, "department:FOI").state == "paused"
    assert clock_of(office, case, "department:WATER").state == "running"
    clock.advance(timedelta(days=2))
    move("FOI")
    # 4 and 5 March, when others had it, are given back.
    assert due_of(office, case, "department:FOI") == date(2026, 3, 11)
    assert [e.verb for e in ledger_of(office, case, "department:FOI")] == [
        "start",
        "pause",
        "resume",
    ]
    assert list(violations(office.uow)) == []


def test_deemed_acceptance_counts_from_the_receipt(office: Application) -> None:
    body = line_of(
        ("a", clerk("a")), ("go", verb("go", "start", limit="reply", **{"from": "received"})),
        ("b", clerk("b")),
    )  # fmt: skip
    published_clocks(office, body, "")
    case = begun(office)
    office.ports.clock.advance(timedelta(days=9))  # type: ignore[attr-defined]
    done(office, case, "a", "foi_officer")
    legal = clock_of(office, case, "legal")
    assert legal.received == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert due_of(office, case, "legal") == date(2026, 3, 30)
    line = ledger_of(office, case, "legal")[0]
    assert line.at == datetime(2026, 3, 11, 1, tzinfo=UTC)
    assert line.line["received"].startswith("2026-03-02")
