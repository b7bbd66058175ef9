"""References, sequence flows, starts and ends, gateways."""

from __future__ import annotations

import pytest

from engine.bpmn.rules import check_rules
from tests.unit.bpmn.test_rules import (
    MESSAGE,
    PLAIN,
    SIGNAL,
    TIMER,
    A,
    E,
    Row,
    S,
    check_row,
    drawn,
    findings,
    flow,
    path,
    process,
    root_of,
    run,
)

WARNINGS = (
    "call_target_unknown",
    "condition_empty",
    "default_with_condition",
    "event_gateway_start_target",
    "flow_listed_twice",
    "flow_loops_on_itself",
    "flow_outside_scope",
    "gateway_without_choice",
    "process_not_executable",
    "reference_outside",
)
IF = "<conditionExpression>x</conditionExpression>"
SUB = '<subProcess id="a">{}</subProcess>'
INNER = '<startEvent id="s1"/><task id="a1"/><endEvent id="e1"/>'
PASSED = INNER + path("s1", "a1", "e1")
XOR = '<exclusiveGateway id="a" default="a_b"/><task id="b"/><task id="c"/>'
SPLIT = flow("s", "a") + flow("a", "b") + flow("a", "c", IF) + flow("b", "e") + flow("c", "e")


def catch(id_: str, inner: str) -> str:
    return f'<intermediateCatchEvent id="{id_}">{inner}</intermediateCatchEvent>'


def awaited(*targets: str, more: str = "", extra: str = "") -> str:
    """An event-based gateway that leads to these nodes, which are named b, c and so on."""
    names = "bcd"[: len(targets)]
    flows = "".join(flow("a", name) + flow(name, "e") for name in names)
    gateway = f'<eventBasedGateway id="a" {more}/>'
    return process(S, gateway, *targets, E, flow("s", "a"), flows, extra)


def starting(*targets: str, before: str = "", more: str = "") -> str:
    """The same, but it starts the process."""
    text = awaited(*targets, more=f'instantiate="true" {more}')
    return text if before else text.replace(S, "").replace(flow("s", "a"), "")


def ab(middle: str, *parts: str) -> str:
    """A process whose gateway splits into b and c and, at `d`, joins again."""
    b, c = '<task id="b"/>', '<task id="c"/>'
    join = '<parallelGateway id="d"/>'
    paths = path("s", "a", "b", "d", "e") + path("a", "c", "d")
    return process(S, middle, b, c, join, E, paths, *parts)


