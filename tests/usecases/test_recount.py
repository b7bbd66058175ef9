"""Recounts: previewed, done once, stopped and resumed; for a calendar, a limit, or a receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from api.cli import app
from api.wiring import Application
from engine.domain.access import Actor
from engine.kernel import errors
from engine.kernel.clock import SettableClock
from engine.store.tables import Case, CaseState, Job, Letter, Recount, Task
from engine.store.uow import UnitOfWork
from engine.usecases.correct_receipt import CorrectReceipt, correct_receipt
from engine.usecases.invariants import violations
from engine.usecases.recount import (
    StartRecount,
    TurnRecount,
    new_recount,
    preview,
    recount_slice,
    resume_recount,
    start_recount,
    stop_recount,
)
from engine.usecases.recount_case import RecountCase, recount_case
from engine.usecases.recount_choice import Wanted
from engine.usecases.repair import CorrectData, correct_data
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.support.clocks import (
    calendars_without,
    clerk,
    clock_of,
    due_of,
    events_of,
    ledger_of,
    line_of,
    published_clocks,
    rungs_waiting,
    verb,
)
from tests.support.play import actor, done, drain, filed, open_task
from tests.support.small_package import begun

HOLIDAY = date(2026, 3, 12)
EVERYTHING = Wanted()


@pytest.fixture
def closed(office: Application) -> Iterator[Application]:
    """The same office on a calendar with another holiday, Thursday 12 March."""
    ports = replace(office.ports, calendars=calendars_without(HOLIDAY))
    made = replace(office, ports=ports, uow=UnitOfWork(office.engine, ports))
    yield made
    made.uow.close()


def all_of(wired: Application, wanted: Wanted = EVERYTHING) -> list[tuple[str, str]]:
    """What would move: the clock or the timer's element, and the new day."""
    local = wired.ports.calendar.local_date
    return [
        (move.clock.partition(":")[0] or move.element, str(local(move.new_due)))
        for move in preview(wired.uow, wanted, "calendar_changed")
    ]


def run_all(wired: Application, wanted: Wanted = EVERYTHING) -> Recount:
    boss = actor(wired, "manager")
    row = wired.uow.run(new_recount, StartRecount(boss, wanted))
    while recount_slice(wired.uow, boss, row.id):
        pass
    with wired.uow.read() as session:
        return session.get_one(Recount, row.id)


def test_a_new_holiday_moves_what_lies_behind_it_once(
    office: Application, closed: Application
) -> None:
    case = filed(office)
    assert (due_of(office, case, "legal"), due_of(office, case, "promised")) == (
        date(2026, 3, 30),
        date(2026, 3, 23),
    )
    assert all_of(office) == []
    # The task ends on 11 March, before the holiday.
    assert all_of(closed) == [("legal", "2026-03-31"), ("promised", "2026-03-24")]
    assert due_of(office, case, "legal") == date(2026, 3, 30)
    made = run_all(closed)
    assert (made.state, made.total, made.seen, made.moved, made.failed) == ("done", 1, 1, 1, 0)
    drain(closed)
    line = ledger_of(closed, case, "legal")[-1]
    assert (line.verb, line.line["reason"]) == ("recount", "calendar_changed")
    assert [e["clock"] for e in events_of(closed, case, "clock_recount")] == ["legal", "promised"]
    with closed.uow.read() as session:
        row = session.get_one(Case, case.id)
        assert closed.ports.calendar.local_date(row.promised_due_at) == date(2026, 3, 24)  # type: ignore[arg-type]
        letters = session.scalars(select(Letter).where(Letter.letter == "date_moved")).all()
    assert len(letters) == 1
    assert "2026年3月23日调整为2026年3月24日" in str(letters[0].body)
    assert len(rungs_waiting(closed, case)) == 3  # legal, promised and the task, one each
    assert list(violations(closed.uow)) == []
    # Twice is once.
    assert all_of(closed) == []
    assert run_all(closed).moved == 0
    assert len(ledger_of(closed, case, "legal")) == 2
    assert len(events_of(closed, case, "clock_recount")) == 2


