"""Activities, data, pools and lanes; and that every code has its words."""

from __future__ import annotations

import re

import pytest

from tests.unit.bpmn.test_rules import (
    CATALOGUES,
    MESSAGE,
    PLAIN,
    RULES,
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
    run,
)

WARNINGS = (
    "call_target_missing",
    "compensation_activity_unattached",
    "data_association_source_missing",
    "data_items_differ",
    "data_object_missing",
    "data_out_of_scope",
    "lane_node_repeated",
    "message_flow_at_other_event",
    "multi_instance_behavior_incomplete",
    "multi_instance_number_twice",
    "process_in_two_pools",
    "script_format_missing",
    "task_data_repeated",
)
CARDINALITY = "<loopCardinality>3</loopCardinality>"
OWNER = '<task id="a"><potentialOwner id="o">{}</potentialOwner></task>'
ASSIGNED = "<resourceAssignmentExpression><expression>x</expression></resourceAssignmentExpression>"


def looped(inner: str, more: str = "") -> str:
    tag = "multiInstanceLoopCharacteristics"
    return run(f'<task id="a"><{tag} {more}>{inner}</{tag}></task>')


def owned(inner: str) -> str:
    return '<resource id="r" name="r"><resourceParameter id="n"/></resource>' + run(
        OWNER.format(inner)
    )


ACTIVITIES: list[Row] = [
    (
        "receive_task_start_with_incoming",
        run(A + '<receiveTask id="b" instantiate="true"/>', "a", "b"),
        run('<receiveTask id="a" instantiate="true"/>'),
    ),
    ("multi_instance_number_missing", looped(""), looped("", 'x:collection="items"')),
    (
        "multi_instance_number_twice",
        run(
            '<task id="a"><ioSpecification><dataInput id="i"/><inputSet>'
            "<dataInputRefs>i</dataInputRefs></inputSet><outputSet/>"
            "</ioSpecification>"
            f"<multiInstanceLoopCharacteristics>{CARDINALITY}<loopDataInputRef>i</loopDataInputRef>"
            "</multiInstanceLoopCharacteristics></task>"
        ),
        looped(CARDINALITY),
    ),
    (
        "multi_instance_behavior_incomplete",
        looped(CARDINALITY, 'behavior="One"'),
        looped(CARDINALITY, 'behavior="All"'),
    ),
    (
        "multi_instance_behavior_incomplete",
        looped(CARDINALITY, 'behavior="Complex"'),
        looped(
            CARDINALITY
            + "<complexBehaviorDefinition><condition>x</condition></complexBehaviorDefinition>",
            'behavior="Complex"',
        ),
    ),
    (
        "quantity_wrong",
        run('<task id="a" startQuantity="0"/>'),
        run('<task id="a" startQuantity="2"/>'),
    ),
    ("compensation_activity_unattached", run(A + '<task id="u" isForCompensation="true"/>'), PLAIN),
    (
        "call_target_missing",
        run('<callActivity id="a"/>'),
        run('<callActivity id="a" calledElement="p"/>'),
    ),
    (
        "script_format_missing",
        run('<scriptTask id="a"><script>x</script></scriptTask>'),
        run('<scriptTask id="a" scriptFormat="text/x"><script>x</script></scriptTask>'),
    ),
    ("resource_named_twice", owned("<resourceRef>r</resourceRef>" + ASSIGNED), owned(ASSIGNED)),
    (
        "resource_missing",
        owned(
            '<resourceParameterBinding parameterRef="n"><expression>x</expression>'
            "</resourceParameterBinding>"
        ),
        owned(
            "<resourceRef>r</resourceRef>"
            '<resourceParameterBinding parameterRef="n"><expression>x</expression>'
            "</resourceParameterBinding>"
        ),
    ),
    ("child_missing", owned("<resourceAssignmentExpression/>"), owned(ASSIGNED)),
]


def specified(inner: str, kind: str = "task", rest: str = "", around: str = "") -> str:
    return (
        '<itemDefinition id="one" structureRef="xsd:string"/>'
        '<itemDefinition id="many" structureRef="xsd:int" isCollection="true"/>'
        + run(
            f'<{kind} id="a"><ioSpecification>{inner}</ioSpecification>{rest}</{kind}>'
            + '<dataObject id="d" itemSubjectRef="one"/>'
            + around
        )
    )


