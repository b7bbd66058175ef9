"""Small diagrams for tests, written as a list of nodes and flows."""

from __future__ import annotations

from engine.bpmn import read_process
from engine.domain.process import Finding, Process

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="t">'
)


def settings(**values: str) -> str:
    rows = "".join(
        f'<spiffworkflow:property name="{name}" value="{value}"/>'
        for name, value in values.items()
    )
    return (
        "<bpmn:extensionElements><spiffworkflow:properties>"
        f"{rows}</spiffworkflow:properties></bpmn:extensionElements>"
    )


def user_task(id_: str, **more: str) -> str:
    values = {"form": "f", "department": "FOI", "saves_as": id_} | more
    return f'<bpmn:userTask id="{id_}">{settings(**values)}</bpmn:userTask>'


def service_task(id_: str, **values: str) -> str:
    return f'<bpmn:serviceTask id="{id_}">{settings(**values)}</bpmn:serviceTask>'


def timer(id_: str, attached: str, text: str, interrupting: bool = True) -> str:
    return (
        f'<bpmn:boundaryEvent id="{id_}" attachedToRef="{attached}" '
        f'cancelActivity="{str(interrupting).lower()}"><bpmn:timerEventDefinition>'
        f"<bpmn:timeDuration>{text}</bpmn:timeDuration></bpmn:timerEventDefinition>"
        "</bpmn:boundaryEvent>"
    )


def flow(source: str, target: str, condition: str | None = None, id_: str | None = None) -> str:
    inner = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
    name = id_ or f"{source}_{target}"
    return (
        f'<bpmn:sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">'
        f"{inner}</bpmn:sequenceFlow>"
    )


def path(*ids: str) -> str:
    return "".join(flow(a, b) for a, b in zip(ids, ids[1:], strict=False))


START = '<bpmn:startEvent id="begin"/>'
END = '<bpmn:endEvent id="finish"/>'


def document(*parts: str) -> bytes:
    body = "".join(parts)
    return f'{HEAD}\n<bpmn:process id="p" isExecutable="true">\n{body}</bpmn:process></bpmn:definitions>'.encode()


def read(*parts: str, **files: bytes) -> tuple[Process | None, list[Finding]]:
    return read_process({"process.bpmn": document(*parts), **files}, "p")


def process(*parts: str, **files: bytes) -> Process:
    made, findings = read(*parts, **files)
    assert made is not None, [f for f in findings if f.severity == "error"]
    return made


def errors(*parts: str, **files: bytes) -> set[str]:
    _, findings = read(*parts, **files)
    return {finding.code for finding in findings if finding.severity == "error"}
