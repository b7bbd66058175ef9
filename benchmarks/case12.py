"""The twelve-activity case of the benchmarks: its diagram, its package, and how it is played."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

TASKS = ("accept", "review_a", "review_b", "approve")
"""The four tasks of a person, in the order in which they are finished."""

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="t">'
    '<bpmn:process id="case12" isExecutable="true">'
)
_FLOWS = (
    ("start", "register"),
    ("register", "rule"),
    ("rule", "accept"),
    ("accept", "urgent"),
    ("urgent", "lookup"),
    ("urgent", "merged"),
    ("lookup", "merged"),
    ("merged", "split"),
    ("split", "review_a"),
    ("split", "review_b"),
    ("review_a", "join"),
    ("review_b", "join"),
    ("join", "compute"),
    ("compute", "approve"),
    ("approve", "notify"),
    ("notify", "end"),
    ("late", "escalate"),
    ("escalate", "escalated"),
)


def diagram(settings: bool = True, *, decision: bool = False) -> str:
    """The process as BPMN; without `settings` it is one that stock SpiffWorkflow runs.

    With `decision` the rule is the decision table of `table`, not a script.
    """

    def script(id_: str, source: str) -> str:
        return f'<bpmn:scriptTask id="{id_}"><bpmn:script>{source}</bpmn:script></bpmn:scriptTask>'

    def person(id_: str) -> str:
        values = {"audience": "applicant", "form": "review", "saves_as": id_}
        rows = "".join(
            f"<spiffworkflow:property name={quoteattr(name)} value={quoteattr(value)}/>"
            for name, value in values.items()
        )
        inner = (
            "<bpmn:extensionElements><spiffworkflow:properties>"
            f"{rows}</spiffworkflow:properties></bpmn:extensionElements>"
        )
        return f'<bpmn:userTask id="{id_}">{inner if settings else ""}</bpmn:userTask>'

    duration = "PT72H" if settings else '"PT72H"'
    amount = "application['amount']" if settings else "amount"
    rule = script("rule", f"kind = 'high' if {amount} > 500 else 'low'")
    if decision:
        rule = (
            '<bpmn:businessRuleTask id="rule"><bpmn:extensionElements>'
            "<spiffworkflow:calledDecisionId>kind</spiffworkflow:calledDecisionId>"
            "</bpmn:extensionElements></bpmn:businessRuleTask>"
        )
    nodes = [
        '<bpmn:startEvent id="start"/>',
        script("register", "level = 1"),
        rule,
        person("accept"),
        '<bpmn:boundaryEvent id="late" attachedToRef="accept" cancelActivity="false">'
        "<bpmn:timerEventDefinition><bpmn:timeDuration "
        f'xsi:type="bpmn:tFormalExpression">{duration}'
        "</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>",
        script("escalate", "escalated = True"),
        '<bpmn:endEvent id="escalated"/>',
        '<bpmn:exclusiveGateway id="urgent" default="urgent_merged"/>',
        script("lookup", "found = level + 1"),
        '<bpmn:exclusiveGateway id="merged"/>',
        '<bpmn:parallelGateway id="split"/>',
        person("review_a"),
        person("review_b"),
        '<bpmn:parallelGateway id="join"/>',
        script("compute", f"total = {amount} * level"),
        person("approve"),
        script("notify", "notified = True"),
        '<bpmn:endEvent id="end"/>',
    ]
    flows = []
    for source, target in _FLOWS:
        inner = ""
        if (source, target) == ("urgent", "lookup"):
            inner = (
                '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">'
                "accept['urgent']</bpmn:conditionExpression>"
            )
        flows.append(
            f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" '
            f'targetRef="{target}">{inner}</bpmn:sequenceFlow>'
        )
    return f"{_HEAD}{''.join(nodes + flows)}</bpmn:process></bpmn:definitions>"


def table(settings: bool = True) -> str:
    """The decision table of the case's rule."""
    amount = "application.amount" if settings else "amount"
    rows = "".join(
        f'<rule id="{id_}"><inputEntry id="{id_}_in"><text>{cell}</text></inputEntry>'
        f'<outputEntry id="{id_}_out"><text>"{kind}"</text></outputEntry></rule>'
        for id_, cell, kind in (("more", "&gt; 500", "high"), ("less", "&lt;= 500", "low"))
    )
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" '
        'namespace="t"><decision id="kind" name="kind"><decisionTable id="t" hitPolicy="FIRST">'
        '<input id="i" label="amount"><inputExpression id="e" typeRef="integer">'
        f"<text>{amount}</text></inputExpression></input>"
        f'<output id="o" name="kind" typeRef="string"/>{rows}</decisionTable></decision>'
        "</definitions>"
    )


_START = {
    "amount": {"type": "integer"},
    "subject": {"type": "string", "maxLength": 200},
    "details": {"type": "string", "maxLength": 2000},
}
_REVIEW = {
    "urgent": {"type": "boolean"},
    "comment": {"type": "string", "maxLength": 2000},
}
_LABELS = sorted({node for flow in _FLOWS for node in flow})


def _form(properties: Mapping[str, Any]) -> bytes:
    texts = {"": "form"} | {name: name for name in properties}
    made = {
        "schema": {"type": "object", "properties": properties, "required": list(properties)},
        "ui": {},
        "text": {"zh-CN": texts, "en": texts},
    }
    return json.dumps(made).encode()


def package() -> dict[str, bytes]:
    """The files of the package that offers the process as service F001."""
    toml = """
[package]
key = "case12"
process = "case12"
reference_prefix = "BM"
title = { zh-CN = "基准", en = "Benchmark" }
[start]
saves_as = "application"
[[services]]
code = "F001"
form = "start"
[stages]
submitted = { zh-CN = "提交", en = "Submitted" }
accepted = { zh-CN = "受理", en = "Accepted" }
handling = { zh-CN = "办理", en = "In progress" }
decided = { zh-CN = "决定", en = "Decided" }
finished = { zh-CN = "办结", en = "Finished" }
[labels]
"""
    toml += "".join(f'{each} = {{ zh-CN = "{each}", en = "{each}" }}\n' for each in _LABELS)
    return {
        "package.toml": toml.encode(),
        "process.bpmn": diagram().encode(),
        "forms/start.json": _form(_START),
        "forms/review.json": _form(_REVIEW),
    }


def answers(number: int) -> Mapping[str, Any]:
    """What the applicant states in case `number`."""
    return {"amount": 100 + number % 900, "subject": f"matter {number}", "details": "x" * 200}


REVIEW = {"urgent": True, "comment": "in order"}
