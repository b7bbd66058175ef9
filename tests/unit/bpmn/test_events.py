"""Timers, event-based gateways, subprocesses, calls and errors."""

from __future__ import annotations

import pytest

from engine.domain.process import Process
from engine.kernel.errors import ExecutionFailed
from tests.unit.bpmn.models import (
    END,
    START,
    actions,
    complete,
    document,
    fire,
    flow,
    gateway,
    node,
    opened,
    path,
    process,
    script_task,
    service_task,
    timer,
    user_task,
    wait,
    waiting,
)
from tests.unit.bpmn.models import settings as of

ERROR_END = node("endEvent", "fail", '<bpmn:errorEventDefinition errorRef="bad"/>')
ERRORS = '<bpmn:error id="bad" name="Bad" errorCode="E1"/>'


def error_event(id_: str, attached: str, reference: str | None = "bad") -> str:
    inner = f'errorRef="{reference}"' if reference else ""
    return node(
        "boundaryEvent", id_, f"<bpmn:errorEventDefinition {inner}/>", attachedToRef=attached
    )


def subprocess(id_: str, *parts: str, **more: str) -> str:
    return node("subProcess", id_, of(**more) + "".join(parts))


def timed(interrupting: bool, text: str = "PT1H") -> Process:
    return process(
        START,
        user_task("check"),
        timer("late", "check", text, interrupting),
        user_task("hurry"),
        END,
        path("begin", "check", "finish"),
        path("late", "hurry", "finish"),
    )


def test_an_interrupting_timer_ends_the_task() -> None:
    made = timed(True)
    step = made.start({"x": 1})
    assert waiting(step) == {"late": "PT1H"}
    key = step.timers[0].key
    after = fire(made, step, "late")
    assert opened(after) == ["hurry"]
    assert after.passed == ("late",)
    assert after.timers == ()
    assert made.fire(after.state, key) is None
    done = complete(made, after, "hurry", hurry=1)
    assert done.finished
    assert done.data == {"x": 1, "hurry": 1}


def test_completing_the_task_ends_its_timer() -> None:
    made = timed(True)
    step = made.start({})
    after = complete(made, step, "check")
    assert after.finished
    assert made.fire(after.state, step.timers[0].key) is None


def test_a_timer_that_does_not_interrupt_fires_once_beside_the_task() -> None:
    made = timed(False)
    step = fire(made, made.start({}), "late")
    assert opened(step) == ["check", "hurry"]
    assert step.timers == ()
    step = complete(made, step, "check", check={"ok": True})
    assert opened(step) == ["hurry"]
    step = complete(made, step, "hurry", hurry=1)
    assert step.finished
    assert step.data == {"check": {"ok": True}, "hurry": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("P3D", "P3D"),
        ("limit:reply", "limit:reply"),
        ("2026-03-01T09:00:00+08:00", "2026-03-01T09:00:00+08:00"),
        ("='limit:' + case.limit", "limit:reply"),
        ("=case.wait", "PT5M"),
    ],
)
def test_a_timers_value_is_given_as_the_model_or_its_expression_says(text: str, value: str) -> None:
    step = timed(True, text).start({"case": {"limit": "reply", "wait": "PT5M"}})
    assert waiting(step) == {"late": value}


@pytest.mark.parametrize("text", ["=case.nothing", "='tomorrow'", "='x' * 1000"])
def test_an_expression_that_gives_no_time_fails_at_the_timer(text: str) -> None:
    with pytest.raises(ExecutionFailed) as error:
        timed(True, text).start({"case": {}})
    assert error.value.params["element"] in ("late", "check")


def test_a_timers_key_and_value_stay_while_other_things_happen() -> None:
    made = process(
        START, gateway("fork", "parallel"), user_task("a"), wait("pause", "=x"), user_task("b"),
        gateway("join", "parallel"), END,
        path("begin", "fork", "a", "b", "join", "finish"), path("fork", "pause", "join"),
    )  # fmt: skip
    first = made.start({"x": "P1D"})
    second = complete(made, first, "a", x="P9D")
    assert first.timers == second.timers
    third = fire(made, second, "pause")
    assert opened(third) == ["b"]
    assert not third.finished
    assert complete(made, third, "b").finished


def test_two_timers_at_an_event_based_gateway_are_two() -> None:
    made = process(
        START, gateway("either", "eventBased"), wait("soon", "PT1H"), wait("later", "P1D"),
        user_task("a"), user_task("b"), END,
        path("begin", "either", "soon", "a", "finish"), path("either", "later", "b", "finish"),
    )  # fmt: skip
    step = made.start({})
    assert waiting(step) == {"soon": "PT1H", "later": "P1D"}
    for name, task in (("soon", "a"), ("later", "b")):
        after = fire(made, step, name)
        assert opened(after) == [task]
        assert after.timers == ()
        assert complete(made, after, task).finished


