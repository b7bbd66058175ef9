"""The stored state: it survives anything a step leaves, and nothing else is taken for one."""

from __future__ import annotations

import random
import threading
import zlib
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
import zstandard

from engine.bpmn import state as codec
from engine.bpmn.compaction import compact
from engine.bpmn.runtime import PackagedProcess, _Run
from engine.domain.process import Process, Step
from engine.kernel.errors import ExecutionFailed, StateUnreadable
from tests.unit.bpmn.models import (
    END,
    START,
    complete,
    flow,
    gateway,
    node,
    path,
    process,
    service_task,
    timer,
    user_task,
    wait,
)

SIMPLE = process(START, user_task("check"), END, path("begin", "check", "finish"))


def everything() -> Process:
    """Forks, loops, timers, a subprocess and a gateway that waits for events."""
    inner = node(
        "subProcess",
        "inner",
        node("startEvent", "in")
        + user_task("deep")
        + gateway("more", default="more_out")
        + node("endEvent", "out")
        + path("in", "deep", "more", "out")
        + flow("more", "deep", "deep.again"),
    )
    return process(
        START,
        gateway("fork", "parallel"),
        user_task("a"),
        timer("late", "a", "PT1H", False),
        service_task("remind"),
        node("endEvent", "reminded"),
        gateway("round", default="round_join"),
        inner,
        timer("expired", "inner", "P1D"),
        gateway("either", "eventBased"),
        wait("soon", "PT1H"),
        wait("later", "P9D"),
        user_task("b"),
        gateway("join", "parallel"),
        gateway("back", default="back_finish"),
        gateway("again"),
        END,
        path("begin", "again", "fork", "a", "round", "join", "back", "finish"),
        path("late", "remind", "reminded"),
        flow("round", "a", "a.again"),
        gateway("done"),
        path("fork", "inner", "done", "join"),
        path("expired", "either", "soon", "done"),
        path("either", "later", "b", "inner"),
        flow("back", "again", "a.rounds > 0"),
    )


def steps_of(made: Process, seed: int) -> list[Step]:
    """A random walk through the process, with what each step gave."""
    chance = random.Random(seed)
    step = made.start({"case": {"typename": "x", "__class__": "y"}, "typename": "UUID"})
    steps = [step]
    for _ in range(60):
        if step.finished:
            break
        if step.timers and chance.random() < 0.4:
            after = made.fire(step.state, chance.choice(step.timers).key)
            assert after is not None
            step = after
        elif step.tasks:
            task = chance.choice(step.tasks)
            again = chance.random() < 0.3
            answers = {task.element: {"again": again, "rounds": chance.randint(0, 1)}}
            step = made.complete(step.state, task.key, answers)
        steps.append(step)
    return steps


@pytest.mark.parametrize("seed", range(12))
def test_every_state_loads_to_the_same_state(seed: int) -> None:
    made = everything()
    assert isinstance(made, PackagedProcess)
    for step in steps_of(made, seed):
        workflow = _Run(made).load(step.state)
        assert codec.encode(workflow) == step.state
        compact(workflow)
        assert codec.encode(workflow) == step.state, "nothing is left to forget"
        assert step.finished or step.tasks or step.timers
        assert len(step.state) < 3_000
        assert step.data["typename"] == "UUID"


def test_keys_that_name_classes_are_only_keys() -> None:
    hostile = {"typename": "SpiffWorkflow.task.Task", "__class__": "x", "data": {"typename": 1}}
    step = SIMPLE.start({"application": hostile})
    after = complete(SIMPLE, step, "check", **{"check": hostile, "typename": "x", "__dict__": []})
    assert after.data["application"] == hostile
    assert after.data["check"] == hostile
    assert after.data["__dict__"] == []


@pytest.mark.parametrize(
    "value",
    [object(), {1: 2}, {1, 2}, b"x", 2**64, float("nan"), "\ud800", "a\0b", [[]] * 300_000],
    ids=range(9),
)
def test_what_is_not_plain_data_is_refused_and_changes_nothing(value: Any) -> None:
    step = SIMPLE.start({})
    for attempt in (
        lambda: SIMPLE.start({"x": value}),
        lambda: complete(SIMPLE, step, "check", x=value),
    ):
        with pytest.raises(ExecutionFailed) as error:
            attempt()
        assert error.value.params["reason"] == "data_not_plain"
    assert complete(SIMPLE, step, "check").finished


def test_the_callers_data_is_not_touched_or_kept() -> None:
    given = {"list": [1], "pair": (1, 2)}
    step = SIMPLE.start(given)
    given["list"].append(2)  # type: ignore[attr-defined]
    assert complete(SIMPLE, step, "check").data == {"list": [1], "pair": [1, 2]}


def test_damaged_states_are_unreadable() -> None:
    step = SIMPLE.start({"x": "y" * 50})
    state, key = step.state, step.tasks[0].key
    damaged = [b"", b"BNS", state[:-1], state + b"x", b"XXX" + state[3:], b"BNS\x02" + state[4:]]
    damaged += [state[:n] + bytes([state[n] ^ 1]) + state[n + 1 :] for n in range(len(state))]
    for each in damaged:
        with pytest.raises(StateUnreadable):
            SIMPLE.complete(each, key, {})
        with pytest.raises(StateUnreadable):
            SIMPLE.fire(each, key)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"ticks": 0, "main": {"tasks": []}, "subs": []},
        {"ticks": 0, "main": {"tasks": [[b"x"]]}, "subs": []},
        {"ticks": 0, "main": {"tasks": [[b"x" * 16, -1, 64, "nothing", {}, {}, []]]}, "subs": []},
        {"ticks": 0, "main": {"tasks": [[b"x" * 16, 7, 64, "Start", {}, {}, []]]}, "subs": []},
    ],
    ids=range(7),
)
def test_a_state_that_is_whole_but_makes_no_sense_is_unreadable(body: Any) -> None:
    packed = zstandard.ZstdCompressor().compress(msgpack.packb(body))
    state = b"BNS\x01" + zlib.crc32(packed).to_bytes(4, "big") + packed
    with pytest.raises(StateUnreadable):
        SIMPLE.fire(state, "0" * 32)


def test_a_state_of_another_process_is_unreadable() -> None:
    other = process(START, user_task("other"), END, path("begin", "other", "finish"))
    with pytest.raises(StateUnreadable):
        SIMPLE.fire(other.start({}).state, "0" * 32)


def test_a_bomb_is_unreadable() -> None:
    packed = zstandard.ZstdCompressor().compress(b"\0" * 100_000_000)
    state = b"BNS\x01" + zlib.crc32(packed).to_bytes(4, "big") + packed
    with pytest.raises(StateUnreadable):
        SIMPLE.fire(state, "0" * 32)


def test_a_failed_step_leaves_the_state_usable() -> None:
    made = process(
        START, user_task("check"), gateway("which"), service_task("a"), service_task("b"), END,
        path("begin", "check", "which"), flow("which", "a", "check == 1"),
        flow("which", "b", "check == 2"), path("a", "finish"), path("b", "finish"),
    )  # fmt: skip
    step = made.start({})
    with pytest.raises(ExecutionFailed):
        complete(made, step, "check", check=3)
    assert complete(made, step, "check", check=2).finished


def test_one_process_serves_many_threads() -> None:
    made = everything()
    wrong: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for number in range(4):
                steps_of(made, seed * 10 + number)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
