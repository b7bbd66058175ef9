"""What is refused at publish, and where it is said to be."""

from __future__ import annotations

import pytest

from engine.bpmn import read_process
from tests.unit.bpmn.models import (
    END,
    HEAD,
    START,
    document,
    errors,
    flow,
    gateway,
    node,
    path,
    read,
    script_task,
    service_task,
    timer,
    timer_definition,
    user_task,
    wait,
)
from tests.unit.bpmn.models import settings as of

PLAIN = (START, user_task("check"), END, path("begin", "check", "finish"))
BILLION = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'


def around(*parts: str, to: str = "odd") -> tuple[str, ...]:
    """A process whose one node between start and end is `odd`."""
    return (START, *parts, END, path("begin", to, "finish"))


def test_a_plain_process_has_only_warnings() -> None:
    made, findings = read(*PLAIN)
    assert made is not None
    assert {finding.code for finding in findings} == {"shape_missing"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "xml_unreadable"),
        (b"<a>", "xml_unreadable"),
        (b"\xff\xfe\x00", "xml_unreadable"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "xml_unreadable"),
        (BILLION, "doctype_refused"),
        (BILLION.decode().encode("utf-16"), "doctype_refused"),
        (b"<a>" + b"<b/>" * 20_001 + b"</a>", "xml_too_large"),
        (b"<a>" + b" " * 2_000_001 + b"</a>", "xml_too_large"),
        (b"<b>" * 70 + b"</b>" * 70, "xml_too_deep"),
        (b"<a/>", "process_missing"),
    ],
)
def test_documents_that_are_not_a_process(content: bytes, code: str) -> None:
    for name in ("process.bpmn", "other.dmn"):
        made, findings = read_process({name: content}, "p")
        assert made is None
        expected = {code, "process_missing", "decision_table_unreadable"}
        assert {finding.code for finding in findings} <= expected
        assert findings[0].file == name


def test_utf_16_is_read() -> None:
    text = document(*PLAIN).decode().replace("UTF-8", "UTF-16")
    made, _ = read_process({"process.bpmn": text.encode("utf-16")}, "p")
    assert made is not None


def test_no_files_at_all() -> None:
    assert [f.code for f in read_process({}, "p")[1]] == ["process_missing"]


SIGNAL = '<bpmn:signalEventDefinition signalRef="s"/>'
UNSUPPORTED = [
    node("endEvent", "odd2", SIGNAL) + service_task("odd") + flow("odd", "odd2"),
    node("intermediateThrowEvent", "odd", '<bpmn:linkEventDefinition name="l"/>'),
    node("intermediateThrowEvent", "odd", "<bpmn:messageEventDefinition/>"),
    node("intermediateThrowEvent", "odd", "<bpmn:compensateEventDefinition/>"),
    node("intermediateCatchEvent", "odd", "<bpmn:conditionalEventDefinition/>"),
    node("intermediateCatchEvent", "odd", "<bpmn:messageEventDefinition/>"),
    node("intermediateCatchEvent", "odd", SIGNAL),
    node("intermediateCatchEvent", "odd"),
    node("intermediateCatchEvent", "odd", timer_definition("PT1H") + SIGNAL),
    node("receiveTask", "odd"),
    node("complexGateway", "odd"),
    node("transaction", "odd"),
    node("adHocSubProcess", "odd"),
    node("serviceTask", "odd", of(action="recommend"), isForCompensation="true"),
    user_task("odd").replace("</bpmn:u", "<bpmn:multiInstanceLoopCharacteristics/></bpmn:u"),
    user_task("odd").replace("</bpmn:u", "<bpmn:standardLoopCharacteristics/></bpmn:u"),
    user_task("odd").replace("</bpmn:u", "<bpmn:ioSpecification/></bpmn:u"),
    user_task("odd").replace("</bpmn:u", "<bpmn:dataInputAssociation/></bpmn:u"),
    service_task("odd") + timer("edge", "odd", "PT1H") + flow("edge", "finish"),
    user_task("odd")
    + node("boundaryEvent", "edge", SIGNAL, attachedToRef="odd")
    + flow("edge", "finish"),
    user_task("odd")
    + node("boundaryEvent", "edge", "<bpmn:errorEventDefinition/>", attachedToRef="odd")
    + flow("edge", "finish"),
    service_task("odd") + node("dataObject", "data"),
    service_task("odd")
    + node("subProcess", "ev", node("startEvent", "b2"), triggeredByEvent="true"),
]  # fmt: skip


@pytest.mark.parametrize("odd", UNSUPPORTED)
def test_what_would_be_run_wrongly_is_refused(odd: str) -> None:
    assert "element_unsupported" in errors(*around(odd))