INNER = (
    node("startEvent", "in"),
    user_task("first"),
    user_task("second"),
    node("endEvent", "out"),
    path("in", "first", "second", "out"),
)


def test_a_subprocess_shares_the_data_and_its_stage_is_told_on_entry() -> None:
    made = process(
        START, subprocess("inner", *INNER, stage="handling"), user_task("after"), END,
        path("begin", "inner", "after", "finish"),
    )  # fmt: skip
    step = made.start({"x": 1})
    assert opened(step) == ["first"]
    assert actions(step) == [("inner", "stage")]
    step = complete(made, complete(made, step, "first", first=1), "second", second=2)
    assert opened(step) == ["after"]
    assert step.passed == ("second", "out", "inner")
    assert step.data == {"x": 1, "first": 1, "second": 2}
    assert complete(made, step, "after").finished


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_timer_on_a_subprocess_knows_what_the_subprocess_knows(interrupting: bool) -> None:
    made = process(
        START,
        subprocess("inner", *INNER),
        timer("late", "inner", "limit:reply", interrupting),
        user_task("hurry", note="=first"),
        END,
        path("begin", "inner", "finish"),
        path("late", "hurry", "finish"),
    )
    step = complete(made, made.start({"first": 0}), "first", first=1)
    assert waiting(step) == {"late": "limit:reply"}
    step = fire(made, step, "late")
    hurry = next(task for task in step.tasks if task.element == "hurry")
    assert hurry.properties["note"] == 1
    assert opened(step) == (["hurry"] if interrupting else ["hurry", "second"])
    if not interrupting:
        step = complete(made, step, "second", second=2)
    step = complete(made, step, "hurry", hurry=3)
    assert step.finished
    assert step.data == {"first": 1, "hurry": 3} | ({} if interrupting else {"second": 2})


def failing(*inside: str, catch: str = "bad") -> Process:
    inner = subprocess(
        "inner", node("startEvent", "in"), user_task("look"), gateway("good", default="good_out"),
        ERROR_END, node("endEvent", "out"), *inside,
        path("in", "look", "good", "out"), flow("good", "fail", "look.bad"),
    )  # fmt: skip
    return process(
        START, inner, error_event("caught", "inner", catch), user_task("repair"), END,
        path("begin", "inner", "finish"), path("caught", "repair", "finish"), beside=ERRORS,
    )  # fmt: skip


def test_an_error_end_is_caught_on_the_edge_of_its_subprocess() -> None:
    for made in (failing(), failing(catch="")):
        step = complete(made, made.start({}), "look", look={"bad": True})
        assert opened(step) == ["repair"]
        assert step.passed == ("look", "good", "fail", "caught")
        assert step.data == {"look": {"bad": True}}
        assert complete(made, step, "repair").finished
        assert complete(made, made.start({}), "look", look={"bad": False}).finished


def test_an_error_stops_the_subprocesss_other_work_at_once() -> None:
    inner = subprocess(
        "inner", node("startEvent", "in"), gateway("fork", "parallel"), ERROR_END,
        service_task("one"), service_task("two"), service_task("three"), node("endEvent", "out"),
        path("in", "fork", "fail"), path("fork", "one", "two", "three", "out"),
    )  # fmt: skip
    made = process(
        START, inner, error_event("caught", "inner"), user_task("repair"), END,
        path("begin", "inner", "finish"), path("caught", "repair", "finish"), beside=ERRORS,
    )  # fmt: skip
    step = made.start({})
    assert opened(step) == ["repair"]
    assert "two" not in step.passed
    assert "out" not in step.passed


def test_an_error_is_caught_by_its_own_subprocess_not_by_a_sibling() -> None:
    one = subprocess(
        "one", node("startEvent", "in1"), user_task("t1"), gateway("g1", default="g1_out1"),
        ERROR_END, node("endEvent", "out1"), path("in1", "t1", "g1", "out1"),
        flow("g1", "fail", "t1.bad"),
    )  # fmt: skip
    two = subprocess(
        "two", node("startEvent", "in2"), user_task("t2"), node("endEvent", "out2"),
        path("in2", "t2", "out2"),
    )  # fmt: skip
    made = process(
        START, gateway("fork", "parallel"), one, two, error_event("caught1", "one"),
        error_event("caught2", "two"), user_task("r1"), user_task("r2"), END,
        path("begin", "fork", "one", "finish"), path("fork", "two", "finish"),
        path("caught1", "r1", "finish"), path("caught2", "r2", "finish"), beside=ERRORS,
    )  # fmt: skip
    step = complete(made, made.start({}), "t1", t1={"bad": True})
    assert opened(step) == ["r1", "t2"]


