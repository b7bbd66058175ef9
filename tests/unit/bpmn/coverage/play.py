"""Running small models for the coverage tests."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from engine.bpmn import Package, deploy_report
from engine.simulation import Outcome, read_answers, simulate
from tests.unit.bpmn.models import HEAD

DEFINITIONS = """
<bpmn:message id="m1" name="hello"/><bpmn:message id="m2" name="bye"/>
<bpmn:signal id="signal_s1" name="alarm"/><bpmn:error id="error_e1" errorCode="E1"/>
<bpmn:error id="error_e2" errorCode="E2"/>
<bpmn:escalation id="escalation_x1" escalationCode="X1"/>
"""


def package(body: str, beside: str = "", executable: bool = True) -> Package:
    """One process ``p`` of `body`; `beside` are further processes and definitions."""
    text = (
        f'{HEAD}{DEFINITIONS}<bpmn:process id="p" isExecutable="{str(executable).lower()}">'
        f"{body}</bpmn:process>{beside}</bpmn:definitions>"
    )
    report, made = deploy_report({"p.bpmn": text.encode()})
    assert made.can_run(), [f for f in report.findings if f.severity == "error"]
    return made


def codes(body: str, beside: str = "") -> set[str]:
    """The codes of what refuses the model."""
    text = f'{HEAD}{DEFINITIONS}<bpmn:process id="p" isExecutable="true">{body}</bpmn:process>'
    report, _ = deploy_report({"p.bpmn": f"{text}{beside}</bpmn:definitions>".encode()})
    return {f.code for f in report.findings if f.severity == "error"}


def play(body: str, beside: str = "", max_steps: int = 500, **answers: Any) -> Outcome:
    """What comes of the process ``p``; `answers` as in an answers file."""
    return simulate(package(body, beside), "p", read_answers(answers), max_steps=max_steps)


def done(outcome: Outcome, *only: str) -> list[str]:
    """The elements completed, in order; of `only` if given."""
    found = [e.element for e in outcome.trace if e.event == "completed"]
    return [each for each in found if not only or each in only]


def happened(outcome: Outcome, event: str) -> list[str]:
    return [e.element for e in outcome.trace if e.event == event]


def message(ref: str = "m1") -> str:
    return f'<bpmn:messageEventDefinition messageRef="{ref}"/>'


def signal(ref: str = "s1") -> str:
    return f'<bpmn:signalEventDefinition signalRef="signal_{ref}"/>'


def error(ref: str | None = "e1") -> str:
    return (
        f'<bpmn:errorEventDefinition errorRef="error_{ref}"/>'
        if ref
        else "<bpmn:errorEventDefinition/>"
    )


def escalation(ref: str | None = "x1") -> str:
    inner = f' escalationRef="escalation_{ref}"' if ref else ""
    return f"<bpmn:escalationEventDefinition{inner}/>"


def conditional(text: str) -> str:
    return (
        f"<bpmn:conditionalEventDefinition><bpmn:condition>{text}</bpmn:condition>"
        "</bpmn:conditionalEventDefinition>"
    )


def timer(text: str = "PT1H", kind: str = "timeDuration") -> str:
    return (
        f"<bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}></bpmn:timerEventDefinition>"
    )


def compensate(ref: str | None = None) -> str:
    inner = f' activityRef="{ref}"' if ref else ""
    return f"<bpmn:compensateEventDefinition{inner}/>"


TERMINATE = "<bpmn:terminateEventDefinition/>"
CANCEL = "<bpmn:cancelEventDefinition/>"


def start(id_: str = "begin", inner: str = "", **more: str) -> str:
    return _node("startEvent", id_, inner, more)


def end(id_: str = "finish", inner: str = "") -> str:
    return _node("endEvent", id_, inner, {})


def catch(id_: str, inner: str, **more: str) -> str:
    return _node("intermediateCatchEvent", id_, inner, more)


def throw(id_: str, inner: str = "") -> str:
    return _node("intermediateThrowEvent", id_, inner, {})


def boundary(id_: str, host: str, inner: str, interrupting: bool = True) -> str:
    more = {"attachedToRef": host, "cancelActivity": str(interrupting).lower()}
    return _node("boundaryEvent", id_, inner, more)


def user(id_: str, inner: str = "", **more: str) -> str:
    return _node("userTask", id_, inner, more)


def task(id_: str, inner: str = "", **more: str) -> str:
    return _node("task", id_, inner, more)


def script(id_: str, text: str, inner: str = "", **more: str) -> str:
    return _node("scriptTask", id_, f"{inner}<bpmn:script>{text}</bpmn:script>", more)


def sub(id_: str, inner: str, kind: str = "subProcess", **more: str) -> str:
    return _node(kind, id_, inner, more)


def event_sub(id_: str, start_inner: str, inner: str, interrupting: bool = True) -> str:
    """An event subprocess: its start event is ``<id>_start``."""
    begin = start(f"{id_}_start", start_inner, isInterrupting=str(interrupting).lower())
    return sub(id_, begin + inner, triggeredByEvent="true")


def _node(kind: str, id_: str, inner: str, more: dict[str, str]) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<bpmn:{kind} id="{id_}"{attributes}>{inner}</bpmn:{kind}>'


def straight(*parts: str) -> str:
    """Nodes in a row, joined by flows."""
    ids = [part.split('id="', 1)[1].split('"', 1)[0] for part in parts]
    flows = "".join(
        f'<bpmn:sequenceFlow id="{a}_to_{b}" sourceRef="{a}" targetRef="{b}"/>'
        for a, b in pairwise(ids)
    )
    return "".join(parts) + flows


def to(source: str, target: str, condition: str = "") -> str:
    inner = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
    return (
        f'<bpmn:sequenceFlow id="{source}_to_{target}" sourceRef="{source}" targetRef="{target}">'
        f"{inner}</bpmn:sequenceFlow>"
    )


def undoes(event: str, handler: str) -> str:
    return (
        f'<bpmn:association id="{event}~{handler}" associationDirection="One" '
        f'sourceRef="{event}" targetRef="{handler}"/>'
    )