def test_a_start_with_a_message_or_a_timer_is_refused() -> None:
    for inner in ("<bpmn:messageEventDefinition/>", timer_definition("PT1H"), SIGNAL):
        start = node("startEvent", "begin", inner)
        assert errors(start, *PLAIN[1:]) == {"element_unsupported"}


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((user_task("check"), END, path("check", "finish")), "start_event_count"),
        ((START, node("startEvent", "b2"), *PLAIN[1:], flow("b2", "check")), "start_event_count"),
        ((START, user_task("check"), flow("begin", "check")), "no_end_event"),
        ((START, user_task("check"), END, flow("begin", "check")), "path_without_end"),
        ((*PLAIN, flow("finish", "check")), "flow_after_end"),
        ((*PLAIN, flow("check", "nowhere")), "reference_unknown"),
        ((*PLAIN, user_task("check")), "id_repeated"),
        (around(user_task("End"), to="End"), "id_reserved"),
        ((*PLAIN, flow("check", "finish", id_="again")), "flow_repeated"),
        (around(user_task("odd", form="")), "user_task_without_form"),
        (around(user_task("odd", department="")), "staff_task_without_department"),
        (around(node("manualTask", "odd")), "staff_task_without_department"),
        (around(user_task("odd", audience="public")), "setting_wrong"),
        (around(user_task("odd", role="king")), "setting_wrong"),
        (around(user_task("odd", priority="9")), "setting_wrong"),
        (around(user_task("odd", stage="somewhere")), "setting_wrong"),
        (around(node("sendTask", "odd")), "action_setting_missing"),
        (around(service_task("odd", action="os.system")), "action_unknown"),
        (around(service_task("odd", action="clock.start")), "action_setting_missing"),
        (around(service_task("odd", action="clock.stop", clock="moon")), "setting_wrong"),
        (around(node("scriptTask", "odd")), "script_missing"),
        (around(script_task("odd", "import os")), "expression_refused"),
        (around(user_task("odd", limit="=open('x')")), "expression_refused"),
        (around(node("businessRuleTask", "odd")), "decision_unknown"),
        (around(node("callActivity", "odd", calledElement="gone")), "reference_unknown"),
        (around(node("callActivity", "odd", calledElement="p")), "call_recursive"),
        (around(wait("odd", "soon")), "timer_unreadable"),
        (around(wait("odd", "P1Y")), "timer_unreadable"),
        (around(wait("odd", "")), "timer_unreadable"),
        (around(wait("odd", "=__import__('os')")), "timer_unreadable"),
        (
            around(node("intermediateCatchEvent", "odd", timer_definition("R/PT1H", "timeCycle"))),
            "timer_unreadable",
        ),
        (around(user_task("odd"), timer("late", "gone", "PT1H")), "reference_unknown"),
        (around(user_task("odd"), timer("late", "odd", "PT1H")), "path_without_end"),
        (
            (*PLAIN, gateway("either", "eventBased"), path("begin", "either", "check")),
            "event_gateway_target",
        ),
        (
            (
                *around(service_task("odd")),
                node("endEvent", "bad", "<bpmn:errorEventDefinition/>"),
                flow("odd", "bad"),
            ),
            "error_not_caught",
        ),
    ],
)  # fmt: skip
def test_mistakes(parts: tuple[str, ...], code: str) -> None:
    assert code in errors(*parts)


def test_conditions() -> None:
    def fork(kind: str, *flows: str, **attributes: str) -> set[str]:
        return errors(
            START, gateway("which", kind, **attributes), service_task("a"), service_task("b"), END,
            flow("begin", "which"), *flows, path("a", "finish"), path("b", "finish"),
        )  # fmt: skip

    assert fork("exclusive", flow("which", "a", "x"), flow("which", "b", "y")) == set()
    assert fork("exclusive", flow("which", "a"), flow("which", "b")) == {"flow_without_condition"}
    refused = fork("exclusive", flow("which", "a", "exec('x')"), flow("which", "b", "y"))
    assert refused == {"expression_refused"}
    wrong = fork("parallel", flow("which", "a", "x"), flow("which", "b"))
    assert wrong == {"condition_not_at_gateway"}
    unknown = fork("exclusive", flow("which", "a", "x"), flow("which", "b", "y"), default="gone")
    assert unknown == {"reference_unknown"}


def test_a_finding_names_file_element_line_and_fragment() -> None:
    made, findings = read(
        START, user_task("check"), user_task("odd", limit="=x.__class__"), END,
        path("begin", "check", "odd", "finish"),
    )  # fmt: skip
    assert made is None
    (found,) = [finding for finding in findings if finding.severity == "error"]
    assert (found.code, found.file, found.element) == ("expression_refused", "process.bpmn", "odd")
    assert found.params == {"reason": "__class__"}
    lines = document(START, user_task("check"), user_task("odd", limit="=x")).decode().split("\n")
    assert 'id="odd"' in lines[(found.line or 0) - 1]


def test_what_cannot_be_reached_is_a_warning() -> None:
    made, findings = read(*PLAIN, user_task("island"), flow("island", "finish"))
    assert made is not None
    assert [f.element for f in findings if f.code == "element_unreachable"] == ["island"]


def test_an_unexecutable_or_huge_process_is_refused() -> None:
    off = document(*PLAIN).replace(b'isExecutable="true"', b'isExecutable="false"')
    assert "process_not_executable" in {f.code for f in read_process({"p.bpmn": off}, "p")[1]}
    many = [f"t{n}" for n in range(400)]
    parts = [START, *(service_task(name) for name in many), END, path("begin", *many, "finish")]
    assert "process_too_large" in errors(*parts)
    fewer = many[:290]
    parts = [START, *(service_task(name) for name in fewer), END, path("begin", *fewer, "finish")]
    made, _ = read(*parts)
    assert made is not None
    assert made.start({}).finished


def test_two_files_may_not_share_an_id_and_calls_may_not_go_round() -> None:
    other = document(
        node("startEvent", "b2"), node("callActivity", "back", calledElement="p"),
        node("endEvent", "e2"), path("b2", "back", "e2"), id_="q",
    )  # fmt: skip
    call = node("callActivity", "odd", calledElement="q")
    assert "call_recursive" in errors(*around(call), files={"other.bpmn": other})
    same = document(*PLAIN, id_="q")
    assert "id_repeated" in errors(*PLAIN, files={"other.bpmn": same})


def test_a_process_without_drawing_or_with_extensions_of_other_tools_is_read() -> None:
    text = document(*PLAIN).decode().replace(
        "</bpmn:userTask>", '<zeebe:x xmlns:zeebe="z"/></bpmn:userTask>'
    )  # fmt: skip
    assert read_process({"process.bpmn": text.encode()}, "p")[0] is not None
    assert HEAD in text
