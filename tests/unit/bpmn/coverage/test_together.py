"""Elements that meet: what one does inside, around or beside another."""

from __future__ import annotations

import pytest

from tests.unit.bpmn.coverage.play import (
    CANCEL,
    TERMINATE,
    boundary,
    compensate,
    done,
    end,
    error,
    escalation,
    event_sub,
    happened,
    message,
    play,
    script,
    signal,
    start,
    straight,
    sub,
    task,
    throw,
    timer,
    to,
    undoes,
    user,
)

covers = pytest.mark.covers
THREE = (
    "<bpmn:multiInstanceLoopCharacteristics{}><bpmn:loopCardinality>3</bpmn:loopCardinality>"
    "</bpmn:multiInstanceLoopCharacteristics>"
)
PARALLEL = THREE.format("")
SEQUENTIAL = THREE.format(' isSequential="true"')


@pytest.mark.parametrize("several", [PARALLEL, SEQUENTIAL])
@covers("event subprocess", "interrupting, inside each instance of a multi-instance subprocess")
def test_an_event_subprocess_ends_only_its_own_instance(several: str) -> None:
    inner = straight(start("s"), throw("ask", escalation()), user("t"), end("e")) + event_sub(
        "es", escalation(), straight(task("x"), end("xe")) + to("es_start", "x")
    )
    outcome = play(straight(start(), sub("sp", several + inner), task("after"), end()))
    assert outcome.reason == "finished"
    assert done(outcome, "x", "after") == ["x", "x", "x", "after"]
    assert done(outcome, "sp") == ["sp"] * 4
    assert "t" not in done(outcome)


@covers("signal event", "interrupts its own thrower")
def test_a_signal_may_end_the_path_that_throws_it() -> None:
    inner = straight(start("s"), throw("say", signal()), task("more"), end("e"))
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("b", "sp", signal()), end("out")
    )
    outcome = play(body)
    assert outcome.ended_at == ["out"]
    assert "more" not in done(outcome)


@covers("inclusiveGateway", "joins inside a loop")
def test_an_inclusive_pair_in_a_loop() -> None:
    body = (
        start() + '<bpmn:exclusiveGateway id="m"/><bpmn:inclusiveGateway id="f"/>'
        '<bpmn:inclusiveGateway id="j"/><bpmn:exclusiveGateway id="x" default="x_to_finish"/>'
        + task("a") + task("b") + script("c", "n = n + 1") + end() + to("begin", "m")
        + to("m", "f") + to("f", "a", "n &gt;= 0") + to("f", "b", "n % 2 == 0") + to("a", "j")
        + to("b", "j") + to("j", "c") + to("c", "x") + to("x", "m", "n &lt; 4") + to("x", "finish")
    )  # fmt: skip
    outcome = play(body, data={"n": 0})
    assert (outcome.reason, outcome.data["n"]) == ("finished", 4)
    assert done(outcome, "a", "b").count("b") == 2


@covers("cancel event", "end, in a subprocess of the transaction")
def test_a_cancel_deep_inside_cancels_the_transaction() -> None:
    deep = straight(start("ds"), end("stop", CANCEL))
    inner = (
        straight(start("s"), task("a"), sub("deep", deep), end("e"))
        + boundary("ca", "a", compensate())
        + task("reverse_a", isForCompensation="true")
        + undoes("ca", "reverse_a")
    )
    body = straight(start(), sub("tx", inner, "transaction"), end()) + straight(
        boundary("b", "tx", CANCEL), end("undone")
    )
    outcome = play(body)
    assert outcome.ended_at == ["undone"]
    assert "reverse_a" in done(outcome)


@covers("escalation event", "through several levels")
def test_an_escalation_climbs_to_whoever_catches_it() -> None:
    deepest = sub("c", straight(start("cs"), throw("ask", escalation()), end("ce")))
    inner = sub("b", straight(start("bs"), deepest, end("be")))
    outer = sub("a", straight(start("as"), inner, end("ae")))
    body = straight(start(), outer, end()) + straight(
        boundary("edge", "a", escalation(), False), task("help"), end("helped")
    )
    outcome = play(body)
    assert sorted(done(outcome, "a", "b", "c", "help")) == ["a", "b", "c", "help"]


@covers("error event", "through several levels")
def test_an_error_climbs_and_ends_all_in_between() -> None:
    inner = sub("b", straight(start("bs"), end("f", error())))
    outer = sub("a", straight(start("as"), inner, end("ae")))
    body = straight(start(), outer, end()) + straight(
        boundary("edge", "a", error()), end("handled")
    )
    outcome = play(body)
    assert outcome.ended_at == ["handled"]
    assert sorted(happened(outcome, "cancelled")) == ["a", "b"]