def test_tasks_and_timers_counted_on_the_calendar_move_too(
    office: Application, closed: Application, clock: SettableClock
) -> None:
    case = filed(office)
    done(
        office, case, "check_request", "foi_officer",
        outcome="correction", correction_fields=["title"], correction_note="x",
    )  # fmt: skip
    other = filed(office, "citizen2")
    done(office, other, "check_request", "foi_officer", outcome="accept")
    assert all_of(closed, Wanted(cases=(case.id,))) == [
        ("legal", "2026-03-31"),
        ("promised", "2026-03-24"),
        ("correction_expired", "2026-03-24"),
    ]
    moved = dict(all_of(closed, Wanted(cases=(other.reference,))))
    assert moved == {
        "handling": "2026-03-24", "legal": "2026-03-31", "promised": "2026-03-24",
        "task": "2026-03-17",
    }  # fmt: skip
    run_all(closed)
    with closed.uow.read() as session:
        timer = session.scalars(
            select(Job).where(Job.case_id == case.id, Job.kind == "timer")
        ).one()
        assert closed.ports.calendar.local_date(timer.due_at) == date(2026, 3, 24)
        assert (
            session.get_one(Task, open_task(closed, other).id).due_at
            == clock_of(closed, other, f"task:{open_task(closed, other).key}").due_at
        )
    assert len(events_of(closed, case, "timer_moved")) == 1
    assert list(violations(closed.uow)) == []


def test_only_what_is_wanted_and_open_is_looked_at(
    office: Application, closed: Application
) -> None:
    mine, other, gone = filed(office), filed(office, "citizen2"), filed(office)
    office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), gone.id))
    assert len(all_of(closed)) == 4
    assert len(all_of(closed, Wanted(cases=(mine.reference,)))) == 2
    assert len(all_of(closed, Wanted(services=("F001",), departments=("FOI",)))) == 4
    assert all_of(closed, Wanted(services=("S031",))) == []
    assert all_of(closed, Wanted(packages=("complaint",))) == []
    run_all(closed, Wanted(cases=(other.id,)))
    assert due_of(closed, mine, "legal") == date(2026, 3, 30)
    assert due_of(closed, other, "legal") == date(2026, 3, 31)
    assert due_of(closed, gone, "legal") == date(2026, 3, 30)


