"""Tasks, subprocesses, calls, rounds, data and lanes."""

from __future__ import annotations

import pytest

from tests.unit.bpmn.coverage.play import (
    boundary,
    codes,
    conditional,
    done,
    end,
    error,
    happened,
    message,
    package,
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
    user,
)

covers = pytest.mark.covers


@pytest.mark.parametrize(
    "kind", ["task", "manualTask", "userTask", "serviceTask", "sendTask", "businessRuleTask"]
)
@covers("{kind}", "passes when done")
def test_tasks_pass(kind: str) -> None:
    outcome = play(straight(start(), f'<bpmn:{kind} id="t"/>', end()))
    assert done(outcome) == ["begin", "t", "finish"]


@covers("scriptTask", "changes data")
def test_a_script_changes_data() -> None:
    outcome = play(straight(start(), script("t", "x = x + 1\ny = [x]"), end()), data={"x": 1})
    assert outcome.data == {"x": 2, "y": [2]}


@covers("scriptTask", "deletes data")
def test_a_script_deletes_data() -> None:
    body = straight(start(), script("t", "y = x + 1\ndel x"), end())
    assert play(body, data={"x": 1, "z": 3}).data == {"y": 2, "z": 3}


@covers("scriptTask", "in another language: refused")
def test_scripts_in_other_languages_are_refused() -> None:
    body = straight(start(), script("t", "x = 1", scriptFormat="groovy"), end())
    assert "language_unsupported" in codes(body)


@covers("receiveTask", "waits for its message")
def test_a_receive_task_waits() -> None:
    body = straight(start(), '<bpmn:receiveTask id="t" messageRef="m1"/>', end())
    assert play(body).reason == "waiting"
    outcome = play(body, messages=[{"name": "hello", "data": {"a": 1}}])
    assert (outcome.reason, outcome.data) == ("finished", {"a": 1})


@covers("receiveTask", "with a boundary event")
def test_a_receive_task_may_be_interrupted() -> None:
    body = straight(start(), '<bpmn:receiveTask id="t" messageRef="m1"/>', end()) + straight(
        boundary("b", "t", timer()), end("late")
    )
    assert play(body).ended_at == ["late"]
    assert play(body, messages=[{"name": "hello"}]).ended_at == ["finish"]


@covers("subProcess", "embedded")
def test_a_subprocess_shares_the_data() -> None:
    inner = straight(start("s"), script("a", "x = 2"), end("e"))
    outcome = play(straight(start(), sub("sp", inner), end()), data={"x": 1})
    assert done(outcome) == ["begin", "s", "a", "e", "sp", "finish"]
    assert outcome.data == {"x": 2}


@covers("subProcess", "waits for all its paths")
def test_a_subprocess_waits_for_all_its_paths() -> None:
    inner = (
        start("s")
        + user("a")
        + user("b")
        + to("s", "a")
        + to("s", "b")
        + end("e")
        + to("a", "e")
        + to("b", "e")
    )
    outcome = play(straight(start(), sub("sp", inner), end()), tasks={"b": {"$after": "PT1H"}})
    assert done(outcome, "a", "b", "sp") == ["a", "b", "sp"]


@covers("subProcess", "without start and end events")
def test_a_subprocess_without_start_event_begins_with_what_nothing_leads_to() -> None:
    outcome = play(straight(start(), sub("sp", task("a") + task("b")), end()))
    assert done(outcome, "a", "b", "sp") == ["a", "b", "sp"]


@covers("transaction", "completes")
def test_a_transaction_completes() -> None:
    inner = straight(start("s"), task("a"), end("e"))
    assert done(play(straight(start(), sub("t", inner, "transaction"), end())), "a", "t") == [
        "a",
        "t",
    ]


@covers("adHocSubProcess", "parallel")
def test_an_ad_hoc_subprocess_does_all_its_activities() -> None:
    inner = task("a") + task("b")
    outcome = play(straight(start(), sub("x", inner, "adHocSubProcess"), end()))
    assert done(outcome, "a", "b", "x") == ["a", "b", "x"]


@covers("adHocSubProcess", "sequential, with completion condition")
def test_an_ad_hoc_subprocess_ends_when_it_is_enough() -> None:
    inner = (
        script("a", "n = 1")
        + script("b", "n = 2")
        + script("c", "n = 3")
        + "<bpmn:completionCondition>n == 2</bpmn:completionCondition>"
    )
    outcome = play(
        straight(start(), sub("x", inner, "adHocSubProcess", ordering="Sequential"), end())
    )
    assert done(outcome, "a", "b", "c", "x") == ["a", "b", "x"]