INPUT = '<dataInput id="i"/>'
LISTED = "<inputSet><dataInputRefs>i</dataInputRefs></inputSet>"
OUT = "<outputSet/>"
GIVEN = "<dataInputAssociation>{}<targetRef>i</targetRef></dataInputAssociation>"
D = "<sourceRef>d</sourceRef>"
OTHER = (
    (
        '<task id="b"><ioSpecification><dataInput id="j"/><inputSet>'
        "<dataInputRefs>j</dataInputRefs></inputSet><outputSet/>"
        "</ioSpecification></task>"
    )
    + flow("s", "b")
    + flow("b", "e")
)
DATA: list[Row] = [
    ("input_set_missing", specified(OUT), specified("<inputSet/>" + OUT)),
    ("output_set_missing", specified("<inputSet/>"), specified("<inputSet/>" + OUT)),
    ("data_not_in_set", specified(INPUT + "<inputSet/>" + OUT), specified(INPUT + LISTED + OUT)),
    (
        "data_of_another",
        specified("<inputSet><dataInputRefs>j</dataInputRefs></inputSet>" + OUT, around=OTHER),
        specified("<inputSet/>" + OUT, around=OTHER),
    ),
    (
        "data_not_listed",
        specified(
            INPUT + LISTED + "<inputSet><optionalInputRefs>i</optionalInputRefs></inputSet>" + OUT
        ),
        specified(
            INPUT
            + LISTED.replace("</inputSet>", "<optionalInputRefs>i</optionalInputRefs></inputSet>")
            + OUT
        ),
    ),
    (
        "data_association_target_missing",
        specified(
            INPUT + LISTED + OUT, rest="<dataInputAssociation>" + D + "</dataInputAssociation>"
        ),
        specified(INPUT + LISTED + OUT, rest=GIVEN.format(D)),
    ),
    (
        "data_association_sources",
        specified(INPUT + LISTED + OUT, rest=GIVEN.format(D + D)),
        specified(INPUT + LISTED + OUT, rest=GIVEN.format(D)),
    ),
    (
        "data_association_source_missing",
        specified(INPUT + LISTED + OUT, rest=GIVEN.format("")),
        specified(INPUT + LISTED + OUT, rest=GIVEN.format(D)),
    ),
    (
        "data_items_differ",
        specified(
            INPUT.replace("/>", ' itemSubjectRef="many" isCollection="true"/>') + LISTED + OUT,
            rest=GIVEN.format(D),
        ),
        specified(
            INPUT.replace("/>", ' itemSubjectRef="one"/>') + LISTED + OUT, rest=GIVEN.format(D)
        ),
    ),
    (
        "data_out_of_scope",
        specified(
            INPUT + LISTED + OUT,
            rest=GIVEN.format("<sourceRef>k</sourceRef>"),
            around='<subProcess id="b"><dataObject id="k"/></subProcess>'
            + flow("s", "b")
            + flow("b", "e"),
        ),
        specified(INPUT + LISTED + OUT, rest=GIVEN.format(D)),
    ),
    (
        "data_object_missing",
        run(A + '<dataObjectReference id="r"/>'),
        run(A + '<dataObject id="k"/><dataObjectReference id="r" dataObjectRef="k"/>'),
    ),
    (
        "collection_contradicted",
        specified(
            "<inputSet/>" + OUT,
            around='<dataObject id="k" isCollection="false" itemSubjectRef="many"/>',
        ),
        specified(
            "<inputSet/>" + OUT,
            around='<dataObject id="k" isCollection="true" itemSubjectRef="many"/>',
        ),
    ),
    (
        "task_data_repeated",
        specified(
            INPUT
            + '<dataInput id="j"/>'
            + LISTED.replace("</inputSet>", "<dataInputRefs>j</dataInputRefs></inputSet>")
            + OUT,
            "sendTask",
        ),
        specified(INPUT + LISTED + OUT, "sendTask"),
    ),
]