BOTH = catch("b", MESSAGE), catch("c", TIMER)
REFERENCES: list[Row] = [
    (
        "reference_unknown",
        process(A, flow("a", "gone")),
        process(A, '<task id="b"/>', flow("a", "b")),
    ),
    (
        "reference_unknown",
        run('<receiveTask id="a" messageRef="gone"/>'),
        run('<receiveTask id="a" messageRef="m"/>'),
    ),
    (
        "reference_unknown",
        run('<receiveTask id="a" messageRef="no:m"/>'),
        run('<receiveTask id="a" messageRef="t:m"/>'),
    ),
    (
        "reference_unknown",
        run('<task id="a"><incoming>gone</incoming></task>'),
        run('<task id="a"><incoming>s_a</incoming></task>'),
    ),
    (
        "reference_unknown",
        run(A + '<laneSet id="l"><lane id="l1"><flowNodeRef>gone</flowNodeRef></lane></laneSet>'),
        run('<laneSet id="l"><lane id="l1"><flowNodeRef>a</flowNodeRef></lane></laneSet>' + A),
    ),
    (
        "reference_unknown",
        run(A + '<association id="n" sourceRef="a" targetRef="gone"/>'),
        run(A + '<association id="n" sourceRef="a" targetRef="a_e"/>'),
    ),
    (
        "reference_wrong_kind",
        run('<receiveTask id="a" messageRef="sig"/>'),
        run('<receiveTask id="a" messageRef="m"/>'),
    ),
    (
        "reference_wrong_kind",
        process(A, '<dataObject id="d"/>', flow("a", "d")),
        process(A, '<dataObject id="d"/>'),
    ),
    (
        "reference_wrong_kind",
        run('<callActivity id="a" calledElement="m"/>'),
        run('<callActivity id="a" calledElement="p"/>'),
    ),
    (
        "reference_wrong_kind",
        PLAIN + '<collaboration id="k"><participant id="q" processRef="a"/></collaboration>',
        PLAIN + '<collaboration id="k"><participant id="q" processRef="p"/></collaboration>',
    ),
    ("reference_empty", run('<receiveTask id="a" messageRef=""/>'), run('<receiveTask id="a"/>')),
    (
        "reference_outside",
        run('<dataObject id="d" itemSubjectRef="xsd:string"/>' + A),
        '<itemDefinition id="i"/>' + run('<dataObject id="d" itemSubjectRef="i"/>' + A),
    ),
    (
        "call_target_unknown",
        run('<callActivity id="a" calledElement="gone"/>'),
        run('<callActivity id="a" calledElement="g"/>') + '<globalTask id="g"/>',
    ),
    (
        "flow_contradicts_node",
        run('<task id="a"><incoming>a_e</incoming></task>'),
        run('<task id="a"><incoming>s_a</incoming></task>'),
    ),
    (
        "flow_listed_twice",
        run('<task id="a"><incoming>s_a</incoming><incoming>s_a</incoming></task>'),
        run('<task id="a"><incoming>s_a</incoming></task>'),
    ),
]
FLOWS: list[Row] = [
    (
        "flow_crosses_pool",
        process(A) + '<process id="q"><task id="b"/>' + flow("b", "a") + "</process>",
        process(A) + '<process id="q"><task id="b"/></process>',
    ),
    (
        "flow_crosses_subprocess",
        process(S, SUB.format('<task id="b"/>'), E, path("s", "a", "e"), flow("s", "b")),
        run(SUB.format('<task id="b"/>')),
    ),
    (
        "flow_outside_scope",
        run(SUB.format(INNER) + path("s1", "a1", "e1")),
        run(SUB.format(PASSED)),
    ),
    ("flow_after_end", run(A + flow("e", "a")), PLAIN),
    ("flow_into_start", run(A + flow("a", "s")), PLAIN),
    (
        "flow_into_event",
        run(
            A
            + f'<boundaryEvent id="b" attachedToRef="a">{TIMER}</boundaryEvent>'
            + flow("b", "e")
            + flow("a", "b")
        ),
        run(
            A + f'<boundaryEvent id="b" attachedToRef="a">{TIMER}</boundaryEvent>' + flow("b", "e")
        ),
    ),
    (
        "flow_at_event_subprocess",
        run(
            '<subProcess id="a" triggeredByEvent="true">'
            + PASSED.replace('1"/>', f'1">{TIMER}</startEvent>', 1)
            + "</subProcess>"
        ),
        PLAIN,
    ),
    (
        "flow_at_compensation_activity",
        run('<task id="b"/>' + '<task id="a" isForCompensation="true"/>', "b", "a"),
        PLAIN,
    ),
    ("condition_not_allowed", process(S, A, E, flow("s", "a", IF), flow("a", "e")), PLAIN),
    (
        "condition_not_allowed",
        ab('<parallelGateway id="a"/>').replace(flow("a", "b"), flow("a", "b", IF)),
        ab('<parallelGateway id="a"/>'),
    ),
    (
        "condition_empty",
        process(S, A, E, flow("s", "a", "<conditionExpression/>"), flow("a", "e")),
        PLAIN,
    ),
    (
        "conditional_flow_alone",
        process(S, A, E, flow("s", "a"), flow("a", "e", IF)),
        process(
            S, A, E, flow("s", "a"), flow("a", "e", IF), '<endEvent id="e2"/>', flow("a", "e2")
        ),
    ),
    (
        "default_not_outgoing",
        run('<exclusiveGateway id="a" default="s_a"/>'),
        run('<exclusiveGateway id="a" default="a_e"/>'),
    ),
    (
        "default_with_condition",
        process(S, XOR, E, SPLIT.replace(flow("a", "b"), flow("a", "b", IF))),
        process(S, XOR, E, SPLIT),
    ),
    (
        "flow_without_condition",
        process(S, XOR.replace(' default="a_b"', ""), E, SPLIT),
        process(S, XOR, E, SPLIT),
    ),
    (
        "flow_loops_on_itself",
        run('<exclusiveGateway id="a" default="a_e"/>' + flow("a", "a", IF)),
        run(A + flow("a", "a")),
    ),
    (
        "flow_not_immediate",
        process(S, A, E, flow("s", "a", more='isImmediate="false"'), flow("a", "e")),
        process(S, A, E, flow("s", "a", more='isImmediate="true"'), flow("a", "e")),
    ),
]
LEVELS: list[Row] = [
    ("end_event_missing", process(S, A, flow("s", "a")), process(A)),
    (
        "start_event_missing",
        process(A, E, flow("a", "e")),
        process('<receiveTask id="a" instantiate="true"/>', E, flow("a", "e")),
    ),
    (
        "start_event_missing",
        run(SUB.format('<task id="a1"/><endEvent id="e1"/>' + flow("a1", "e1"))),
        run(SUB.format("<task id='a1'/>")),
    ),
    ("node_without_incoming", process(S, A, E, flow("s", "e"), flow("a", "e")), PLAIN),
    ("node_without_incoming", process(A, catch("c", TIMER), flow("c", "a")), process(A)),
    ("node_without_outgoing", process(S, A, E, flow("s", "e"), flow("s", "a")), PLAIN),
    ("node_without_outgoing", process(S, A, E, flow("a", "e"), flow("a", "a")), PLAIN),
    (
        "node_without_outgoing",
        run(A + f'<boundaryEvent id="b" attachedToRef="a">{TIMER}</boundaryEvent>'),
        PLAIN,
    ),
    (
        "start_event_repeated",
        run(SUB.format(PASSED + '<startEvent id="s2"/>' + flow("s2", "a1"))),
        process(S, '<startEvent id="s2"/>', A, E, path("s", "a", "e"), flow("s2", "a")),
    ),
    (
        "subprocess_start_triggered",
        run(SUB.format(PASSED.replace('"s1"/>', f'"s1">{TIMER}</startEvent>'))),
        run(SUB.format(PASSED)),
    ),
    (
        "ad_hoc_start_or_end",
        run('<adHocSubProcess id="a">' + PASSED + "</adHocSubProcess>"),
        run('<adHocSubProcess id="a"><task id="b"/></adHocSubProcess>'),
    ),
    (
        "ad_hoc_without_activity",
        run('<adHocSubProcess id="a">' + '<exclusiveGateway id="g"/></adHocSubProcess>'),
        run('<adHocSubProcess id="a"><task id="b"/></adHocSubProcess>'),
    ),
    (
        "subprocess_with_data_inputs",
        run(SUB.format("<ioSpecification><inputSet/><outputSet/></ioSpecification>")),
        run('<task id="a"><ioSpecification><inputSet/><outputSet/></ioSpecification></task>'),
    ),
    (
        "public_process_executable",
        process(A, more='processType="Public"'),
        process(A, more='processType="Private"'),
    ),
    ("process_not_executable", PLAIN.replace('"true"', '"false"'), PLAIN),
]
CONVERGING = 'gatewayDirection="Converging"'
GATEWAYS: list[Row] = [
    (
        "gateway_direction_contradicted",
        ab(f'<parallelGateway id="a" {CONVERGING}/>'),
        ab('<parallelGateway id="a" gatewayDirection="Diverging"/>'),
    ),
    (
        "gateway_direction_contradicted",
        ab('<parallelGateway id="a"/>').replace('id="d"', 'id="d" gatewayDirection="Diverging"'),
        ab('<parallelGateway id="a"/>').replace('id="d"', f'id="d" {CONVERGING}'),
    ),
    ("gateway_without_choice", run('<exclusiveGateway id="a"/>'), ab('<parallelGateway id="a"/>')),
    ("event_gateway_outgoing_count", awaited(BOTH[0]), awaited(*BOTH)),
    (
        "event_gateway_target_wrong",
        awaited('<task id="b"/>', BOTH[1]),
        awaited('<receiveTask id="b"/>', BOTH[1]),
    ),
    (
        "event_gateway_target_wrong",
        awaited(BOTH[0], '<intermediateThrowEvent id="c"/>'),
        awaited(*BOTH, catch("d", MESSAGE + SIGNAL)),
    ),
    (
        "event_gateway_mixed",
        awaited(BOTH[0], '<receiveTask id="c"/>'),
        awaited('<receiveTask id="b"/>', BOTH[1]),
    ),
    ("event_gateway_target_shared", awaited(*BOTH, extra=flow("s", "b")), awaited(*BOTH)),
    (
        "event_gateway_target_with_boundary",
        awaited(
            '<receiveTask id="b"/>',
            BOTH[1],
            extra=f'<boundaryEvent id="h" attachedToRef="b">{TIMER}</boundaryEvent>'
            + flow("h", "e"),
        ),
        awaited('<receiveTask id="b"/>', BOTH[1]),
    ),
    (
        "event_gateway_parallel",
        awaited(*BOTH, more='eventGatewayType="Parallel"'),
        starting(BOTH[0], catch("c", MESSAGE), more='eventGatewayType="Parallel"'),
    ),
    (
        "event_gateway_start_with_incoming",
        starting(BOTH[0], catch("c", MESSAGE), before="s"),
        starting(BOTH[0], catch("c", MESSAGE)),
    ),
    ("event_gateway_start_target", starting(*BOTH), starting(BOTH[0], catch("c", MESSAGE))),
]


