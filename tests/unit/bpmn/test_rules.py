"""The rules of the standard as a whole: foundation, diagram, speed, and never an exception."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from engine.bpmn.rules import check_rules
from engine.bpmn.rules.index import BPMN
from engine.bpmn.rules.schema import TYPES
from engine.domain.process import Finding

HEAD = (
    f'<definitions xmlns="{BPMN}" xmlns:t="t" targetNamespace="t"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:x="http://x.example"'
    ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"'
    ' xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI">'
)
S, E, A = '<startEvent id="s"/>', '<endEvent id="e"/>', '<task id="a"/>'
MESSAGE = "<messageEventDefinition messageRef='m'/>"
SIGNAL = "<signalEventDefinition signalRef='sig'/>"
TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
ROOTS = (
    '<message id="m"/><signal id="sig"/><error id="err" errorCode="1"/>'
    '<escalation id="esc" escalationCode="1"/>'
)
ROOT = Path(__file__).parents[3]
RULES = ROOT / "engine/bpmn/rules"
CATALOGUES = [
    json.loads((ROOT / f"api/texts/{locale}.json").read_text()) for locale in ("en", "zh-CN")
]
Row = tuple[str, str, str]


def flow(source: str, target: str, inner: str = "", more: str = "") -> str:
    return (
        f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}" {more}>'
        f"{inner}</sequenceFlow>"
    )


def path(*ids: str) -> str:
    return "".join(flow(one, other) for one, other in pairwise(ids))


def process(*parts: str, more: str = "") -> str:
    """An executable process with what its events refer to beside it."""
    return ROOTS + f'<process id="p" isExecutable="true" {more}>{"".join(parts)}</process>'


def run(inner: str, *ids: str, more: str = "") -> str:
    """A process that starts, passes the nodes of these ids and ends."""
    return process(S, inner, E, path("s", *(ids or ("a",)), "e"), more=more)


def drawn(text: str) -> str:
    """The same process, only to be looked at."""
    return text.replace('isExecutable="true"', "")


def root_of(text: str) -> etree._Element:
    return etree.fromstring(f"{HEAD}{text}</definitions>")


def findings(text: str) -> list[Finding]:
    return check_rules({"a.bpmn": root_of(text)})


def check_row(code: str, wrong: str, right: str, warnings: Sequence[str]) -> None:
    """`wrong` has that one finding (and no other error), `right` has no error and not that one."""
    found = findings(wrong)
    severity = "warning" if code in warnings else "error"
    assert (code, severity) in {(each.code, each.severity) for each in found}
    assert {each.code for each in found if each.severity == "error"} <= {code}
    assert all(each.line and each.file == "a.bpmn" for each in found)
    for each in found:
        for words in CATALOGUES:
            assert set(re.findall(r"{(\w+)}", words[f"finding.{each.code}"])) <= set(each.params)
    around = findings(right)
    assert code not in {each.code for each in around}
    assert [each for each in around if each.severity == "error"] == []


PLAIN = run(A)
PLANE = (
    "<bpmndi:BPMNDiagram>"
    '<bpmndi:BPMNPlane bpmnElement="p">{}</bpmndi:BPMNPlane>'
    "</bpmndi:BPMNDiagram>"
)
BOUNDS = '<dc:Bounds x="0" y="0" width="1" height="1"/>'
POINTS = '<di:waypoint x="0" y="0"/><di:waypoint x="1" y="0"/>'


def shape(inner: str, element: str = "a", kind: str = "BPMNShape") -> str:
    return PLAIN + PLANE.format(
        f'<bpmndi:{kind} id="d" bpmnElement="{element}">{inner}</bpmndi:{kind}>'
    )


WARNINGS = (
    "edge_without_waypoints",
    "element_order_wrong",
    "extension_misplaced",
    "id_missing",
    "id_not_a_name",
    "import_unknown",
    "shape_kind_wrong",
    "shape_reference_unknown",
    "shape_without_bounds",
    "text_misplaced",
)
IMPORT = f'<import importType="{BPMN}" location="dir/{{}}.bpmn" namespace="u"/>'
ROWS: list[Row] = [
    ("id_repeated", PLAIN + '<signal id="a"/>', PLAIN + '<signal id="b"/>'),
    ("id_not_a_name", run('<task id="1a"/>', "1a"), run('<task id="甲"/>', "甲")),
    ("id_missing", process("<task/>"), process(A)),
    (
        "element_unknown",
        run(A + "<foo/>"),
        run(A + '<association id="f" sourceRef="a" targetRef="s"/>'),
    ),
    ("element_unknown", run(A + "<flowNode/>"), PLAIN),
    ("element_unknown", run(A + '<bar xmlns=""/>'), PLAIN),
    ("element_misplaced", run(A.replace("/>", '><task id="b"/></task>')), PLAIN),
    ("element_misplaced", run(A + "<participant id='z'/>"), PLAIN),
    ("element_misplaced", process(A, "<timeDate>2026-01-01</timeDate>"), PLAIN),
    (
        "extension_misplaced",
        run(A + "<x:y/>"),
        run("<extensionElements><x:y/></extensionElements>" + A),
    ),
    (
        "element_order_wrong",
        run('<task id="a"><property id="q"/><incoming>s_a</incoming></task>'),
        PLAIN,
    ),
    (
        "attribute_missing",
        PLAIN
        + (
            '<interface id="i"><operation id="o" name="o">'
            "<inMessageRef>m</inMessageRef></operation></interface>"
        ),
        PLAIN,
    ),
    ("attribute_missing", process(A, '<sequenceFlow id="f" sourceRef="a"/>'), PLAIN),
    (
        "attribute_missing",
        run('<task id="a"/><boundaryEvent id="b">' + TIMER + "</boundaryEvent>" + flow("b", "e")),
        PLAIN,
    ),
    ("attribute_unknown", run('<task id="a" colour="red"/>'), run('<task id="a" x:colour="red"/>')),
    (
        "attribute_unknown",
        run('<parallelGateway id="a" default="a_e"/>'),
        run('<exclusiveGateway id="a" default="a_e"/>'),
    ),
    (
        "attribute_value_unknown",
        run('<exclusiveGateway id="a" gatewayDirection="Up"/>'),
        run('<exclusiveGateway id="a" gatewayDirection="Unspecified"/>'),
    ),
    (
        "attribute_value_unknown",
        run('<task id="a" isForCompensation="no"/>'),
        run('<task id="a" isForCompensation="0"/>'),
    ),
    (
        "attribute_value_unknown",
        run('<task id="a" startQuantity="one"/>'),
        run('<task id="a" startQuantity="1"/>'),
    ),
    (
        "attribute_value_unknown",
        run('<transaction id="a" method="##Maybe"/>'),
        run('<transaction id="a" method="http://x"/>'),
    ),
    (
        "attribute_value_unknown",
        run(
            '<task id="a"><standardLoopCharacteristics>'
            '<loopCondition xsi:type="tText">x</loopCondition>'
            "</standardLoopCharacteristics></task>"
        ),
        run(
            '<task id="a"><standardLoopCharacteristics>'
            '<loopCondition xsi:type="tFormalExpression" language="x">x</loopCondition>'
            "</standardLoopCharacteristics></task>"
        ),
    ),
    ("child_repeated", run('<task id="a"><extensionElements/><extensionElements/></task>'), PLAIN),
    (
        "child_missing",
        process(A)
        + (
            '<collaboration id="c"><participantAssociation>'
            "<innerParticipantRef>q</innerParticipantRef></participantAssociation>"
            '<participant id="q"/></collaboration>'
        ),
        PLAIN,
    ),
    (
        "operation_message_missing",
        PLAIN + '<interface id="i" name="i"><operation id="o" name="o"/></interface>',
        PLAIN,
    ),
    ("interface_without_operation", PLAIN + '<interface id="i" name="i"/>', PLAIN),
    (
        "loop_repeated",
        run(
            '<task id="a"><standardLoopCharacteristics/>'
            "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality>"
            "</multiInstanceLoopCharacteristics></task>"
        ),
        run('<task id="a"><standardLoopCharacteristics/></task>'),
    ),
    (
        "text_misplaced",
        run(A + '<task id="b">hello</task>', "a", "b"),
        run('<task id="a"><documentation>hello</documentation></task>'),
    ),
    ("import_unknown", IMPORT.format("b") + PLAIN, IMPORT.format("a") + PLAIN),
    ("shape_reference_unknown", shape(BOUNDS, "gone"), shape(BOUNDS)),
    ("shape_kind_wrong", shape(BOUNDS, "s_a"), shape(POINTS, "s_a", "BPMNEdge")),
    ("shape_without_bounds", shape(""), shape(BOUNDS)),
    ("edge_without_waypoints", shape("", "s_a", "BPMNEdge"), shape(POINTS, "s_a", "BPMNEdge")),
]


@pytest.mark.parametrize(("code", "wrong", "right"), ROWS)
def test_foundation(code: str, wrong: str, right: str) -> None:
    check_row(code, wrong, right, WARNINGS)


def test_a_drawn_id_that_is_used_again_is_only_a_warning() -> None:
    found = findings(shape(BOUNDS).replace('id="d"', 'id="a"'))
    assert [(each.code, each.severity) for each in found] == [("id_repeated", "warning")]


@pytest.mark.parametrize(
    "root",
    [
        etree.fromstring("<definitions/>"),
        etree.fromstring(f'<process xmlns="{BPMN}"/>'),
        etree.Comment("no element"),
        etree.ProcessingInstruction("x"),
    ],
)
def test_what_is_not_bpmn(root: etree._Element) -> None:
    assert [each.code for each in check_rules({"a.bpmn": root})] == ["definitions_missing"]


def test_nothing_is_wrong_with_nothing() -> None:
    assert check_rules({}) == []
    assert findings("") == []


def test_comments_say_nothing() -> None:
    text = run('<task id="a"><incoming><!-- from s -->s_a</incoming><!-- x --></task>')
    assert findings(text) == []
    begun = text.replace(S, f'<startEvent id="s">{TIMER}</startEvent>')
    assert findings(begun.replace("PT1H", "<!-- x -->PT1H")) == []
    assert [each.code for each in findings(begun.replace("PT1H", "<!-- x -->"))] == ["timer_empty"]


@pytest.mark.parametrize(
    "file", sorted((ROOT / "processes").glob("*/*.bpmn")), ids=lambda file: file.parent.name
)
def test_the_packages_of_the_product_are_right(file: Path) -> None:
    found = check_rules({file.name: etree.parse(file).getroot()})
    assert [each for each in found if each.severity == "error"] == []


def wide(count: int) -> str:
    """`count` tasks in a row, each with the flows it says it has."""
    names = [f"t{place}" for place in range(count)]
    around = zip(["s", *names[:-1]], names, [*names[1:], "e"], strict=True)
    tasks = "".join(
        f'<task id="{here}"><incoming>{before}_{here}</incoming>'
        f"<outgoing>{here}_{after}</outgoing></task>"
        for before, here, after in around
    )
    return run(tasks, *names)


def test_it_is_quick() -> None:
    for text, seconds in ((wide(12), 0.03), (wide(5_000), 5.0)):
        root = root_of(text)
        began = time.perf_counter()
        assert check_rules({"a.bpmn": root}) == []
        assert time.perf_counter() - began < seconds


@pytest.mark.parametrize(
    "text",
    [
        process("<eventBasedGateway id='g'/>", "<receiveTask id='a'/>", flow("g", "a") * 5_000),
        process(
            "<ioSpecification>"
            + "<dataInput/><inputSet/>" * 4_000
            + "<outputSet/></ioSpecification>"
        ),
        process("<intermediateCatchEvent id='c'>" + MESSAGE * 5_000 + "</intermediateCatchEvent>")
        + flow("c", "c") * 3_000,
        process(A, f"<boundaryEvent id='b' attachedToRef='a'>{TIMER}</boundaryEvent>" * 5_000),
    ],
    ids=["flows", "sets", "triggers", "boundary events"],
)
def test_it_is_quick_with_odd_files_too(text: str) -> None:
    root = root_of(text)
    began = time.perf_counter()
    check_rules({"a.bpmn": root})
    assert time.perf_counter() - began < 5


def _vocabulary() -> tuple[list[str], list[str]]:
    kinds = {name for type_ in TYPES.values() for name in type_.children} | set(TYPES) | {"foo"}
    attributes = {name for type_ in TYPES.values() for name in type_.attributes}
    return sorted(kinds), sorted(attributes)


def _scramble(root: etree._Element, chance: random.Random) -> None:
    kinds, attributes = _vocabulary()
    values = ["", "a", "b", "s", "t:a", "y:z", ":", "true", "false", "-1", "9" * 5_000, " ", "乙"]
    spaces = [
        BPMN,
        BPMN,
        BPMN,
        BPMN,
        "",
        "http://x.example",
        "http://www.omg.org/spec/BPMN/20100524/DI",
    ]
    for _ in range(chance.randrange(5, 60)):
        here = chance.choice([each for each in root.iter() if isinstance(each.tag, str)])
        space = chance.choice(spaces)
        kind = chance.choice(kinds)
        new = etree.SubElement(here, f"{{{space}}}{kind}" if space else kind)
        for _ in range(chance.randrange(0, 5)):
            new.set(chance.choice(attributes), chance.choice(values))
        new.text = chance.choice([None, "a", "s_a", "", " x "])
        if chance.random() < 0.1:
            here.append(etree.Comment("c"))
        if chance.random() < 0.2:
            here.set(chance.choice(attributes), chance.choice(values))
        if chance.random() < 0.05:
            here.append(etree.ProcessingInstruction("p"))


@pytest.mark.parametrize("seed", range(150))
def test_no_tree_makes_it_fail(seed: int) -> None:
    chance = random.Random(seed)
    one, other = root_of(PLAIN), root_of("")
    _scramble(one, chance)
    _scramble(other, chance)
    for each in check_rules({"a.bpmn": one, "b.bpmn": other}):
        assert each.code
        assert each.severity in ("error", "warning")
        assert all(isinstance(value, str | int) for value in each.params.values())


CORPUS = os.environ.get("BANSHI_CORPUS")


@pytest.mark.skipif(not CORPUS, reason="no folder of foreign models is named")
def test_foreign_models_do_not_make_it_fail() -> None:
    count = 0
    for file in sorted(Path(CORPUS or "").rglob("*")):
        if file.suffix in (".bpmn", ".xml"):
            try:
                root = etree.parse(file).getroot()
            except (etree.XMLSyntaxError, OSError):
                continue
            check_rules({file.name: root})
            count += 1
    assert count
