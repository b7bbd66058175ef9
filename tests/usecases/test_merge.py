"""Merged cases: each complainant keeps number, dates, reply and rating, and is answered once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.wiring import Application
from engine.kernel import errors
from engine.store.audit import first_broken_event
from engine.store.tables import Case, Letter, Rating, Task
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.invariants import violations
from engine.usecases.merge import MergeCases, UnmergeCase, merge, unmerge
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.support.complaints import (
    closed,
    complained,
    decided,
    dispatched,
    handled,
    main_task,
    returned,
)
from tests.support.play import actor, done, drain, filed, open_task


def merged(office: Application, case: Case, main: Case, by: str = "hotline") -> Case:
    return office.uow.run(merge, MergeCases(actor(office, by), case.id, main.id))


def now(office: Application, case: Case) -> Case:
    with office.uow.read() as session:
        return session.get_one(Case, case.id)


def letters(office: Application, case: Case) -> list[str]:
    with office.uow.read() as session:
        found = select(Letter.letter).where(Letter.case_id == case.id)
        return list(session.scalars(found.order_by(Letter.created_at, Letter.id)))


def test_all_are_answered_with_the_main_case_and_rate_for_themselves(office: Application) -> None:
    main, other = dispatched(office), complained(office, "citizen2", title="路灯又坏了")
    dates = (other.legal_due_at, other.promised_due_at)
    merged(office, other, main)
    task = main_task(office, other, "accept")
    with pytest.raises(errors.TaskNotOpen):
        office.uow.run(claim, ClaimTask(actor(office, "hotline"), task.id))
    handled(office, main, "roads")
    drain(office)
    # Until the main case has its last word the other's dates run on.
    row = now(office, other)
    assert (row.decided_at, row.legal_due_at, row.promised_due_at) == (None, *dates)
    done(office, main, "follow_up", "hotline", outcome="content", note="满意")
    drain(office)
    row = now(office, other)
    assert (row.state, row.outcome) == ("open", "resolved")
    assert letters(office, other) == ["receipt", "reply"]
    with office.uow.read() as session:
        found = select(Letter).where(Letter.case_id == other.id, Letter.letter == "reply")
        letter = session.scalars(found).one()
    assert letter.body is not None
    assert "Mary Chen" in letter.body
    assert other.reference in f"{letter.subject}{letter.body}"
    assert "路灯又坏了" in letter.body
    assert "张伟" not in letter.body
    assert main.reference not in letter.body
    rating = open_task(office, other)
    answer = CompleteTask(actor(office, "citizen2"), rating.id, {"grade": "5"})
    assert office.uow.run(complete, answer).state == "closed"
    with office.uow.read() as session:
        assert session.scalars(select(Rating.case_id)).all() == [other.id]
        for case in session.scalars(select(Case)):
            assert first_broken_event(session, case.id) is None
    assert list(violations(office.uow)) == []


def test_a_low_rating_of_a_follower_is_put_right_like_any_other(office: Application) -> None:
    main, other = dispatched(office), complained(office, "citizen2")
    merged(office, other, main)
    closed(office, main)
    drain(office)
    rating = open_task(office, other)
    office.uow.run(complete, CompleteTask(actor(office, "citizen2"), rating.id, {"grade": "1"}))
    assert open_task(office, other).element == "repair"


def test_a_case_that_was_parted_goes_its_own_way(office: Application) -> None:
    main, other = dispatched(office), complained(office, "citizen2")
    merged(office, other, main)
    office.uow.run(unmerge, UnmergeCase(actor(office, "hotline"), other.id))
    closed(office, main)
    drain(office)
    assert now(office, other).decided_at is None
    assert now(office, main).followers == 0
    done(office, other, "accept", "hotline", outcome="accept")
    closed(office, other)
    drain(office)
    assert letters(office, other) == ["receipt", "reply"]


def test_when_the_main_case_is_withdrawn_the_others_go_on(office: Application) -> None:
    main, other = dispatched(office), complained(office, "citizen2")
    merged(office, other, main)
    office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), main.id))
    drain(office)
    row = now(office, other)
    assert (row.main_id, row.state) == (None, "open")
    assert open_task(office, other).element == "accept"
    assert list(violations(office.uow)) == []


def test_the_same_is_said_when_it_is_not_accepted(office: Application) -> None:
    main, other = complained(office), complained(office, "citizen2")
    merged(office, other, main)
    answers = {"outcome": "not_accepted", "reason": "court", "advice": "请等待裁判"}
    done(office, main, "accept", "hotline", **answers)
    drain(office)
    row = now(office, other)
    assert (row.outcome, letters(office, other)) == ("not_accepted", ["receipt", "not_accepted"])


def _why(office: Application, case: Case, main: Case, by: str = "hotline") -> str:
    with pytest.raises(errors.MergeRefused) as told:
        merged(office, case, main, by)
    return str(told.value.params["why"])


def test_what_cannot_be_merged_is_refused_in_words(office: Application) -> None:
    main, other, third = (complained(office, "citizen2") for _ in range(3))
    assert _why(office, main, main) == "itself"
    merged(office, other, main)
    assert _why(office, third, other) == "follows"
    assert _why(office, main, third) == "followed"
    assert _why(office, other, third) == "follows"
    gone = complained(office)
    office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), gone.id))
    assert _why(office, third, gone) == "closed"
    assert _why(office, third, filed(office), "manager") == "service"
    contested = dispatched(office)
    returned(office, contested, "roads")
    assert _why(office, contested, main) == "contested"
    decided(office, contested, "redispatch", "ROADS")
    # It is the roads bureau's now.
    assert _why(office, contested, main) == "elsewhere"
    assert merged(office, contested, main, "manager").main_id == main.id


def test_nobody_merges_what_they_cannot_see(office: Application) -> None:
    main, other = dispatched(office), complained(office, "citizen2")
    for stranger in ("water", "foi_lead", "citizen"):
        with pytest.raises(errors.NotFound):
            merged(office, other, main, stranger)


WAYS = st.lists(
    st.tuples(st.sampled_from(["merge", "unmerge", "withdraw", "drain"]), st.integers(0, 2)),
    max_size=8,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(WAYS)
def test_every_complainant_gets_their_reply_exactly_once(
    small_office: Application, ways: list[tuple[str, int]]
) -> None:
    office = small_office
    main = dispatched(office)
    others = [complained(office, "citizen2") for _ in range(3)]
    for act, number in ways:
        case = others[number]
        try:
            if act == "merge":
                merged(office, case, main)
            elif act == "unmerge":
                office.uow.run(unmerge, UnmergeCase(actor(office, "hotline"), case.id))
            elif act == "withdraw":
                office.uow.run(withdraw, WithdrawCase(actor(office, "citizen2"), case.id))
            else:
                drain(office)
        except (errors.MergeRefused, errors.CaseNotOpen):
            pass
    closed(office, main)
    drain(office)
    for case in others:
        row: Any = now(office, case)
        if row.main_id is None and row.state == "open":
            done(office, case, "accept", "hotline", outcome="accept")
            closed(office, case)
    drain(office)
    for case in [main, *others]:
        expected = [] if now(office, case).state == "withdrawn" else ["reply"]
        assert [each for each in letters(office, case) if each != "receipt"] == expected
    with office.uow.read() as session:
        held = session.scalars(select(Task.id).where(Task.state == "held")).all()
    assert held == []
