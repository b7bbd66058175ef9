"""What SpiffWorkflow 3.2 alone gets wrong, by number, and that it is right or refused here.

`raw` runs a model on the library as it comes; where that shows the defect in a few lines, a test
shows both. Elsewhere: 11 (long loops), 20 (threads) and 21 (states of other versions) in
`test_state`, 14 (lanes) in `coverage/test_activities`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.exceptions import WorkflowException

from engine.bpmn import deploy_report
from engine.bpmn.decisions import read_decisions
from engine.domain.schedule import next_instant
from engine.kernel.errors import TaskNotOpen
from engine.simulation.answers import START
from tests.unit.bpmn.coverage.play import (
    DEFINITIONS,
    boundary,
    catch,
    codes,
    conditional,
    done,
    end,
    error,
    event_sub,
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
from tests.unit.bpmn.models import HEAD
from tests.unit.bpmn.tables import table


def raw(body: str, **data: Any) -> BpmnWorkflow:
    """The model begun on SpiffWorkflow as it comes, run as far as it goes by itself."""
    text = (
        f'{HEAD}{DEFINITIONS}<bpmn:process id="p" isExecutable="true">{body}'
        "</bpmn:process></bpmn:definitions>"
    )
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(text.encode()), "p.bpmn")
    workflow = BpmnWorkflow(parser.get_spec("p"), parser.get_subprocess_specs("p"))
    workflow.task_tree.data.update(data)
    for _ in range(50):
        task = next(iter(workflow.get_tasks(state=16, manual=False)), None)
        if task is None:
            break
        task.run()
    return workflow


def passed(workflow: BpmnWorkflow, element: str) -> bool:
    """Whether the raw workflow has completed `element`."""
    return any(
        each.task_spec.bpmn_id == element and each.state == 64 for each in workflow.tasks.values()
    )


def test_fact_01_an_interrupted_subprocess_does_nothing_more() -> None:
    inner = straight(start("s"), throw("now", signal()), script("more", "ran = 1"), end("e"))
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("b", "sp", signal()), end("out")
    )
    assert "ran" not in play(body).data


def test_fact_02_a_signal_end_event_throws_and_a_link_goes_on() -> None:
    listens = (
        start() + straight(catch("c", signal()), end("heard")) + to("begin", "c")
        + user("u") + to("begin", "u") + to("u", "say") + end("say", signal())
    )  # fmt: skip
    assert play(listens).ended_at.count("heard") == 1
    link = '<bpmn:linkEventDefinition name="l"/>'
    linked = straight(start(), throw("t", link)) + straight(catch("c", link), end())
    assert not passed(raw(linked), "finish")
    assert play(linked).ended_at == ["finish"]


@pytest.mark.parametrize("interrupting", [True, False])
def test_fact_03_an_event_subprocess_waits_for_its_event(interrupting: bool) -> None:
    body = straight(start(), user("t"), end()) + event_sub(
        "es", message(), straight(task("x"), end("xe")) + to("es_start", "x"), interrupting
    )
    assert "x" not in done(play(body))
    outcome = play(body, messages=[{"name": "hello"}], tasks={"t": {"$after": "P1D"}})
    assert ("t" in done(outcome)) is not interrupting


def test_fact_04_an_unrelated_sibling_catches_no_error() -> None:
    body = (
        start() + sub("bad", straight(start("s1"), user("u"), end("f", error())))
        + sub("good", straight(start("s2"), user("w"), end("g"))) + to("begin", "bad")
        + to("begin", "good") + straight(boundary("b", "good", error()), end("wrong"))
        + end() + to("bad", "finish") + to("good", "finish")
    )  # fmt: skip
    outcome = play(body, tasks={"w": {"$never": True}})
    assert outcome.error is not None
    assert outcome.error["reason"] == "error_not_caught"


def test_fact_05_a_process_without_end_event_completes() -> None:
    body = straight(start(), task("t"))
    assert raw(body).completed is False
    assert play(body).reason == "finished"


def test_fact_06_timers_of_one_gateway_have_their_own_times() -> None:
    body = (
        start() + '<bpmn:eventBasedGateway id="g"/>' + to("begin", "g")
        + straight(catch("long", timer("P2D")), end("e1")) + to("g", "long")
        + straight(catch("short", timer("PT1H")), end("e2")) + to("g", "short")
    )  # fmt: skip
    step = package(body).process("p").start({})
    assert {each.element: each.value for each in step.timers} == {"long": "P2D", "short": "PT1H"}


def test_fact_07_a_condition_sees_what_another_branch_changes() -> None:
    body = (
        start() + straight(catch("c", conditional("x == 1")), end("seen")) + to("begin", "c")
        + straight(user("u"), script("s", "x = 1"), end("set")) + to("begin", "u")
    )  # fmt: skip
    assert sorted(play(body, data={"x": 0}).ended_at) == ["seen", "set"]


def test_fact_08_missed_cycles_fire_once() -> None:
    body = straight(start(), user("t"), end()) + straight(
        boundary("b", "t", timer("R/PT1H", "timeCycle"), False), end("r")
    )
    made = package(body).process("p")
    step = made.start({})
    after = made.fire(step.state, step.timers[0].key)
    assert after is not None
    assert len(after.timers) == 1
    week_later = next_instant(after.timers[0].value, START.replace(day=12))
    assert week_later > START.replace(day=12)


@pytest.mark.parametrize("text", ["PT1H", "${wait}", "0 9 * * *", "R/PT1H"])
def test_fact_09_timers_are_written_plainly(text: str) -> None:
    kind = "timeCycle" if text[0] in "R0" else "timeDuration"
    body = straight(start(), catch("c", timer(text, kind)), end())
    with pytest.raises(WorkflowException):
        raw(body)
    assert play(body, data={"wait": "PT5M"}).reason == "finished"


def test_fact_10_what_is_not_open_is_not_completed() -> None:
    made = package(straight(start(), user("a"), user("b"), end())).process("p")
    step = made.start({})
    after = made.complete(step.state, step.tasks[0].key, {})
    with pytest.raises(TaskNotOpen):
        made.complete(after.state, step.tasks[0].key, {})
    with pytest.raises(TaskNotOpen):
        made.complete(after.state, "0" * 32, {})


def test_fact_12_13_a_failing_script_reaches_its_error_event() -> None:
    body = straight(start(), script("t", "x = 1 / 0"), end()) + straight(
        boundary("b", "t", error(None)), end("handled")
    )
    with pytest.raises(WorkflowException):
        raw(body)
    assert play(body).ended_at == ["handled"]


def test_fact_15_one_subprocess_id_in_two_files_is_told() -> None:
    one = straight(start(), sub("sp", straight(start("s"), end("e"))), end())
    model = (
        f'{HEAD}<bpmn:process id="{{}}" isExecutable="true">{one}</bpmn:process></bpmn:definitions>'
    )
    files = {f"{name}.bpmn": model.format(name).encode() for name in "pq"}
    report, _ = deploy_report(files)
    assert "id_repeated" in {finding.code for finding in report.findings}


def test_fact_16_branches_share_what_they_know() -> None:
    body = (
        start() + '<bpmn:parallelGateway id="f"/><bpmn:parallelGateway id="j"/>' + to("begin", "f")
        + script("a", "n = n + [1]") + script("b", "n = n + [2]") + to("f", "a") + to("f", "b")
        + to("a", "j") + to("b", "j") + end() + to("j", "finish")
    )  # fmt: skip
    joined = raw(body, n=[]).last_task
    assert joined is not None
    assert joined.data["n"] == [2], "what the first branch added is lost"
    assert play(body, data={"n": []}).data["n"] == [1, 2]


def test_fact_17_a_loop_without_a_wait_is_refused_or_stopped() -> None:
    endless = start() + task("a") + task("b") + to("begin", "a") + to("a", "b") + to("b", "a")
    assert "loop_without_way_out" in codes(endless)
    chosen = (
        start() + '<bpmn:exclusiveGateway id="m"/><bpmn:exclusiveGateway id="x" '
        'default="x_to_m"/>' + to("begin", "m") + to("m", "x") + to("x", "m") + end()
        + to("x", "finish", "never")
    )  # fmt: skip
    outcome = play(chosen)
    assert outcome.error is not None
    assert outcome.error["reason"] == "too_many_steps"


@pytest.mark.parametrize(
    "body",
    [
        straight(task("a"), task("b")),
        straight(start(), task("a"), end())
        + boundary("c", "a", "<bpmn:compensateEventDefinition/>")
        + task("undo", isForCompensation="true")
        + '<bpmn:association id="as" sourceRef="c" targetRef="undo"/>',
        start() + task("a") + end() + end("e2") + to("begin", "a") + to("a", "finish")
        + to("a", "e2"),
    ],
)  # fmt: skip
def test_fact_18_files_that_other_engines_accept_are_read(body: str) -> None:
    with pytest.raises(ValidationException):
        raw(body)
    assert play(body).reason == "finished"


def test_fact_19_keys_of_data_name_no_classes() -> None:
    hostile = {"typename": "datetime", "value": "x"}
    made = package(straight(start(), user("t"), end())).process("p")
    step = made.start({"form": hostile})
    assert made.complete(step.state, step.tasks[0].key, {}).data["form"] == hostile


def test_fact_22_what_is_not_plain_is_refused_at_the_door() -> None:
    with pytest.raises(TypeError):
        json.dumps({"x": START})
    made = package(straight(start(), user("t"), end())).process("p")
    with pytest.raises(Exception, match="data_not_plain"):
        made.start({"x": START})


def test_fact_23_what_is_thrown_is_in_the_step() -> None:
    step = package(straight(start(), throw("t", message()), end())).process("p").start({"a": 1})
    assert [(each.kind, each.name, each.data) for each in step.thrown] == [
        ("message", "hello", {"a": 1})
    ]


def test_fact_24_the_specification_is_not_in_the_state() -> None:
    body = straight(start(), user("t"), *(script(f"s{n}", f"x = {n}") for n in range(200)), end())
    assert len(package(body).process("p").start({}).state) < 400


def _migrated(old: str, new: str, mapping: dict[str, str] | None = None) -> Any:
    source, target = package(old).process("p"), package(new).process("p")
    step = source.start({})
    return step, target.migrate(step.state, source, mapping or {})


def test_fact_25_migrating_keeps_timers() -> None:
    edge = straight(boundary("b", "t", timer("P9D"), False), end("late"))
    old = straight(start(), user("t"), end()) + edge
    new = straight(start(), user("t"), user("u"), end()) + edge
    step, made = _migrated(old, new)
    assert made.step.timers == step.timers
    assert made.step.tasks[0].key == step.tasks[0].key


def test_fact_26_a_place_that_is_gone_is_refused_or_mapped() -> None:
    old, new = straight(start(), user("t"), end()), straight(start(), user("v"), end())
    _, refused = _migrated(old, new)
    assert refused.step is None
    assert [(place.element, place.reason) for place in refused.places] == [("t", "element_gone")]
    _, mapped = _migrated(old, new, {"t": "v"})
    assert [each.element for each in mapped.step.tasks] == ["v"]


def test_fact_27_instances_merge_after_migrating() -> None:
    several = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>2</bpmn:loopCardinality>"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )
    old = straight(start(), user("t", several), end())
    new = straight(start(), user("t", several), user("u"), end())
    _, made = _migrated(old, new)
    target, step = package(new).process("p"), made.step
    for _ in range(2):
        step = target.complete(step.state, step.tasks[0].key, {})
    assert [each.element for each in step.tasks] == ["u"]


@pytest.mark.parametrize(
    ("cell", "value", "fits"),
    [("1,5,9", 5, True), ('"x","y"', "y", True), ("not(4)", 3, True), ("[1..3]", 2, True)],
)
def test_fact_28_29_decisions_follow_their_policy_and_cells_match(
    cell: str, value: Any, fits: bool
) -> None:
    made, _ = read_decisions("t.dmn", table("d", ["x"], ["n"], [[cell, "1"]], policy="COLLECT"))
    assert bool(made["d"].decide({"x": value})) is fits


def test_fact_30_a_message_waits_for_its_receiver() -> None:
    body = straight(start(), user("t"), catch("c", message()), end())
    outcome = play(body, messages=[{"name": "hello"}], tasks={"t": {"$after": "P1D"}})
    assert outcome.reason == "finished"


def test_fact_31_conditions_are_not_python_unconfined() -> None:
    def choosing(condition: str) -> str:
        return (
            start() + '<bpmn:exclusiveGateway id="x" default="x_to_e2"/>' + to("begin", "x")
            + end() + end("e2") + to("x", "finish", condition) + to("x", "e2")
        )  # fmt: skip

    hostile = "__import__('os').getpid() &gt; 0"
    assert passed(raw(choosing(hostile)), "finish")
    assert "expression_refused" in codes(choosing(hostile))