@covers("adHocSubProcess", "remaining activities cancelled")
def test_an_ad_hoc_subprocess_cancels_the_rest() -> None:
    inner = user("a") + user("b") + "<bpmn:completionCondition>true</bpmn:completionCondition>"
    outcome = play(
        straight(start(), sub("x", inner, "adHocSubProcess"), end()), tasks={"b": {"$never": True}}
    )
    assert outcome.reason == "finished"
    assert happened(outcome, "cancelled") == ["b"]


CALLED = '<bpmn:process id="q" isExecutable="true">{}</bpmn:process>'


@covers("callActivity", "a process in the same file")
def test_a_called_process_gets_and_gives_the_data() -> None:
    called = CALLED.format(straight(start("qs"), script("qa", "y = x + 1"), end("qe")))
    body = straight(start(), '<bpmn:callActivity id="c" calledElement="q"/>', end())
    outcome = play(body, beside=called, data={"x": 1})
    assert outcome.data == {"x": 1, "y": 2}
    assert done(outcome, "qa", "c", "finish") == ["qa", "c", "finish"]


@covers("callActivity", "without end event in the called process")
def test_a_called_process_without_end_event_comes_back() -> None:
    called = CALLED.format(straight(start("qs"), task("qa")))
    body = straight(start(), '<bpmn:callActivity id="c" calledElement="q"/>', end())
    assert play(body, beside=called).reason == "finished"


@covers("callActivity", "error of the called process")
def test_an_error_of_a_called_process_is_caught_at_the_call() -> None:
    called = CALLED.format(straight(start("qs"), end("qe", error())))
    body = straight(start(), '<bpmn:callActivity id="c" calledElement="q"/>', end()) + straight(
        boundary("b", "c", error()), end("handled")
    )
    assert play(body, beside=called).ended_at == ["handled"]


@covers("callActivity", "unknown or recursive: refused")
def test_calls_that_lead_nowhere_or_round_are_refused() -> None:
    body = straight(start(), '<bpmn:callActivity id="c" calledElement="{}"/>', end())
    assert "call_target_unknown" in codes(body.format("nobody"))
    assert "call_recursive" in codes(body.format("p"))


def several(inner: str, sequential: bool = False, **more: str) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return (
        f"<bpmn:multiInstanceLoopCharacteristics "
        f'isSequential="{str(sequential).lower()}"{attributes}>{inner}'
        f"</bpmn:multiInstanceLoopCharacteristics>"
    )


def cardinality(number: str) -> str:
    return f"<bpmn:loopCardinality>{number}</bpmn:loopCardinality>"


COLLECTION = (
    "<bpmn:loopDataInputRef>items</bpmn:loopDataInputRef>"
    "<bpmn:loopDataOutputRef>results</bpmn:loopDataOutputRef>"
    '<bpmn:inputDataItem id="item" name="item"/><bpmn:outputDataItem id="out" name="out"/>'
)


@pytest.mark.parametrize("sequential", [True, False])
@covers("multi-instance", "cardinality, sequential={sequential}")
def test_multi_instance_by_number(sequential: bool) -> None:
    body = straight(start(), task("t", several(cardinality("3"), sequential)), end())
    assert done(play(body), "t", "finish") == ["t"] * 4 + ["finish"]


@pytest.mark.parametrize("sequential", [True, False])
@covers("multi-instance", "collection, sequential={sequential}")
def test_multi_instance_over_a_collection_collects_what_each_gives(sequential: bool) -> None:
    body = straight(start(), script("t", "out = item * 2", several(COLLECTION, sequential)), end())
    outcome = play(body, data={"items": [1, 2, 3]})
    assert outcome.data == {"items": [1, 2, 3], "results": [2, 4, 6]}


@covers("multi-instance", "scripts around it, and around each round")
def test_scripts_run_around_all_rounds_or_around_each() -> None:
    scripts = (
        "<bpmn:extensionElements><spiffworkflow:preScript>ran = ran + 1</spiffworkflow:preScript>"
        "<spiffworkflow:postScript>last = len(results) if results else 0"
        "</spiffworkflow:postScript></bpmn:extensionElements>"
    )
    spiff = "http://spiffworkflow.org/bpmn/schema/1.0/core"
    inside = f'xmlns:s="{spiff}" s:scriptsOnInstances="true"'
    for attribute, ran, last in (("", 1, 3), (inside, 3, 0)):
        rounds = several(COLLECTION).replace("isSequential", f"{attribute} isSequential")
        body = straight(start(), script("t", "out = item", scripts + rounds), end())
        data = {"items": [1, 2, 3], "ran": 0}
        outcome = play(body, data=data)
        assert (outcome.data["ran"], outcome.data["last"]) == (ran, last)


@covers("multi-instance", "no items")
def test_multi_instance_over_nothing_passes() -> None:
    body = straight(start(), user("t", several(COLLECTION)), end())
    outcome = play(body, data={"items": []})
    assert outcome.reason == "finished"
    assert outcome.data["results"] == []


