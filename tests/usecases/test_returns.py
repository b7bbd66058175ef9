"""Returned tasks: who decides, what is refused, what it costs, and that the process stays."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.demo.office import shipped_package
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.domain.clock_terms import CASE_DATES
from engine.kernel import errors
from engine.kernel.clock import SettableClock
from engine.store.audit import first_broken_event
from engine.store.queries.returns import returns
from engine.store.tables import Case, CaseState, ClockEntry, Event, Task, TaskMove
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.department_time import department_time
from engine.usecases.invariants import violations
from engine.usecases.publish import PublishPackage, publish
from engine.usecases.return_task import ReturnTask, return_task
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.support.clocks import clock_of, due_of, ledger_of
from tests.support.complaints import (
    decided,
    dispatched,
    handled,
    main_task,
    part,
    returned,
)
from tests.support.play import actor, done, filed, open_task


def _refusal(office: Application, case: Case, by: str) -> str:
    task = main_task(office, case)
    command = ReturnTask(actor(office, by), task.id, "not_our_duty", "三定方案")
    with pytest.raises(errors.ReturnRefused) as told:
        office.uow.run(return_task, command)
    return str(told.value.params["why"])


def test_the_rule_names_the_department_and_says_why(office: Application) -> None:
    task = main_task(office, dispatched(office))
    assert task.department == "ROADS"
    assert task.dispatch_reason == {
        "by": "rule",
        "table": "dispatch",
        "rule": 2,
        "text": "道路、房屋、供气供暖由住建部门承办",
    }
    smelly = main_task(office, dispatched(office, description="河里有臭味"))
    assert (smelly.department, smelly.dispatch_reason["rule"]) == ("ENV", 1)


def test_the_first_return_goes_to_the_dispatcher_the_second_is_final(office: Application) -> None:
    case = dispatched(office)
    first = returned(office, case, "roads")
    assert (first.state, first.department) == ("held", "ROADS")
    assert part(office, case, "redispatch").department == "HOTLINE"
    decided(office, case, "redispatch", "WATER")
    assert main_task(office, case).department == "WATER"
    returned(office, case, "water")
    judge = part(office, case, "adjudicate")
    assert (judge.department, judge.role) == ("HOTLINE", "manager")
    decided(office, case, "adjudicate", "ROADS")
    assert _refusal(office, case, "roads") == "final"
    handled(office, case, "roads")
    with office.uow.read() as session:
        moves = session.scalars(select(TaskMove).order_by(TaskMove.left_at)).all()
        assert [(m.number, m.department, m.to_department, m.final) for m in moves] == [
            (1, "ROADS", "WATER", False),
            (2, "WATER", "ROADS", True),
        ]
        row = session.get_one(Case, case.id)
        assert row.returns == 2
        assert first_broken_event(session, case.id) is None
        data = session.get_one(CaseState, case.id).data
        assert data["dispatch"] == {"department": "ROADS", "returns": 2}
    assert list(violations(office.uow)) == []


def test_the_complainants_clocks_never_notice(office: Application, clock: SettableClock) -> None:
    case = dispatched(office)
    of_case = select(ClockEntry.id).where(ClockEntry.clock.in_(CASE_DATES))
    with office.uow.read() as session:
        before = session.scalars(of_case).all()
        dates = (case.legal_due_at, case.promised_due_at)
    clock.advance(timedelta(hours=3))
    returned(office, case, "roads")
    clock.advance(timedelta(hours=2))
    decided(office, case, "redispatch", "WATER")
    with office.uow.read() as session:
        row = session.get_one(Case, case.id)
        assert (row.legal_due_at, row.promised_due_at) == dates
        assert session.scalars(of_case).all() == before
        time = department_time(session, case.id, clock.now())
        # Each department pays for its own: three hours until it was returned, two to decide.
        assert time["ROADS"] == timedelta(hours=3)
        assert time["HOTLINE"] == timedelta(hours=2)
        (row,) = returns(session)
        assert (row.by, row.outcome, row.decided_by) == ("周涛", "redispatched", "赵敏")


def test_a_departments_clock_pays_for_what_it_returns(
    office: Application, clock: SettableClock
) -> None:
    case = dispatched(office)
    assert clock_of(office, case, "department:ROADS").state == "running"
    limit = due_of(office, case, "department:ROADS")
    clock.advance(timedelta(hours=3))
    returned(office, case, "roads")
    assert clock_of(office, case, "department:ROADS").state == "paused"
    assert clock_of(office, case, "department:HOTLINE").state == "running"
    clock.advance(timedelta(hours=2))
    decided(office, case, "redispatch", "WATER")
    assert clock_of(office, case, "department:HOTLINE").state == "paused"
    assert clock_of(office, case, "department:WATER").state == "running"
    clock.advance(timedelta(days=1))
    returned(office, case, "water")
    decided(office, case, "adjudicate", "ROADS")
    roads = clock_of(office, case, "department:ROADS")
    assert roads.state == "running"
    # The day it had the task the first time is used up; the next, another's, is given back.
    assert due_of(office, case, "department:ROADS") == office.ports.calendar.add_working_days(
        limit, 1
    )
    verbs = [line.verb for line in ledger_of(office, case, "department:ROADS")]
    assert verbs == ["start", "pause", "resume"]
    assert list(violations(office.uow)) == []


def test_whoever_has_worked_on_it_cannot_return_it(office: Application) -> None:
    case = dispatched(office)
    handled(office, case, "roads")
    done(office, case, "follow_up", "hotline", outcome="handle_again", note="仍不亮")
    assert main_task(office, case).department == "ROADS"
    assert _refusal(office, case, "roads") == "accepted"


def test_what_was_decided_holds_for_the_next_round_too(office: Application) -> None:
    case = dispatched(office)
    returned(office, case, "roads")
    decided(office, case, "redispatch", "WATER")
    handled(office, case, "water")
    done(office, case, "follow_up", "hotline", outcome="handle_again", note="仍不亮")
    assert main_task(office, case).department == "WATER"


def test_after_one_working_day_it_is_too_late(office: Application, clock: SettableClock) -> None:
    case = dispatched(office)
    clock.advance(timedelta(days=2))
    assert _refusal(office, case, "roads") == "too_late"


def test_a_basis_and_a_reason_of_the_package_are_needed(office: Application) -> None:
    task = open_task(office, dispatched(office), "handle")
    who = actor(office, "roads")
    for reason, basis, field in (("not_our_duty", " ", "basis"), ("no_idea", "x", "reason")):
        with pytest.raises(errors.AnswersInvalid) as told:
            office.uow.run(return_task, ReturnTask(who, task.id, reason, basis))
        assert [each.field for each in told.value.params["fields"]] == [field]
    assert office.uow.run(return_task, ReturnTask(who, task.id, "duplicate")).state == "held"


def test_only_who_has_the_task_returns_it(office: Application) -> None:
    case = dispatched(office)
    task = open_task(office, case, "handle")
    office.uow.run(claim, ClaimTask(actor(office, "roads_lead"), task.id))
    with pytest.raises(errors.TaskNotYours):
        office.uow.run(return_task, ReturnTask(actor(office, "roads"), task.id, "duplicate"))
    with pytest.raises(errors.NotFound):
        office.uow.run(return_task, ReturnTask(actor(office, "water"), task.id, "duplicate"))


def test_what_the_model_itself_gives_to_a_department_is_not_returned(office: Application) -> None:
    task = open_task(office, filed(office))
    with pytest.raises(errors.ReturnRefused) as told:
        office.uow.run(return_task, ReturnTask(actor(office, "foi_officer"), task.id, "duplicate"))
    assert told.value.params["why"] == "not_offered"


def test_a_case_withdrawn_meanwhile_leaves_nothing_open(office: Application) -> None:
    case = dispatched(office)
    returned(office, case, "roads")
    office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), case.id))
    with office.uow.read() as session:
        states = set(session.scalars(select(Task.state).where(Task.case_id == case.id)))
        assert states == {"done", "cancelled"}
        (row,) = returns(session)
        assert row.outcome == "overtaken"
    assert list(violations(office.uow)) == []


def test_the_audit_tells_the_whole_story(office: Application) -> None:
    case = dispatched(office)
    returned(office, case, "roads")
    decided(office, case, "redispatch", "WATER")
    with office.uow.read() as session:
        told = {
            row.kind: row.details
            for row in session.scalars(select(Event).where(Event.case_id == case.id))
        }
    assert told["task_returned"]["department"] == "ROADS"
    assert told["task_returned"]["reason"] == "not_our_area"
    assert told["task_redispatched"]["department"] == "WATER"


def test_a_table_that_is_not_there_is_refused_at_publish(office: Application) -> None:
    files = shipped_package("complaint")
    files["package.toml"] = files["package.toml"].replace(b'table = "dispatch"', b'table = "tier"')
    with pytest.raises(errors.PackageRefused) as told:
        office.uow.run(publish, PublishPackage(SYSTEM, files, trial=True))
    codes = {each.code for each in told.value.params["findings"]}
    assert "dispatch_table_wrong" in codes


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(["return", "return", "decide", "handle"]), max_size=9))
def test_whatever_departments_do_a_case_bounces_at_most_twice(
    small_office: Application, acts: list[str]
) -> None:
    office, case = small_office, dispatched(small_office)
    people = {"ROADS": "roads", "WATER": "water"}
    for act in acts:
        task = main_task(office, case)
        by = people[str(task.department)]
        if act == "return":
            with suppress(errors.ReturnRefused, errors.TaskNotOpen):
                returned(office, case, by)
        elif act == "decide" and task.state == "held":
            kind = "redispatch" if now_of(office, case).returns == 1 else "adjudicate"
            decided(office, case, kind, "WATER" if by == "roads" else "ROADS")
        elif act == "handle" and task.state == "open":
            handled(office, case, by)
            done(office, case, "follow_up", "hotline", outcome="handle_again", note="x")
            # It is theirs from now on, whoever had it before.
            assert _refusal(office, case, by) in ("accepted", "final")
    with office.uow.read() as session:
        moves = session.scalars(select(TaskMove).where(TaskMove.case_id == case.id)).all()
        assert len(moves) == session.get_one(Case, case.id).returns <= 2
    if len(moves) == 2 and all(move.decided_at for move in moves):
        assert _refusal(office, case, people[str(main_task(office, case).department)]) == "final"
    assert list(violations(office.uow)) == []


def now_of(office: Application, case: Case) -> Case:
    with office.uow.read() as session:
        return session.get_one(Case, case.id)
