"""Gateways: where paths part and meet."""

from __future__ import annotations

import pytest

from tests.unit.bpmn.coverage.play import (
    boundary,
    catch,
    codes,
    done,
    end,
    happened,
    message,
    play,
    script,
    signal,
    start,
    straight,
    task,
    timer,
    to,
    user,
)

covers = pytest.mark.covers


def gateway(id_: str, kind: str, **more: str) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<bpmn:{kind}Gateway id="{id_}"{attributes}/>'


def diamond(kind: str, join: str, *conditions: str, default: str = "") -> str:
    """A gateway ``g``, a task for each condition (t0, t1, …), and a gateway ``j``."""
    more = {"default": f"g_to_{default}"} if default else {}
    body = start() + gateway("g", kind, **more) + gateway("j", join) + end() + to("begin", "g")
    for n, condition in enumerate(conditions):
        body += task(f"t{n}") + to("g", f"t{n}", condition) + to(f"t{n}", "j")
    return body + to("j", "finish")


@covers("exclusiveGateway", "takes the first flow whose condition holds")
@covers("exclusiveGateway", "takes the default if none holds")
@pytest.mark.parametrize(("x", "taken"), [(1, "t0"), (2, "t1"), (9, "t2")])
def test_exclusive(x: int, taken: str) -> None:
    body = diamond("exclusive", "exclusive", "x &lt; 2", "x &lt; 3", "", default="t2")
    assert done(play(body, data={"x": x}), "t0", "t1", "t2") == [taken]


@covers("exclusiveGateway", "no condition holds and no default: incident")
def test_exclusive_without_a_way() -> None:
    outcome = play(diamond("exclusive", "exclusive", "x &gt; 2", "x &gt; 3"), data={"x": 1})
    assert outcome.error == {"element": "g", "reason": "no_condition_met", "detail": ""}


@covers("exclusiveGateway", "merges without waiting")
def test_exclusive_merge_lets_each_token_through() -> None:
    assert done(play(diamond("parallel", "exclusive", "", "")), "finish") == ["finish", "finish"]


@covers("parallelGateway", "forks and joins")
def test_parallel() -> None:
    outcome = play(diamond("parallel", "parallel", "", "", ""))
    assert done(outcome, "j", "finish") == ["j", "finish"]


@covers("parallelGateway", "ignores conditions")
def test_parallel_takes_all() -> None:
    outcome = play(diamond("parallel", "parallel", "false", "false"))
    assert done(outcome, "t0", "t1") == ["t0", "t1"]


@covers("parallelGateway", "a join that can never be complete: incident")
def test_a_join_that_waits_for_ever_is_an_incident() -> None:
    outcome = play(diamond("exclusive", "parallel", "x &gt; 2", "x &lt; 3"), data={"x": 1})
    assert outcome.error == {"element": "j", "reason": "deadlock", "detail": ""}


@covers("inclusiveGateway", "takes every flow whose condition holds")
@covers("inclusiveGateway", "joins what was split")
@pytest.mark.parametrize(("x", "taken"), [(1, ["t0"]), (5, ["t0", "t1"]), (0, ["t2"])])
def test_inclusive(x: int, taken: list[str]) -> None:
    body = diamond("inclusive", "inclusive", "x &gt; 0", "x &gt; 3", "", default="t2")
    outcome = play(body, data={"x": x})
    assert done(outcome, "t0", "t1", "t2", "finish") == [*taken, "finish"]


@covers("inclusiveGateway", "join waits for what can still come")
def test_inclusive_join_waits() -> None:
    body = (
        start() + gateway("g", "parallel") + user("a") + user("b") + gateway("j", "inclusive")
        + end()
        + to("begin", "g") + to("g", "a") + to("g", "b") + to("a", "j") + to("b", "j")
        + to("j", "finish")
    )  # fmt: skip
    outcome = play(body, tasks={"b": {"$after": "P1D"}})
    assert done(outcome, "a", "b", "j", "finish") == ["a", "b", "j", "finish"]


@covers("inclusiveGateway", "join does not wait for a path that was left")
def test_inclusive_join_goes_on_when_the_other_path_ends_elsewhere() -> None:
    body = (
        start() + gateway("g", "parallel") + task("a") + user("b")
        + gateway("x", "exclusive", default="x_to_gone")
        + end("gone") + gateway("j", "inclusive") + end() + to("begin", "g") + to("g", "a")
        + to("g", "b")
        + to("a", "j") + to("b", "x") + to("x", "j", "stay") + to("x", "gone") + to("j", "finish")
    )  # fmt: skip
    outcome = play(body)
    assert outcome.ended_at == ["gone", "finish"]