def test_a_called_process_of_another_file_and_an_error_out_of_it() -> None:
    called = document(
        node("startEvent", "in"), user_task("look"), gateway("good", default="good_out"),
        ERROR_END, node("endEvent", "out"), path("in", "look", "good", "out"),
        flow("good", "fail", "look.bad"), id_="called", beside=ERRORS,
    )  # fmt: skip
    made = process(
        START, node("callActivity", "call", calledElement="called"), error_event("caught", "call"),
        user_task("repair"), END, path("begin", "call", "finish"),
        path("caught", "repair", "finish"), beside=ERRORS, files={"called.bpmn": called},
    )  # fmt: skip
    assert made.elements["look"].file == "called.bpmn"
    step = made.start({"x": 1})
    assert opened(step) == ["look"]
    done = complete(made, step, "look", look={"bad": False})
    assert done.finished
    assert done.data == {"x": 1, "look": {"bad": False}}
    assert opened(complete(made, step, "look", look={"bad": True})) == ["repair"]


def test_a_process_called_twice_at_once_keeps_both_calls_apart() -> None:
    called = document(
        node("startEvent", "in"), user_task("look"), node("endEvent", "out"),
        path("in", "look", "out"), id_="called",
    )  # fmt: skip
    made = process(
        START, gateway("fork", "parallel"), gateway("join", "parallel"), END,
        node("callActivity", "one", calledElement="called"),
        node("callActivity", "two", calledElement="called"),
        path("begin", "fork", "one", "join", "finish"), path("fork", "two", "join"),
        files={"called.bpmn": called},
    )  # fmt: skip
    step = made.start({})
    first, second = step.tasks
    step = made.complete(step.state, second.key, {"second": 2})
    assert [task.key for task in step.tasks] == [first.key]
    step = made.complete(step.state, first.key, {"first": 1})
    assert step.finished
    assert step.data == {"first": 1, "second": 2}


def test_nested_subprocesses_and_a_terminate_end_inside_one() -> None:
    stop = node("endEvent", "stop", "<bpmn:terminateEventDefinition/>")
    deep = subprocess(
        "deep", node("startEvent", "in2"), gateway("fork", "parallel"), user_task("a"),
        user_task("b"), stop, node("endEvent", "out2"),
        path("in2", "fork", "a", "stop"), path("fork", "b", "out2"),
    )  # fmt: skip
    outer = subprocess(
        "outer", node("startEvent", "in1"), deep, node("endEvent", "out1"),
        path("in1", "deep", "out1"),
    )  # fmt: skip
    made = process(START, outer, user_task("after"), END, path("begin", "outer", "after", "finish"))
    step = complete(made, made.start({}), "a", a=1)
    assert opened(step) == ["after"]
    assert step.data == {"a": 1}
    assert complete(made, step, "after").finished


def test_loops_through_timers_and_subprocesses_stay_small() -> None:
    made = process(
        START, gateway("back"), subprocess("inner", *INNER), timer("late", "inner", "P1D", False),
        service_task("remind"), gateway("again", default="again_back"), END,
        node("endEvent", "reminded"), path("begin", "back", "inner", "again", "back"),
        flow("again", "finish", "second.done"), path("late", "remind", "reminded"),
    )  # fmt: skip
    step = made.start({})
    sizes = []
    for number in range(60):
        if number % 2:
            step = fire(made, step, "late")
            assert actions(step) == [("remind", "recommend")]
        step = complete(made, step, "first", first=number)
        step = complete(made, step, "second", second={"done": number == 59})
        sizes.append(len(step.state))
    assert step.finished
    assert step.data == {"first": 59, "second": {"done": True}}
    assert max(sizes) < sizes[1] * 1.5


def test_a_script_inside_a_subprocess_fails_at_its_element() -> None:
    inner = subprocess(
        "inner", node("startEvent", "in"), script_task("bad", "x = 1 // 0"),
        node("endEvent", "out"), path("in", "bad", "out"),
    )  # fmt: skip
    made = process(START, inner, END, path("begin", "inner", "finish"))
    with pytest.raises(ExecutionFailed) as error:
        made.start({})
    assert error.value.params["element"] == "bad"
