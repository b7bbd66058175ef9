"""Start to end: tasks, gateways, loops, data, effects and stages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernel.errors import ExecutionFailed, TaskNotOpen
from tests.unit.bpmn.models import (
    END,
    START,
    actions,
    complete,
    decision_task,
    flow,
    gateway,
    node,
    opened,
    path,
    process,
    script_task,
    service_task,
    user_task,
)
from tests.unit.bpmn.models import settings as of

LOOP = process(
    START,
    user_task("check"),
    gateway("enough", default="enough_check"),
    END,
    path("begin", "check", "enough", "check"),
    flow("enough", "finish", "check.done"),
)


def test_a_task_waits_and_its_answers_become_process_data() -> None:
    made = process(
        START,
        user_task("check", limit="= case.limit", priority="2"),
        END,
        path("begin", "check", "finish"),
    )
    step = made.start({"case": {"limit": "reply"}})
    assert opened(step) == ["check"]
    assert step.tasks[0].properties == {
        "form": "f",
        "department": "FOI",
        "saves_as": "check",
        "limit": "reply",
        "priority": "2",
    }
    assert step.tasks[0].data == {"case": {"limit": "reply"}}
    assert len(step.tasks[0].key) == 32
    assert step.passed == ("begin",)
    assert not step.finished
    after = complete(made, step, "check", check={"outcome": "ok"})
    assert after.finished
    assert after.passed == ("check", "finish")
    assert after.data == {"case": {"limit": "reply"}, "check": {"outcome": "ok"}}
    assert after.tasks == after.timers == ()


def test_a_finished_or_foreign_task_is_not_open() -> None:
    made = LOOP
    step = made.start({})
    after = complete(made, step, "check", check={"done": False})
    for key in (step.tasks[0].key, "0" * 32, "nonsense", ""):
        with pytest.raises(TaskNotOpen):
            made.complete(after.state, key, {})


def test_effects_come_in_order_with_their_settings_evaluated() -> None:
    made = process(
        START,
        service_task(
            "go",
            action="clock.start",
            clock="legal promised",
            limit="=case.limit",
            stage="accepted",
        ),
        node("sendTask", "tell", of(letter="receipt", to="=case.email", stage="handling")),
        user_task("check", stage="decided"),
        node("endEvent", "finish", of(stage="finished")),
        path("begin", "go", "tell", "check", "finish"),
    )
    step = made.start({"case": {"limit": "reply", "email": "a@b.cn"}})
    assert [(e.element, e.action, e.properties.get("stage")) for e in step.effects] == [
        ("go", "stage", "accepted"),
        ("go", "clock.start", "accepted"),
        ("tell", "stage", "handling"),
        ("tell", "letter.send", "handling"),
        ("check", "stage", "decided"),
    ]
    assert step.effects[1].properties["limit"] == "reply"
    assert step.effects[3].properties["to"] == "a@b.cn"
    assert step.effects[0].data == {"case": {"limit": "reply", "email": "a@b.cn"}}
    after = complete(made, step, "check")
    assert [(e.action, e.properties) for e in after.effects] == [("stage", {"stage": "finished"})]


def test_an_exclusive_gateway_takes_the_first_flow_that_holds_else_the_default() -> None:
    made = process(
        START,
        user_task("check"),
        gateway("which", default="which_c"),
        *(service_task(name) for name in "abc"),
        END,
        path("begin", "check", "which"),
        flow("which", "a", "check.n > 10"),
        flow("which", "b", "check.n > 5"),
        flow("which", "c"),
        *(flow(name, "finish") for name in "abc"),
    )
    step = made.start({})
    taken = {n: complete(made, step, "check", check={"n": n}).passed[2] for n in (11, 6, 1, None)}
    assert taken == {11: "a", 6: "b", 1: "c", None: "c"}


def test_no_condition_met_fails_at_the_gateway() -> None:
    made = process(
        START,
        gateway("which"),
        service_task("a"),
        service_task("b"),
        END,
        flow("begin", "which"),
        flow("which", "a", "x == 1"),
        flow("which", "b", "x == 2"),
        path("a", "finish"),
        path("b", "finish"),
    )
    with pytest.raises(ExecutionFailed) as error:
        made.start({"x": 3})
    assert error.value.params["element"] == "which"
    assert error.value.params["reason"] == "no_condition_met"


FORK = (
    START,
    gateway("fork", "parallel"),
    user_task("a"),
    user_task("b"),
    gateway("join", "parallel"),
    service_task("after"),
    END,
    path("begin", "fork", "a", "join", "after", "finish"),
    path("fork", "b", "join"),
)


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_a_parallel_join_waits_and_keeps_what_each_branch_changed(order: str) -> None:
    made = process(*FORK)
    step = made.start({"a": "old", "b": "old", "kept": 1})
    step = complete(made, step, order[0], **{order[0]: "new"})
    assert opened(step) == [order[1]]
    assert not step.finished
    assert step.data[order[0]] == "new"
    step = complete(made, step, order[1], **{order[1]: "new"})
    assert step.finished
    assert step.data == {"a": "new", "b": "new", "kept": 1}
    assert step.passed.count("after") == 1


def test_a_join_in_a_loop_waits_for_both_branches_in_every_round() -> None:
    made = process(
        START,
        gateway("fork", "parallel"),
        user_task("a"),
        user_task("b"),
        gateway("join", "parallel"),
        gateway("again", default="again_back"),
        gateway("back"),
        END,
        path("begin", "back", "fork", "a", "join", "again", "back"),
        path("fork", "b", "join"),
        flow("again", "finish", "b.done"),
    )
    step = made.start({})
    sizes = []
    for number in range(40):
        assert opened(step) == ["a", "b"]
        first, second = ("a", "b") if number % 2 else ("b", "a")
        step = complete(made, step, first, **{first: {"round": number}})
        assert opened(step) == [second], number
        step = complete(made, step, second, **{second: {"round": number, "done": number == 39}})
        sizes.append(len(step.state))
    assert step.finished
    assert step.data["a"] == {"round": 39}
    assert max(sizes) < sizes[0] * 1.5


@pytest.mark.parametrize("kind", ["parallel", "inclusive"])
def test_an_inclusive_gateway_waits_only_for_the_branches_taken(kind: str) -> None:
    made = process(
        START,
        gateway("split", "inclusive", default="split_c"),
        *(user_task(name) for name in "abc"),
        gateway("join", "inclusive"),
        END,
        flow("begin", "split"),
        flow("split", "a", "'a' in want"),
        flow("split", "b", "'b' in want"),
        flow("split", "c"),
        *(flow(name, "join") for name in "abc"),
        flow("join", "finish"),
    )
    assert opened(made.start({"want": []})) == ["c"]
    step = made.start({"want": ["a", "b"]})
    assert opened(step) == ["a", "b"]
    step = complete(made, step, "b", b=1)
    assert opened(step) == ["a"]
    step = complete(made, step, "a", a=1)
    assert step.finished
    assert step.data == {"want": ["a", "b"], "a": 1, "b": 1}
    assert complete(made, made.start({"want": ["a"]}), "a").finished


def test_an_inclusive_join_goes_on_when_the_other_branch_ends_elsewhere() -> None:
    made = process(
        START,
        gateway("fork", "parallel"),
        user_task("a"),
        user_task("b"),
        gateway("leave", default="leave_join"),
        gateway("join", "inclusive"),
        user_task("after"),
        END,
        node("endEvent", "gone"),
        path("begin", "fork", "a", "join", "after", "finish"),
        path("fork", "b", "leave", "join"),
        flow("leave", "gone", "b.leave"),
    )
    step = complete(made, made.start({}), "a")
    assert opened(step) == ["b"]
    step = complete(made, step, "b", b={"leave": True})
    assert opened(step) == ["after"]
    assert complete(made, step, "after").finished


def test_a_task_with_several_outgoing_flows_splits() -> None:
    made = process(
        START, user_task("one"), user_task("a"), user_task("b"), END,
        path("begin", "one", "a", "finish"), path("one", "b", "finish"),
    )  # fmt: skip
    step = complete(made, made.start({}), "one")
    assert opened(step) == ["a", "b"]
    step = complete(made, complete(made, step, "a", a=1), "b", b=2)
    assert step.finished
    assert step.data == {"a": 1, "b": 2}


def test_a_terminate_end_stops_all_branches() -> None:
    stop = node("endEvent", "stop", "<bpmn:terminateEventDefinition/>")
    made = process(
        START, gateway("fork", "parallel"), user_task("a"), user_task("b"), stop, END,
        path("begin", "fork", "a", "stop"), path("fork", "b", "finish"),
    )  # fmt: skip
    step = complete(made, made.start({"x": 1}), "a", a=1)
    assert step.finished
    assert step.tasks == ()
    assert step.data == {"x": 1, "a": 1}
    assert not complete(made, made.start({}), "b").finished


def test_six_hundred_rounds_cost_no_more_than_ten() -> None:
    step = LOOP.start({"case": {"title": "x" * 100}})
    sizes = []
    for number in range(600):
        step = complete(LOOP, step, "check", check={"done": False, "round": number})
        sizes.append(len(step.state))
    assert max(sizes) <= sizes[9] + 20
    assert complete(LOOP, step, "check", check={"done": True}).finished


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8)), max_size=6)
)
def test_whatever_the_answers_a_loop_keeps_the_last(rounds: list[dict[str, Any]]) -> None:
    step = LOOP.start({})
    for answers in rounds:
        if any(isinstance(value, int) and abs(value) >= 2**63 for value in answers.values()):
            with pytest.raises(ExecutionFailed):
                complete(LOOP, step, "check", check=answers)
            continue
        if any("\0" in f"{k}{v}" for k, v in answers.items()):
            continue
        answers.pop("done", None)
        step = complete(LOOP, step, "check", check=answers)
        assert step.data["check"] == answers
    assert complete(LOOP, step, "check", check={"done": 1}).finished


def test_an_endless_automatic_loop_is_stopped() -> None:
    made = process(
        START, service_task("a"), gateway("on", default="on_a"), END,
        path("begin", "a", "on", "a"), flow("on", "finish", "never"),
    )  # fmt: skip
    with pytest.raises(ExecutionFailed) as error:
        made.start({})
    assert error.value.params["reason"] == "too_many_steps"
    assert error.value.params["element"] in ("a", "on")


def test_a_join_that_can_never_fire_is_told_instead_of_waiting_for_ever() -> None:
    made = process(
        START, gateway("one", default="one_a"), service_task("a"), service_task("b"),
        gateway("join", "parallel"), END,
        path("begin", "one", "a", "join", "finish"), flow("one", "b", "x"), flow("b", "join"),
    )  # fmt: skip
    with pytest.raises(ExecutionFailed) as error:
        made.start({})
    assert error.value.params == {"element": "join", "reason": "deadlock"}


def test_a_script_changes_data_and_a_failing_one_changes_nothing() -> None:
    made = process(
        START,
        user_task("check"),
        script_task(
            "count", "total = 0\nfor n in check.numbers:\n    total += n\ncheck.total = total"
        ),
        END,
        path("begin", "check", "count", "finish"),
    )
    step = made.start({})
    after = complete(made, step, "check", check={"numbers": [1, 2, 3]})
    assert after.data == {"check": {"numbers": [1, 2, 3], "total": 6}, "total": 6}
    with pytest.raises(ExecutionFailed) as error:
        complete(made, step, "check", check={"numbers": ["x"]})
    assert error.value.params["element"] == "count"
    assert error.value.params["reason"] == "expression_failed"
    assert complete(made, step, "check", check={"numbers": []}).data["total"] == 0


def test_lanes_are_read() -> None:
    lanes = (
        '<bpmn:laneSet id="ls"><bpmn:lane id="l1" name="Office"><bpmn:flowNodeRef> check '
        '</bpmn:flowNodeRef></bpmn:lane><bpmn:lane id="l2" name="Citizen"><bpmn:flowNodeRef>more'
        "</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    )
    made = process(
        lanes, START, user_task("check"), user_task("more", audience="applicant"), END,
        path("begin", "check", "more", "finish"),
    )  # fmt: skip
    assert {e.id: e.lane for e in made.elements.values()} == {
        "begin": None, "check": "Office", "more": "Citizen", "finish": None,
    }  # fmt: skip
    assert made.elements["check"].kind == "userTask"
    assert made.elements["check"].line > 1
    assert complete(made, made.start({}), "check").tasks[0].element == "more"


def test_manual_and_abstract_tasks_and_milestones() -> None:
    made = process(
        START,
        node("task", "note", of(stage="accepted")),
        node("manualTask", "visit", of(department="FOI")),
        node("intermediateThrowEvent", "milestone", of(stage="handling")),
        END,
        path("begin", "note", "visit", "milestone", "finish"),
    )
    step = made.start({})
    assert opened(step) == ["visit"]
    assert actions(step) == [("note", "stage")]
    after = complete(made, step, "visit")
    assert after.finished
    assert actions(after) == [("milestone", "stage")]


def test_a_decision_becomes_data() -> None:
    from tests.unit.bpmn.tables import table

    made = process(
        START, decision_task("dispatch", "where"), END, path("begin", "dispatch", "finish"),
        files={"where.dmn": table("where", ["case.kind"], ["department"], [['"road"', '"ROADS"']])},
    )  # fmt: skip
    assert made.start({"case": {"kind": "road"}}).data["where"] == {"department": "ROADS"}
    with pytest.raises(ExecutionFailed) as error:
        made.start({"case": {"kind": "sky"}})
    assert error.value.params == {"element": "dispatch", "reason": "no_rule_matched"}