def pools(flows: str, more: str = "") -> str:
    """Two pools with a process each, p with s, a, e and q with a message start and end."""
    begin = f'<startEvent id="s2">{MESSAGE}</startEvent>'
    end = f'<endEvent id="e2">{MESSAGE}</endEvent>'
    other = begin + '<task id="b"/><startEvent id="s3"/>' + end
    return (
        PLAIN
        + f'<process id="q">{other}{path("s2", "b", "e2")}{flow("s3", "b")}</process>'
        + '<collaboration id="k"><participant id="P" processRef="p"/>'
        + f'<participant id="Q" processRef="q">{more}</participant><participant id="R"/>'
        + flows
        + "</collaboration>"
    )


def message(source: str, goal: str) -> str:
    return f'<messageFlow id="f" sourceRef="{source}" targetRef="{goal}"/>'


def laned(*lanes: str) -> str:
    rows = "".join(
        f'<lane id="l{place}"><flowNodeRef>{name}</flowNodeRef></lane>'
        for place, name in enumerate(lanes)
    )
    return run(f'<laneSet id="l">{rows}</laneSet>' + A) + '<process id="q"><task id="b"/></process>'


COLLABORATION: list[Row] = [
    ("message_flow_in_one_pool", pools(message("b", "Q")), pools(message("a", "Q"))),
    ("message_flow_in_one_pool", pools(message("R", "R")), pools(message("R", "Q"))),
    ("message_flow_source_wrong", pools(message("s2", "a")), pools(message("e2", "a"))),
    ("message_flow_target_wrong", pools(message("a", "e2")), pools(message("a", "s2"))),
    ("message_flow_at_other_event", pools(message("a", "s3")), pools(message("a", "s2"))),
    ("reference_wrong_kind", pools(message("a", "s2_b")), pools(message("a", "b"))),
    ("process_in_two_pools", pools('<participant id="T" processRef="q"/>'), pools("")),
    (
        "participant_multiplicity_wrong",
        pools("", '<participantMultiplicity minimum="3" maximum="2"/>'),
        pools("", '<participantMultiplicity minimum="2" maximum="2"/>'),
    ),
    ("lane_node_of_another_process", laned("b"), laned("a")),
    ("lane_node_repeated", laned("a", "a"), laned("a", "s")),
]


@pytest.mark.parametrize(("code", "wrong", "right"), ACTIVITIES + DATA + COLLABORATION)
def test_models(code: str, wrong: str, right: str) -> None:
    check_row(code, wrong, right, WARNINGS)


def test_two_pools_of_one_process_may_talk() -> None:
    text = pools('<participant id="T" processRef="q"/>' + message("Q", "T"))
    assert {each.severity for each in findings(text)} == {"warning"}


def test_an_end_event_that_sends_is_a_message_event() -> None:
    found = findings(pools(message("e", "b")))
    assert [(each.code, each.severity) for each in found] == [
        ("message_flow_at_other_event", "error")
    ]


def test_a_drawn_loop_may_leave_its_number_open() -> None:
    assert {each.severity for each in findings(drawn(looped("")))} == {"warning"}


def test_a_receive_task_may_follow_only_the_start() -> None:
    catch = f'<intermediateCatchEvent id="c">{TIMER}</intermediateCatchEvent>'
    task = '<receiveTask id="a" instantiate="true"/>'
    assert findings(process(S, task, catch, E, path("s", "a", "c", "e"))) == []


def _codes() -> set[str]:
    """Each code that the sources name, and only codes are named like this after a parenthesis."""
    found: set[str] = set()
    for file in RULES.glob("*.py"):
        text = file.read_text()
        calls = r'\b(?:wrong|warn|at|Finding)\(\s*"(\w+)"|\bsay\([^"]*"(\w+)"'
        found |= {one or other for one, other in re.findall(calls, text)}
        found |= set(re.findall(r'"(\w+_(?:missing|without_operation))"', text))
    return found - {"missing"}


def test_every_code_has_its_words() -> None:
    for code in _codes():
        holes = [set(re.findall(r"{(\w+)}", words[f"finding.{code}"])) for words in CATALOGUES]
        assert holes[0] == holes[1]