@pytest.mark.parametrize("sequential", [True, False])
@covers("multi-instance", "completion condition, sequential={sequential}")
def test_multi_instance_ends_when_its_condition_holds(sequential: bool) -> None:
    inner = cardinality("5") + (
        "<bpmn:completionCondition>nrOfCompletedInstances == 2</bpmn:completionCondition>"
    )
    outcome = play(straight(start(), user("t", several(inner, sequential)), end()))
    assert done(outcome, "t") == ["t"] * 3
    assert len(happened(outcome, "cancelled")) == (0 if sequential else 3)


@covers("multi-instance", "of a subprocess")
@covers("multi-instance", "of a call activity")
@pytest.mark.parametrize("called", [True, False])
def test_multi_instance_of_what_has_something_inside(called: bool) -> None:
    inner = straight(start("s"), script("a", "out = item + 1"), end("e"))
    beside = CALLED.format(inner) if called else ""
    one = (
        f'<bpmn:callActivity id="m" calledElement="q">{several(COLLECTION)}</bpmn:callActivity>'
        if called
        else sub("m", several(COLLECTION) + inner)
    )
    outcome = play(straight(start(), one, end()), beside=beside, data={"items": [1, 2]})
    assert outcome.reason == "finished"
    assert outcome.data["results"] == [2, 3]


@covers("multi-instance", "interrupted at its edge")
def test_an_event_at_the_edge_ends_all_instances() -> None:
    body = straight(start(), user("t", several(cardinality("3"))), end()) + straight(
        boundary("b", "t", timer()), end("late")
    )
    outcome = play(body, tasks={"t": [{}, {"$never": True}]})
    assert outcome.ended_at == ["late"]


@covers("multi-instance", "behavior None and One throw events")
@pytest.mark.parametrize(("behavior", "count"), [("None", 3), ("One", 1)])
def test_behaviour_throws_events(behavior: str, count: int) -> None:
    attribute = f"{behavior.lower()}BehaviorEventRef"
    inner = several(cardinality("3"), True, behavior=behavior, **{attribute: "told"})
    body = straight(start(), user("t", inner), end()) + straight(
        boundary("b", "t", signal(), False), task("heard"), end("h")
    )
    beside = '<bpmn:signalEventDefinition id="told" signalRef="signal_s1"/>'
    assert len(done(play(body, beside=beside), "heard")) == count


def loop(condition: str = "", **more: str) -> str:
    inner = f"<bpmn:loopCondition>{condition}</bpmn:loopCondition>" if condition else ""
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return (
        f"<bpmn:standardLoopCharacteristics{attributes}>{inner}</bpmn:standardLoopCharacteristics>"
    )


@covers("standard loop", "tested after")
@covers("standard loop", "tested before")
@covers("standard loop", "maximum")
@pytest.mark.parametrize(
    ("inner", "rounds"),
    [
        (loop("n &lt; 3"), 3),
        (loop("n &lt; 3", testBefore="true"), 3),
        (loop("n &lt; 0"), 1),
        (loop("n &lt; 0", testBefore="true"), 0),
        (loop("true", loopMaximum="4"), 4),
        (loop(loopMaximum="2"), 2),
    ],
)
def test_standard_loops(inner: str, rounds: int) -> None:
    body = straight(start(), script("t", "n = n + 1", inner), end())
    assert play(body, data={"n": 0}).data["n"] == rounds


@covers("data object", "association in and out")
def test_data_objects_pass_what_they_hold() -> None:
    data = '<bpmn:dataObject id="paper"/><bpmn:dataObjectReference id="ref" dataObjectRef="paper"/>'
    writes = (
        '<bpmn:ioSpecification><bpmn:dataOutput id="made"/><bpmn:inputSet/><bpmn:outputSet/>'
        "</bpmn:ioSpecification><bpmn:dataOutputAssociation><bpmn:sourceRef>made</bpmn:sourceRef>"
        "<bpmn:targetRef>ref</bpmn:targetRef></bpmn:dataOutputAssociation>"
    )
    reads = (
        '<bpmn:ioSpecification><bpmn:dataInput id="given"/><bpmn:inputSet/><bpmn:outputSet/>'
        "</bpmn:ioSpecification><bpmn:dataInputAssociation><bpmn:sourceRef>ref</bpmn:sourceRef>"
        "<bpmn:targetRef>given</bpmn:targetRef></bpmn:dataInputAssociation>"
    )
    body = data + straight(
        start(), script("w", "made = 7", writes), script("r", "seen = given + 1", reads), end()
    )
    outcome = play(body)
    assert (outcome.data["paper"], outcome.data["seen"]) == (7, 8)
    assert "given" not in outcome.data