@covers("eventBasedGateway", "the first event wins")
def test_event_based() -> None:
    body = (
        start() + gateway("g", "eventBased") + to("begin", "g")
        + straight(catch("m", message()), end("by_message"))
        + straight(catch("s", signal()), end("by_signal"))
        + straight(catch("t", timer()), end("by_timer"))
        + to("g", "m") + to("g", "s") + to("g", "t")
    )  # fmt: skip
    assert play(body).ended_at == ["by_timer"]
    assert play(body, messages=[{"name": "hello"}]).ended_at == ["by_message"]
    outcome = play(body, signals=[{"name": "alarm"}])
    assert outcome.ended_at == ["by_signal"]
    assert sorted(happened(outcome, "cancelled")) == ["m", "t"]


@covers("eventBasedGateway", "with a receive task")
def test_event_based_with_a_receive_task() -> None:
    body = (
        start() + gateway("g", "eventBased") + to("begin", "g")
        + straight('<bpmn:receiveTask id="r" messageRef="m1"/>', end("by_message"))
        + straight(catch("t", timer()), end("by_timer"))
        + to("g", "r") + to("g", "t")
    )  # fmt: skip
    assert play(body).ended_at == ["by_timer"]
    assert play(body, messages=[{"name": "hello"}]).ended_at == ["by_message"]


@covers("eventBasedGateway", "two timers")
def test_two_timers_keep_their_own_time() -> None:
    body = (
        start() + gateway("g", "eventBased") + to("begin", "g")
        + straight(catch("long", timer("P2D")), end("late"))
        + straight(catch("short", timer("PT1H")), end("soon"))
        + to("g", "long") + to("g", "short")
    )  # fmt: skip
    assert play(body).ended_at == ["soon"]


@covers("complexGateway", "refused")
def test_complex_is_refused() -> None:
    assert "element_unsupported" in codes(straight(start(), gateway("g", "complex"), end()))


@covers("loop of flows", "over a gateway, several tokens on one path")
def test_several_tokens_run_the_same_loop() -> None:
    body = (
        start() + task("a") + task("b") + to("begin", "a") + to("begin", "b")
        + gateway("m", "exclusive") + to("a", "m") + to("b", "m") + script("c", "n = n + 1")
        + gateway("x", "exclusive", default="x_to_finish") + end() + to("m", "c") + to("c", "x")
        + to("x", "m", "n &lt; 5") + to("x", "finish")
    )  # fmt: skip
    outcome = play(body, data={"n": 0})
    assert outcome.reason == "finished"
    assert len(done(outcome, "finish")) == 2


@covers("loop of flows", "a parallel join in a loop")
def test_a_fork_and_join_in_a_loop() -> None:
    body = (
        start() + gateway("m", "exclusive") + gateway("f", "parallel") + task("a") + task("b")
        + gateway("j", "parallel") + script("c", "n = n + 1")
        + gateway("x", "exclusive", default="x_to_finish")
        + end() + straight(task("pre")) + to("begin", "pre") + to("pre", "m") + to("m", "f")
        + to("f", "a")
        + to("f", "b") + to("a", "j") + to("b", "j") + to("j", "c") + to("c", "x")
        + to("x", "m", "n &lt; 300") + to("x", "finish")
    )  # fmt: skip
    outcome = play(body, data={"n": 0})
    assert (outcome.reason, outcome.data["n"]) == ("finished", 300)


@covers("loop of flows", "nothing waits and nothing leaves: refused")
def test_an_endless_loop_is_refused() -> None:
    body = start() + task("a") + task("b") + to("begin", "a") + to("a", "b") + to("b", "a")
    assert "loop_without_way_out" in codes(body)


@covers("boundary event", "on a task in a loop, again and again")
def test_boundary_events_in_a_loop() -> None:
    body = (
        start() + gateway("m", "exclusive") + user("t") + to("begin", "m") + to("m", "t")
        + boundary("b", "t", timer()) + script("c", "n = n + 1") + to("b", "c") + to("c", "m")
        + end() + to("t", "finish")
    )  # fmt: skip
    outcome = play(body, data={"n": 0}, tasks={"t": [{"$never": True}, {"$never": True}, {}]})
    assert (outcome.reason, outcome.data["n"]) == ("finished", 2)
