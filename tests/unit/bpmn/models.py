"""Small diagrams for tests, written as a list of nodes and flows."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from engine.bpmn import read_process
from engine.domain.process import Finding, Process, Step

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="t">'
)


def settings(**values: str) -> str:
    rows = "".join(
        f'<spiffworkflow:property name="{name}" value={quoteattr(value)}/>'
        for name, value in values.items()
    )
    return (
        "<bpmn:extensionElements><spiffworkflow:properties>"
        f"{rows}</spiffworkflow:properties></bpmn:extensionElements>"
    )


def node(kind: str, id_: str, inner: str = "", **attributes: str) -> str:
    more = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<bpmn:{kind} id="{id_}"{more}>{inner}</bpmn:{kind}>'


def user_task(id_: str, **more: str) -> str:
    values = {"form": "f", "department": "FOI", "saves_as": id_} | more
    return node("userTask", id_, settings(**values))


def service_task(id_: str, **values: str) -> str:
    return node("serviceTask", id_, settings(**({"action": "recommend"} | values)))


def script_task(id_: str, script: str) -> str:
    return node("scriptTask", id_, f"<bpmn:script>{escape(script)}</bpmn:script>")


def decision_task(id_: str, decision: str) -> str:
    called = f"<spiffworkflow:calledDecisionId>{decision}</spiffworkflow:calledDecisionId>"
    return node(
        "businessRuleTask", id_, f"<bpmn:extensionElements>{called}</bpmn:extensionElements>"
    )


def timer_definition(text: str, kind: str = "timeDuration") -> str:
    return (
        f"<bpmn:timerEventDefinition><bpmn:{kind}>{escape(text)}</bpmn:{kind}>"
        "</bpmn:timerEventDefinition>"
    )


def timer(id_: str, attached: str, text: str, interrupting: bool = True) -> str:
    return node(
        "boundaryEvent",
        id_,
        timer_definition(text),
        attachedToRef=attached,
        cancelActivity=str(interrupting).lower(),
    )


def wait(id_: str, text: str) -> str:
    return node("intermediateCatchEvent", id_, timer_definition(text))


def gateway(id_: str, kind: str = "exclusive", **attributes: str) -> str:
    return node(f"{kind}Gateway", id_, **attributes)


def flow(source: str, target: str, condition: str | None = None, id_: str | None = None) -> str:
    inner = ""
    if condition:
        inner = f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>"
    name = id_ or f"{source}_{target}"
    return (
        f'<bpmn:sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">'
        f"{inner}</bpmn:sequenceFlow>"
    )


def path(*ids: str) -> str:
    return "".join(flow(a, b) for a, b in pairwise(ids))


START = '<bpmn:startEvent id="begin"/>'
END = '<bpmn:endEvent id="finish"/>'


def document(*parts: str, id_: str = "p", beside: str = "") -> bytes:
    body = "\n".join(parts)
    return (
        f'{HEAD}\n{beside}<bpmn:process id="{id_}" isExecutable="true">\n{body}\n'
        "</bpmn:process></bpmn:definitions>"
    ).encode()


def read(
    *parts: str, beside: str = "", files: Mapping[str, bytes] | None = None
) -> tuple[Process | None, list[Finding]]:
    main = document(*parts, beside=beside)
    return read_process({"process.bpmn": main, **(files or {})}, "p")


def process(*parts: str, beside: str = "", files: Mapping[str, bytes] | None = None) -> Process:
    made, findings = read(*parts, beside=beside, files=files)
    assert made is not None, [f for f in findings if f.severity == "error"]
    return made


def errors(*parts: str, beside: str = "", files: Mapping[str, bytes] | None = None) -> set[str]:
    made, findings = read(*parts, beside=beside, files=files)
    found = {finding.code for finding in findings if finding.severity == "error"}
    assert (made is None) == bool(found)
    return found


def opened(step: Step) -> list[str]:
    return sorted(task.element for task in step.tasks)


def waiting(step: Step) -> dict[str, str]:
    return {timer.element: timer.value for timer in step.timers}


def complete(made: Process, step: Step, element: str, **data: Any) -> Step:
    key = next(task.key for task in step.tasks if task.element == element)
    return made.complete(step.state, key, data)


def fire(made: Process, step: Step, element: str) -> Step:
    key = next(timer.key for timer in step.timers if timer.element == element)
    after = made.fire(step.state, key)
    assert after is not None
    return after


def actions(step: Step) -> list[tuple[str, str]]:
    return [(effect.element, effect.action) for effect in step.effects]
