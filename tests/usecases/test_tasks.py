"""Claiming, giving back, completing, correcting, withdrawing."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from api.wiring import Application
from engine.kernel import errors
from engine.store.audit import first_broken_event
from engine.store.tables import Case, Event, Task
from engine.usecases.claim import ClaimNextTask, ClaimTask, claim, claim_next
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.correct import CorrectAnswers, correct
from engine.usecases.start_case import StartCase, start_case
from engine.usecases.unclaim import UnclaimTask, unclaim
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.support.play import REQUEST, actor, done, drain, filed, open_task


def test_two_people_claim_one_task_and_the_second_is_told_who_has_it(office: Application) -> None:
    task = open_task(office, filed(office))
    office.uow.run(claim, ClaimTask(actor(office, "foi_officer"), task.id))
    with pytest.raises(errors.TaskAlreadyClaimed) as told:
        office.uow.run(claim, ClaimTask(actor(office, "foi_lead"), task.id))
    assert told.value.params["holder"] == "李静"


def test_claiming_at_the_same_instant_gives_the_task_to_exactly_one(office: Application) -> None:
    for _ in range(5):
        task = open_task(office, filed(office))
        outcomes: list[str] = []
        ready = threading.Barrier(2)

        def race(name: str, task_id: str = task.id, out: list[str] = outcomes) -> None:
            who = actor(office, name)
            ready.wait()  # noqa: B023
            try:
                office.uow.run(claim, ClaimTask(who, task_id))
                out.append("got it")
            except errors.TaskAlreadyClaimed:
                out.append("too late")

        threads = [threading.Thread(target=race, args=(n,)) for n in ("foi_officer", "foi_lead")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["got it", "too late"]


def test_a_task_given_back_can_be_claimed_by_another(office: Application) -> None:
    task = open_task(office, filed(office))
    office.uow.run(claim, ClaimTask(actor(office, "foi_officer"), task.id))
    office.uow.run(unclaim, UnclaimTask(actor(office, "foi_officer"), task.id))
    assert office.uow.run(claim, ClaimTask(actor(office, "foi_lead"), task.id)).assignee_id


def test_the_next_task_is_the_most_urgent_and_is_then_mine(office: Application) -> None:
    first = filed(office)
    filed(office)
    taken = office.uow.run(claim_next, ClaimNextTask(actor(office, "foi_officer")))
    assert taken is not None
    assert taken.case_id == first.id


@pytest.mark.parametrize("stranger", ["roads", "manager", "designer", "citizen2"])
def test_nobody_else_finds_the_task(office: Application, stranger: str) -> None:
    task = open_task(office, filed(office))
    with pytest.raises(errors.NotFound):
        office.uow.run(claim, ClaimTask(actor(office, stranger), task.id))


def test_completing_needs_the_claim_right_answers_and_an_open_task(office: Application) -> None:
    case = filed(office)
    task, who = open_task(office, case), actor(office, "foi_officer")
    with pytest.raises(errors.TaskNotYours):
        office.uow.run(complete, CompleteTask(who, task.id, {"outcome": "accept"}))
    office.uow.run(claim, ClaimTask(who, task.id))
    with pytest.raises(errors.AnswersInvalid) as told:
        office.uow.run(complete, CompleteTask(who, task.id, {"outcome": "correction"}))
    assert [e.field for e in told.value.params["fields"]] == [
        "correction_fields",
        "correction_note",
    ]
    office.uow.run(complete, CompleteTask(who, task.id, {"outcome": "accept"}))
    with pytest.raises(errors.TaskNotOpen):
        office.uow.run(complete, CompleteTask(who, task.id, {"outcome": "accept"}))


def test_a_stale_revision_is_refused(office: Application) -> None:
    case = filed(office)
    task, who = open_task(office, case), actor(office, "foi_officer")
    office.uow.run(claim, ClaimTask(who, task.id))
    with pytest.raises(errors.StaleRevision):
        office.uow.run(complete, CompleteTask(who, task.id, {"outcome": "accept"}, 1))


def test_a_correction_changes_only_what_was_flagged(office: Application) -> None:
    case = filed(office)
    done(
        office, case, "check_request", "foi_officer",
        outcome="correction", correction_fields=["title"], correction_note="请写明名称",
    )  # fmt: skip
    task = open_task(office, case, "answer_correction")
    with pytest.raises(errors.NotFound):
        office.uow.run(correct, CorrectAnswers(actor(office, "citizen2"), task.id, {"title": "x"}))
    office.uow.run(
        correct,
        CorrectAnswers(actor(office, "citizen"), task.id, {"title": "新名称", "subject": "water"}),
    )
    check = open_task(office, case, "check_request")
    assert check.state == "open"
    with office.uow.read() as session:
        from engine.store.tables import CaseState

        data = session.get_one(CaseState, case.id).data["application"]
    assert data["title"] == "新名称"
    assert data["subject"] == "planning"


def test_only_the_applicant_withdraws_and_everything_stops(office: Application) -> None:
    case = filed(office)
    with pytest.raises(errors.NotFound):
        office.uow.run(withdraw, WithdrawCase(actor(office, "citizen2"), case.id))
    ended = office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), case.id, "不需要了"))
    assert (ended.state, ended.stage) == ("withdrawn", "finished")
    with office.uow.read() as session:
        assert session.scalar(select(func.count()).where(Task.state == "open")) == 0
    with pytest.raises(errors.CaseNotOpen):
        office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), case.id))


def test_wrong_answers_start_no_case(office: Application) -> None:
    wrong = REQUEST | {"id_number": "110105194912310021", "title": ""}
    with pytest.raises(errors.AnswersInvalid) as told:
        office.uow.run(start_case, StartCase(actor(office, "citizen"), "F001", wrong))
    assert [(e.field, e.code) for e in told.value.params["fields"]] == [
        ("title", "required"),
        ("id_number", "id_number_wrong"),
    ]
    with office.uow.read() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_a_changed_event_breaks_the_chain(office: Application) -> None:
    case = filed(office)
    drain(office)

    def tamper(work: object, _: None) -> None:
        row = work.session.scalars(select(Event).order_by(Event.number)).first()  # type: ignore[attr-defined]
        row.details = row.details | {"service": "C001"}

    office.uow.run(tamper, None)  # type: ignore[arg-type]
    with office.uow.read() as session:
        assert first_broken_event(session, case.id) == 1
