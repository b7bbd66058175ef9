"""The law of returned tasks, co-handlers' turns, and what a package says of both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.dispatch import MOST_RETURNS, Dispute, dispute_of, with_dispute
from engine.domain.joint import Joint, JointAnswer, departments_named, joint_from_mapping
from engine.domain.package import read_manifest
from engine.store.tables import Task, TaskMove
from engine.usecases.department_time import stays, time_by_department
from tests.support.small_package import files_of, person

ACTS = st.lists(st.sampled_from(["return", "dispatch", "finish"]), max_size=12)


@given(ACTS)
def test_a_case_bounces_at_most_twice_before_a_final_decision(acts: list[str]) -> None:
    dispute, returns, undecided = Dispute("A"), 0, False
    for number, act in enumerate(acts):
        refused = dispute.refusal()
        if act == "return" and not undecided:
            if refused is None:
                dispute, undecided = dispute.returned(), True
                returns += 1
            else:
                with pytest.raises(ValueError, match=refused):
                    dispute.returned()
        elif act == "dispatch" and undecided:
            second = dispute.decider == "adjudicate"
            dispute, undecided = dispute.dispatched(f"D{number}"), False
            # Nobody returns it any more once the second return was decided.
            assert (dispute.refusal() == "final") == second
            assert dispute.department == f"D{number}"
        elif act == "finish" and not undecided:
            dispute = dispute.accepted(dispute.department or "A")
            assert dispute.refusal() is not None
        assert returns == dispute.returns <= MOST_RETURNS


def test_a_dispute_is_kept_for_its_element_alone() -> None:
    kept = with_dispute(None, "handle", Dispute("ROADS", 1))
    kept = with_dispute(kept, "inspect", Dispute().accepted("WATER"))
    assert dispute_of(kept, "handle") == Dispute("ROADS", 1)
    assert dispute_of(kept, "inspect").refusal() == "accepted"
    assert dispute_of(kept, "other") == Dispute()


@given(
    st.lists(st.sampled_from("ABCDE"), unique=True, min_size=1),
    st.sampled_from(["parallel", "sequence"]),
    st.randoms(),
)
def test_every_co_handler_is_asked_and_answers_once(order: list[str], how: str, chance) -> None:  # type: ignore[no-untyped-def]
    joint = Joint().with_more(order, how)  # type: ignore[arg-type]
    answered = []
    while joint.waiting:
        assert joint.asked
        assert how == "parallel" or joint.asked == {order[len(answered)]}
        who = chance.choice(sorted(joint.asked))
        joint = joint_from_mapping(joint.answered(JointAnswer(who, "agree")).as_mapping())
        answered.append(who)
    assert sorted(answered) == sorted(order)
    assert [each.department for each in joint.answers] == answered
    assert joint.departments == set(order)


def test_a_table_names_departments_as_a_list_or_with_commas() -> None:
    assert departments_named("ENV, WATER ,ENV") == ("ENV", "WATER")
    assert departments_named(["ENV", " WATER"]) == ("ENV", "WATER")
    assert departments_named(None) == ()


def _manifest(more: str) -> tuple[object, list[str]]:
    content = files_of(person("a"))["package.toml"].decode() + more
    manifest, findings = read_manifest(content.encode())
    return manifest, [f"{each.code} {each.element}" for each in findings]


def test_returns_need_somebody_to_decide_them_and_reasons() -> None:
    _, findings = _manifest("[dispatch]\nreturns = true\n")
    assert findings == [
        "dispatch_setting_missing dispatch.dispatcher",
        "dispatch_setting_missing dispatch.adjudicator",
        "dispatch_setting_missing returns",
    ]


def test_what_is_wrong_in_dispatch_is_told_at_its_place() -> None:
    wrong = (
        '[dispatch]\ntable = 3\nassign = "chance"\nreturns = "yes"\n'
        'dispatcher = { role = "caseworker" }\nadjudicator = { department = "A", role = "king" }\n'
        '[[returns]]\ncode = "not ours"\n[[returns]]\ncode = "ours"\n'
    )
    _, findings = _manifest(wrong)
    assert findings == [
        "manifest_setting_wrong dispatch.table",
        "manifest_setting_wrong dispatch.assign",
        "manifest_setting_wrong dispatch.returns",
        "manifest_setting_wrong dispatch.dispatcher.department",
        "manifest_setting_wrong dispatch.adjudicator.role",
        "manifest_setting_wrong returns[1].code",
        "text_missing returns[2].title",
    ]


AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


def _hours(count: float) -> datetime:
    return AT + timedelta(hours=count)


def _task(id_: str, department: str, since: float, until: float | None, **more: object) -> Task:
    return Task(
        id=id_,
        audience="staff",
        department=department,
        state="done" if until else "open",
        opened_at=_hours(since),
        finished_at=_hours(until) if until else None,
        **more,
    )


def test_a_return_costs_the_department_that_had_the_task() -> None:
    main = _task("t", "WATER", 0, 12, came_at=_hours(8))
    main.state = "done"
    again = _task("p", "HOTLINE", 6, 8)
    move = TaskMove(
        task_id="t", kind="return", department="ROADS", came_at=AT, left_at=_hours(6),
        decided_at=_hours(8),
    )  # fmt: skip
    found = list(stays([main, again], [move]))
    assert [each.returned for each in found] == [True, False, False]
    hours = {
        code: time.total_seconds() / 3600
        for code, time in time_by_department(found, _hours(20)).items()
    }
    assert hours == {"HOTLINE": 2, "ROADS": 6, "WATER": 4}


def test_while_it_is_undecided_only_the_decider_pays() -> None:
    main = _task("t", "ROADS", 0, None)
    main.state = "held"
    again = _task("p", "HOTLINE", 6, None)
    move = TaskMove(task_id="t", kind="return", department="ROADS", came_at=AT, left_at=_hours(6))
    time = time_by_department(stays([main, again], [move]), _hours(10))
    assert time == {"HOTLINE": timedelta(hours=4), "ROADS": timedelta(hours=6)}


def test_two_tasks_at_once_are_counted_once() -> None:
    tasks = [_task("a", "ROADS", 0, 4), _task("b", "ROADS", 2, 6), _task("c", "ROADS", 8, 9)]
    assert time_by_department(stays(tasks, []), _hours(9)) == {"ROADS": timedelta(hours=7)}
