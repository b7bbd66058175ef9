"""The stored state: it survives anything a step leaves, and nothing else is taken for one."""

from __future__ import annotations

import random
import threading
import time
import zlib
from typing import Any

import msgpack
import pytest
import zstandard

from engine.bpmn.running import state as codec
from engine.bpmn.running.process import PackagedProcess, _Run
from engine.domain.process import Process, Step
from engine.kernel.errors import ExecutionFailed, StateUnreadable
from tests.unit.bpmn.coverage import play
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
    """Forks, loops, timers, rounds, a subprocess and a gateway that waits for events."""
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
    several = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>3</bpmn:loopCardinality>"
        "</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>"
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
        user_task("b").replace("</bpmn:userTask>", several),
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
        assert codec.encode(_Run(made).load(step.state)) == step.state
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
    damaged = [b"", b"BNS", state[:-1], state + b"x", b"XXX" + state[3:], b"BNS\x01" + state[4:]]
    damaged += [state[:n] + bytes([state[n] ^ 1]) + state[n + 1 :] for n in range(len(state))]
    for each in damaged:
        with pytest.raises(StateUnreadable):
            SIMPLE.complete(each, key, {})


@pytest.mark.parametrize("change", ["scope", "node", "nothing"])
def test_a_state_of_another_process_is_unreadable(change: str) -> None:
    step = SIMPLE.start({})
    body = codec.read_body(step.state)
    if change == "scope":
        body["scopes"][0][3] = "elsewhere"
    elif change == "node":
        body["tokens"][0][2] = "elsewhere"
    else:
        del body["tokens"]
    packed = zstandard.ZstdCompressor().compress(msgpack.packb(body))
    state = b"BNS\x02" + zlib.crc32(packed).to_bytes(4, "big") + packed
    with pytest.raises(StateUnreadable):
        SIMPLE.complete(state, step.tasks[0].key, {})


def test_threads_share_a_process() -> None:
    made, failures = everything(), []

    def walk(seed: int) -> None:
        try:
            steps_of(made, seed)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=walk, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_case_goes_round_ten_thousand_times_at_a_flat_cost() -> None:
    made = process(
        START, user_task("a"), gateway("again", default="again_finish"), END,
        path("begin", "a", "again", "finish"), flow("again", "a", "a.more"),
    )  # fmt: skip
    step = made.start({})
    sizes, seconds = [], []
    for block in range(10):
        began = time.perf_counter()
        for _ in range(1_000):
            step = made.complete(step.state, step.tasks[0].key, {"a": {"more": True}})
        seconds.append(time.perf_counter() - began)
        sizes.append(len(step.state))
        assert block >= 0
    assert max(sizes) - min(sizes) < 50
    # Not a time limit: the last thousand rounds may not cost a multiple of the first.
    assert min(seconds[-3:]) < 4 * min(seconds[:3])
    assert made.complete(step.state, step.tasks[0].key, {"a": {"more": False}}).finished


def test_a_thousand_instances_run_within_the_budget() -> None:
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>1000</bpmn:loopCardinality>"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )
    body = play.straight(play.start(), play.user("t", loop), play.end())
    made = play.package(body).process("p")
    step = made.start({})
    assert len(step.tasks) == 1_000
    outcome = play.play(
        play.straight(play.start(), play.script("t", "n = n + 1", loop), play.end()), data={"n": 0}
    )
    assert (outcome.reason, outcome.data["n"]) == ("finished", 1_000)
