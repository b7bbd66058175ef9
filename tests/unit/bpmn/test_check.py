"""What is refused at publish, and where it is said to be."""

from __future__ import annotations

import pytest

from engine.bpmn import read_process
from tests.unit.bpmn.models import (
    END,
    HEAD,
    START,
    decision_task,
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
    user_task,
    wait,
)

PLAIN = (START, user_task("check"), END, path("begin", "check", "finish"))
BILLION = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'


def around(*parts: str, to: str = "odd") -> tuple[str, ...]:
    """A process whose one node between start and end is `odd`."""
    return (START, *parts, END, path("begin", to, "finish"))


def test_a_plain_process_has_only_warnings() -> None:
    made, findings = read(*PLAIN)
    assert made is not None
    assert {finding.code for finding in findings} == set()


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
        assert {finding.code for finding in findings} <= expected | {"definitions_missing"}
        assert findings[0].file == name


def test_utf_16_is_read() -> None:
    text = document(*PLAIN).decode().replace("UTF-8", "UTF-16")
    made, _ = read_process({"process.bpmn": text.encode("utf-16")}, "p")
    assert made is not None


def test_no_files_at_all() -> None:
    assert [f.code for f in read_process({}, "p")[1]] == ["process_missing"]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((user_task("check"), END, path("check", "finish")), "start_event_missing"),
        (
            (START, node("startEvent", "b2"), *PLAIN[1:], flow("b2", "check")),
            "start_event_repeated",
        ),
        ((START, user_task("check"), flow("begin", "check")), "end_event_missing"),
        ((START, user_task("check"), END, flow("begin", "check")), "node_without_outgoing"),
        ((*PLAIN, flow("finish", "check")), "flow_after_end"),
        ((*PLAIN, flow("check", "nowhere")), "reference_unknown"),
        ((*PLAIN, user_task("check")), "id_repeated"),
        (around(user_task("odd", audience="public")), "setting_wrong"),
        (around(user_task("odd", role="king")), "setting_wrong"),
        (around(user_task("odd", priority="9")), "setting_wrong"),
        (around(user_task("odd", stage="somewhere")), "setting_wrong"),
        (around(service_task("odd", action="os.system")), "action_unknown"),
        (around(service_task("odd", action="clock.start")), "action_setting_missing"),
        (around(script_task("odd", "import os")), "expression_refused"),
        (around(user_task("odd", limit="=open('x')")), "expression_refused"),
        (around(decision_task("odd", "gone")), "decision_unknown"),
        (around(node("callActivity", "odd", calledElement="gone")), "call_target_unknown"),
        (around(node("callActivity", "odd", calledElement="p")), "call_recursive"),
        (around(wait("odd", "soon later")), "timer_unreadable"),
        (around(wait("odd", "P1X")), "timer_unreadable"),
        (around(wait("odd", "")), "timer_empty"),
        (around(wait("odd", "=__import__('os')")), "timer_unreadable"),
        (around(user_task("odd"), timer("late", "gone", "PT1H")), "reference_unknown"),
        (around(user_task("odd"), timer("late", "odd", "PT1H")), "node_without_outgoing"),
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
    assert wrong == {"condition_not_allowed"}
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
    _, findings = read(*PLAIN, user_task("island"), flow("island", "finish"))
    assert [f.element for f in findings if f.code == "element_unreachable"] == ["island"]


def test_an_unexecutable_or_huge_process_is_refused() -> None:
    off = document(*PLAIN).replace(b'isExecutable="true"', b'isExecutable="false"')
    assert "process_not_executable" in {f.code for f in read_process({"p.bpmn": off}, "p")[1]}
    many = [f"t{n}" for n in range(3_001)]
    parts = [START, *(service_task(name) for name in many), END, path("begin", *many, "finish")]
    assert "process_too_large" in errors(*parts)
    fewer = many[:1_500]
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