@covers("error event", "event subprocess before the edge")
def test_the_scopes_own_event_subprocess_goes_before_its_edge() -> None:
    inner = straight(start("s"), end("f", error())) + event_sub(
        "es", error(), straight(task("x"), end("xe")) + to("es_start", "x")
    )
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("edge", "sp", error()), end("outside")
    )
    outcome = play(body)
    assert outcome.ended_at == ["finish"]
    assert "x" in done(outcome)


@covers("error event", "thrown on by an event subprocess")
def test_an_event_subprocess_may_throw_the_error_on() -> None:
    inner = straight(start("s"), end("f", error())) + event_sub(
        "es", error(), straight(task("x"), end("again", error())) + to("es_start", "x")
    )
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("edge", "sp", error()), end("outside")
    )
    assert play(body).ended_at == ["outside"]


@covers("timer event", "cycle at the edge of a subprocess")
def test_a_cycle_reminds_while_a_subprocess_runs() -> None:
    inner = straight(start("s"), user("t"), end("e"))
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("b", "sp", timer("R/PT1H", "timeCycle"), False), task("remind"), end("r")
    )
    outcome = play(body, tasks={"t": {"$after": "PT150M"}})
    assert done(outcome, "remind", "t") == ["remind", "remind", "t"]


@covers("terminate event", "in an event subprocess")
def test_terminate_in_an_event_subprocess_ends_that_only() -> None:
    body = straight(start(), user("t"), end()) + event_sub(
        "es", message(), straight(task("x"), end("stop", TERMINATE)) + to("es_start", "x"), False
    )
    outcome = play(body, messages=[{"name": "hello"}], tasks={"t": {"$after": "PT1H"}})
    assert done(outcome, "x", "es", "t", "finish") == ["x", "es", "t", "finish"]


@covers("receiveTask", "multi-instance")
def test_each_instance_of_a_receive_task_gets_a_message() -> None:
    receive = f'<bpmn:receiveTask id="r" messageRef="m1">{PARALLEL}</bpmn:receiveTask>'
    body = straight(start(), receive, end())
    three = [{"name": "hello"} for _ in range(3)]
    assert play(body, messages=three[:2]).reason == "waiting"
    assert play(body, messages=three).reason == "finished"


@covers("compensation event", "of a multi-instance activity")
def test_compensation_of_an_activity_done_several_times() -> None:
    body = (
        straight(start(), task("a", PARALLEL), end("undo", compensate()))
        + boundary("ca", "a", compensate())
        + task("reverse_a", isForCompensation="true")
        + undoes("ca", "reverse_a")
    )
    outcome = play(body)
    assert outcome.reason == "finished"
    assert done(outcome, "reverse_a") == ["reverse_a"]


@covers("conditional flow", "from a subprocess")
@covers("link event", "inside a subprocess")
def test_a_subprocess_with_a_link_and_conditional_flows() -> None:
    link = '<bpmn:linkEventDefinition name="l"/>'
    inner = straight(start("s"), throw("go", link)) + straight(
        f'<bpmn:intermediateCatchEvent id="on">{link}</bpmn:intermediateCatchEvent>', end("e")
    )
    body = (
        start() + sub("sp", inner, default="sp_to_low") + to("begin", "sp")
        + end("high") + end("low") + to("sp", "high", "x &gt; 1") + to("sp", "low")
    )  # fmt: skip
    assert play(body, data={"x": 5}).ended_at == ["high"]
    assert play(body, data={"x": 0}).ended_at == ["low"]


@covers("adHocSubProcess", "with flows inside")
def test_an_ad_hoc_subprocess_follows_its_flows() -> None:
    inner = straight(task("a"), task("b")) + task("c")
    outcome = play(straight(start(), sub("x", inner, "adHocSubProcess"), end()))
    assert sorted(done(outcome, "a", "b", "c")) == ["a", "b", "c"]
    assert done(outcome, "a", "b") == ["a", "b"]


@covers("boundary event", "fires while another path of the subprocess is open")
def test_everything_inside_ends_with_the_subprocess() -> None:
    inner = (
        start("s")
        + user("a")
        + user("b")
        + to("s", "a")
        + to("s", "b")
        + straight(end("e"))
        + to("a", "e")
        + to("b", "e")
    )
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("late", "sp", timer()), end("out")
    )
    outcome = play(body, tasks={"a": {}, "b": {"$never": True}})
    assert outcome.ended_at == ["out"]
    assert sorted(happened(outcome, "cancelled")) == ["b", "sp"]