@covers("data store", "association out")
def test_data_stores_are_kept_in_the_case() -> None:
    writes = (
        '<bpmn:ioSpecification><bpmn:dataOutput id="made"/><bpmn:inputSet/><bpmn:outputSet/>'
        "</bpmn:ioSpecification><bpmn:dataOutputAssociation><bpmn:sourceRef>made</bpmn:sourceRef>"
        "<bpmn:targetRef>ref</bpmn:targetRef></bpmn:dataOutputAssociation>"
    )
    body = '<bpmn:dataStoreReference id="ref" dataStoreRef="store"/>' + straight(
        start(), script("w", "made = 7", writes), end()
    )
    outcome = play(body, beside='<bpmn:dataStore id="store"/>')
    assert outcome.data["store"] == 7


@covers("lane", "nested: the innermost names the group")
def test_nested_lanes() -> None:
    lanes = (
        '<bpmn:laneSet id="ls"><bpmn:lane id="l1" name="Office">'
        "<bpmn:flowNodeRef> t </bpmn:flowNodeRef>"
        '<bpmn:childLaneSet id="cl"><bpmn:lane id="l2" name="Desk"><bpmn:flowNodeRef>\n t\n'
        "</bpmn:flowNodeRef></bpmn:lane></bpmn:childLaneSet></bpmn:lane></bpmn:laneSet>"
    )
    made = package(lanes + straight(start(), user("t"), end()))
    assert made.reading.elements["t"].lane == "Desk"


@covers("participant", "several pools exchange messages")
def test_two_pools_talk() -> None:
    other = (
        '<bpmn:process id="q" isExecutable="true">'
        + straight(start("qs", message("m1")), task("think"), end("answer", message("m2")))
        + "</bpmn:process>"
    )
    waits = f'<bpmn:intermediateCatchEvent id="hear">{message("m2")}</bpmn:intermediateCatchEvent>'
    outcome = play(straight(start(), throw("ask", message("m1")), waits, end()), beside=other)
    assert outcome.reason == "finished"
    assert done(outcome, "ask", "think", "hear") == ["ask", "think", "hear"]


@covers("process", "straight over 1,000 tasks")
def test_a_long_process_is_read_and_run() -> None:
    body = straight(start(), *(task(f"t{n}") for n in range(1_000)), end())
    assert play(body).reason == "finished"


@covers("process", "without start event")
def test_a_process_without_start_event_begins_where_nothing_leads() -> None:
    assert done(play(straight(task("a"), task("b")))) == ["a", "b"]


@covers("implicit split", "several flows leave an activity")
@covers("implicit join", "several flows enter an activity")
def test_implicit_split_and_join() -> None:
    body = (
        start() + task("a") + task("b") + task("c") + task("d") + end()
        + to("begin", "a") + to("a", "b") + to("a", "c") + to("b", "d") + to("c", "d")
        + to("d", "finish")
    )  # fmt: skip
    outcome = play(body)
    assert done(outcome, "d", "finish") == ["d", "d", "finish", "finish"]


@covers("conditional flow", "from an activity, with default")
@pytest.mark.parametrize(("x", "ends"), [(5, ["hi"]), (15, ["hi", "very"]), (0, ["low"])])
def test_conditional_flows_from_an_activity(x: int, ends: list[str]) -> None:
    body = (
        start() + task("a", default="a_to_low") + end("hi") + end("very") + end("low")
        + to("begin", "a") + to("a", "hi", "x &gt; 1") + to("a", "very", "x &gt; 10")
        + to("a", "low")
    )  # fmt: skip
    assert play(body, data={"x": x}).ended_at == ends


@covers("conditional event", "boundary, on multi-instance")
def test_a_condition_ends_all_rounds() -> None:
    body = straight(start(), script("t", "n = n + 1", several(cardinality("9"), True)), end())
    body += straight(boundary("b", "t", conditional("n &gt; 3")), end("enough"))
    assert play(body, data={"n": 0}).ended_at == ["enough"]


@covers("activity", "start quantity: waits for several tokens")
@covers("activity", "completion quantity: sends several tokens on")
def test_quantities_of_tokens() -> None:
    body = straight(start(), task("a", completionQuantity="4"), task("b", startQuantity="2"), end())
    assert done(play(body)) == ["begin", "a", "b", "b", "finish", "finish"]


@pytest.mark.parametrize("kind", ["globalTask", "globalUserTask", "globalManualTask"])
@covers("callActivity", "a {kind}")
def test_global_tasks_are_called(kind: str) -> None:
    body = straight(start(), '<bpmn:callActivity id="c" calledElement="g"/>', end())
    outcome = play(body, beside=f'<bpmn:{kind} id="g" name="Global"/>')
    assert outcome.reason == "finished"
    assert done(outcome, "g", "c") == ["g", "c"]