def test_a_recount_is_stopped_and_goes_on_where_it_was(
    office: Application, closed: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.usecases.recount.TOGETHER", 2)
    cases = [filed(office) for _ in range(5)]
    boss = actor(closed, "manager")
    row = closed.uow.run(new_recount, StartRecount(boss, Wanted()))
    assert recount_slice(closed.uow, boss, row.id, at_most=2)
    closed.uow.run(stop_recount, TurnRecount(boss, row.id))
    with pytest.raises(errors.RecountNotRunning):
        closed.uow.run(stop_recount, TurnRecount(boss, row.id))
    assert not recount_slice(closed.uow, boss, row.id)
    moved = [case for case in cases if due_of(closed, case, "legal") == date(2026, 3, 31)]
    assert len(moved) == 2
    closed.uow.run(resume_recount, TurnRecount(boss, row.id))
    drain(closed)  # a worker goes on with it
    with closed.uow.read() as session:
        made = session.get_one(Recount, row.id)
        assert (made.state, made.seen, made.moved) == ("done", 5, 5)
        assert made.finished_at is not None
    assert {due_of(closed, case, "legal") for case in cases} == {date(2026, 3, 31)}
    for case in cases:
        assert len(events_of(closed, case, "clock_recount")) == 2


def test_workers_carry_out_what_a_manager_starts(office: Application, closed: Application) -> None:
    case = filed(office)
    for name in ("foi_officer", "foi_lead", "designer"):
        with pytest.raises(errors.NotAllowed):
            closed.uow.run(start_recount, StartRecount(actor(closed, name), Wanted()))
    closed.uow.run(start_recount, StartRecount(actor(closed, "admin"), Wanted(), "台风停工"))
    drain(closed)
    assert ledger_of(closed, case, "legal")[-1].line["reason"] == "台风停工"


CATEGORIES = """
[limits.easy]
working_days = 10
basis = {}
[limits.hard]
working_days = 30
basis = { zh-CN = "疑难", en = "hard" }
"""


def test_another_category_has_another_limit_and_keeps_the_pauses(
    office: Application, clock: SettableClock
) -> None:
    body = line_of(
        ("go", verb("go", "start", "legal", limit="=application.medium")),
        ("hold", verb("hold", "pause", "legal")), ("a", clerk("a")),
        ("on", verb("on", "resume", "legal")), ("b", clerk("b")),
    )  # fmt: skip
    toml = CATEGORIES.replace("easy", "electronic").replace("hard]", "paper]")
    published_clocks(office, body, toml)
    case = begun(office)
    clock.advance(timedelta(days=2))
    done(office, case, "a", "foi_officer")
    assert due_of(office, case, "legal") == date(2026, 3, 18)
    admin = actor(office, "admin")
    data = {"application": {"medium": "paper"}}
    office.uow.run(correct_data, CorrectData(admin, case.id, data, "疑难"))
    assert all_of(office) == []  # it is counted again at once
    line = ledger_of(office, case, "legal")[-1].line
    assert (line["reason"], line["limit_name"]) == ("limit_changed", "paper")
    assert due_of(office, case, "legal") == date(2026, 4, 16)
    assert list(violations(office.uow)) == []


def test_a_limit_that_cannot_be_counted_is_told_and_changes_nothing(
    office: Application, clock: SettableClock
) -> None:
    body = line_of(
        ("go", verb("go", "start", "legal", limit="=application.medium")),
        ("more", verb("more", "extend", "legal", limit="more")), ("a", clerk("a")),
    )  # fmt: skip
    toml = CATEGORIES.replace("easy", "electronic").replace("hard]\nworking_days", "paper]\nhours")
    published_clocks(office, body, toml)
    case = begun(office)
    command = CorrectData(
        actor(office, "admin"), case.id, {"application": {"medium": "paper"}}, "x"
    )
    office.uow.run(correct_data, command)
    (move,) = preview(office.uow, Wanted())
    assert move.refused == "unit_differs"
    assert run_all(office).failed == 1
    assert len(ledger_of(office, case, "legal")) == 2


def test_a_corrected_receipt_moves_what_was_counted_from_it(
    office: Application, clock: SettableClock
) -> None:
    case = filed(office)
    clock.advance(timedelta(days=3))
    lead = actor(office, "foi_lead")
    at = datetime(2026, 2, 27, 2, tzinfo=UTC)
    trial = CorrectReceipt(lead, case.id, at, "邮戳", trial=True)
    moves = office.uow.run(correct_receipt, trial)
    assert {m.clock.partition(":")[0] for m in moves} == {"legal", "promised", "task"}
    assert due_of(office, case, "legal") == date(2026, 3, 30)
    office.uow.run(correct_receipt, CorrectReceipt(lead, case.id, at, "邮戳"))
    # Saturday 28 February is worked.
    assert due_of(office, case, "legal") == date(2026, 3, 26)
    assert clock_of(office, case, "legal").received == at
    with office.uow.read() as session:
        row = session.get_one(Case, case.id)
        assert row.received_at == at
    (event,) = events_of(office, case, "receipt_corrected")
    assert event["reason"] == "邮戳"
    assert ledger_of(office, case, "legal")[-1].line["received"] == at.isoformat()
    with office.uow.read() as session:
        assert session.get_one(CaseState, case.id).data["case"]["received_on"] == "2026-02-27"
    assert list(violations(office.uow)) == []


@pytest.mark.parametrize(
    ("by", "more", "error"),
    [
        ("foi_officer", {}, errors.NotAllowed),
        ("roads_lead", {}, errors.NotFound),
        ("admin", {}, errors.NotFound),
        ("foi_lead", {"reason": " "}, errors.ReasonMissing),
        ("foi_lead", {"received_at": datetime(2027, 1, 1, tzinfo=UTC)}, errors.ReceiptDateWrong),
    ],
)
def test_who_may_not_correct_a_receipt(
    office: Application, by: str, more: dict[str, object], error: type[errors.EngineError]
) -> None:
    case = filed(office)
    at = datetime(2026, 2, 27, 2, tzinfo=UTC)
    asked = {"received_at": at, "reason": "邮戳"} | more
    with pytest.raises(error):
        office.uow.run(
            correct_receipt,
            CorrectReceipt(actor(office, by), case.id, **asked),  # type: ignore[arg-type]
        )


def test_a_case_that_has_ended_is_not_recounted(office: Application, closed: Application) -> None:
    case = filed(office)
    office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), case.id))
    who = Actor("shell", "shell", "shell", frozenset({"administrator"}))
    assert closed.uow.run(recount_case, RecountCase(who, case.id, "x")) == []


def test_the_shell_previews_and_applies(office: Application) -> None:
    case = filed(office)
    run = CliRunner()
    environment = {
        "BANSHI_DATABASE_URL": office.settings.database_url,
        "BANSHI_DATA_DIR": str(office.settings.data_dir),
    }
    told = run.invoke(app, ["recount", "--lang", "en"], env=environment)
    assert told.exit_code == 0, told.output
    assert "0 dates of 1 open cases would move" in told.output
    done_ = run.invoke(app, ["recount", "--apply", "--case", case.reference], env=environment)
    assert done_.exit_code == 0, done_.output
    assert "done: 0 of 1 cases moved" in done_.output
    with office.uow.read() as session:
        row = session.scalars(select(Recount)).one()
    again = run.invoke(app, ["recount", "--resume", row.id], env=environment)
    assert again.exit_code == 1
    assert json.dumps(row.wanted)