@pytest.mark.parametrize(("code", "wrong", "right"), REFERENCES + FLOWS + LEVELS + GATEWAYS)
def test_flow(code: str, wrong: str, right: str) -> None:
    check_row(code, wrong, right, WARNINGS)


@pytest.mark.parametrize(
    "text",
    [
        process(S, XOR.replace(' default="a_b"', ""), E, SPLIT),
        ab(f'<parallelGateway id="a" {CONVERGING}/>').replace(
            CONVERGING, 'gatewayDirection="Mixed"'
        ),
        run('<adHocSubProcess id="a"/>'),
    ],
)
def test_what_is_only_a_warning_in_a_drawing(text: str) -> None:
    found = findings(drawn(text))
    assert found
    assert {each.severity for each in found} == {"warning"}


def test_references_lead_into_other_files() -> None:
    here = run('<callActivity id="a" calledElement="q"/>')
    there = process(A).replace('id="p"', 'id="q"')
    assert check_rules({"a.bpmn": root_of(here), "b.bpmn": root_of(there)}) == []


def test_imported_things_are_taken_on_trust() -> None:
    wsdl = (
        '<import importType="http://www.w3.org/wsdl" location="a.wsdl"'
        ' namespace="http://x.example"/>'
    )
    assert findings(wsdl + run('<serviceTask id="a" operationRef="x:o"/>')) == []
    assert findings(wsdl + run('<callActivity id="a" calledElement="x:q"/>')) == []


def test_the_line_and_the_words_of_a_finding() -> None:
    (found,) = findings("\n\n" + process(A, flow("a", "gone")))
    assert (found.element, found.line, found.params) == ("a_gone", 3, {"reference": "gone"})
