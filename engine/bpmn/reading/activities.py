"""What the dialects say about activities: mappings, rounds, calls, jobs, scripts."""

from __future__ import annotations

from typing import Any

from lxml import etree

from engine.bpmn.languages import Expression, read_expression
from engine.bpmn.model import Assignment
from engine.bpmn.reading.data import read_inputs, read_outputs
from engine.bpmn.reading.events import message_event
from engine.bpmn.reading.loops import read_loop
from engine.bpmn.reading.names import (
    SPIFF,
    ZEEBE,
    camunda,
    camunda_elements,
    extension,
    extensions,
    is_true,
    local,
    tag,
    text_of,
)
from engine.bpmn.reading.settings import connector_of
from engine.bpmn.reading.source import Source
from engine.domain.connector import MOST_TRIES, TOPIC

MAX_QUANTITY = 100
TRIES = 3


def read_activity(source: Source, node: etree._Element, kind: str) -> dict[str, Any]:
    """The fields of `Node` that only activities have."""
    fields: dict[str, Any] = {
        "loop": read_loop(source, node),
        "inputs": tuple(read_inputs(source, node)),
        "outputs": tuple(read_outputs(source, node)),
        "for_compensation": is_true(node.get("isForCompensation")),
        "start_quantity": _quantity(node, "startQuantity"),
        "completion_quantity": _quantity(node, "completionQuantity"),
        "before": _hook(source, node, "preScript"),
        "after": _hook(source, node, "postScript"),
    }
    reader = _READERS.get(kind)
    if reader is not None:
        fields |= reader(source, node)
    _warn_of_listeners(source, node)
    return fields


def _quantity(node: etree._Element, name: str) -> int:
    text = (node.get(name) or "1").strip()
    return min(int(text), MAX_QUANTITY) if text.isdigit() and int(text) else 1


def _hook(source: Source, node: etree._Element, name: str) -> Expression | None:
    found = extension(node, SPIFF, name)
    return None if found is None else source.script(node, found.text)


def _warn_of_listeners(source: Source, node: etree._Element) -> None:
    for name in ("executionListener", "taskListener"):
        if camunda_elements(node, name):
            source.warn("listener_ignored", node)
            return


def _script(source: Source, node: etree._Element) -> dict[str, Any]:
    zeebe = extension(node, ZEEBE, "script")
    if zeebe is not None:
        return {
            "script": source.expression(node, zeebe.get("expression")),
            "result": zeebe.get("resultVariable"),
        }
    if camunda(node, "resource"):
        source.unsupported(node, "camunda:resource")
    text = text_of(node.find(tag("script")))
    if not text and extension(node, ZEEBE, "taskDefinition") is None:
        source.warn("script_missing", node)
    return {
        "script": source.script(node, node.findtext(tag("script")), node.get("scriptFormat")),
        "result": camunda(node, "resultVariable"),
        **_topic(source, node),
    }


def _job(source: Source, node: etree._Element) -> dict[str, Any]:
    if (connector := connector_of(node)) is not None:
        name, tries = connector
        return {"topic": f"{TOPIC}{name}", "retries": _tries(tries)}
    fields = _topic(source, node)
    result = camunda(node, "resultVariable")
    text = camunda(node, "expression")
    if text and not fields:
        try:
            fields = {"value": read_expression(text), "result": result}
        except ValueError:
            source.warn("service_as_job", node, topic=text[:60])
            fields = {"topic": text}
    return fields


def _topic(source: Source, node: etree._Element) -> dict[str, Any]:
    """The topic of the job a task hands out, and how often it is tried."""
    zeebe = extension(node, ZEEBE, "taskDefinition")
    if zeebe is not None:
        retries = (zeebe.get("retries") or "3").strip()
        return {
            "topic": source.text_or_expression(node, zeebe.get("type")) or "",
            "retries": int(retries) if retries.isdigit() else 3,
        }
    operator = extension(node, SPIFF, "serviceTaskOperator")
    if operator is not None:
        return {
            "topic": operator.get("id") or "",
            "result": operator.get("resultVariable") or None,
        }
    implementation = [
        camunda(node, "topic") if camunda(node, "type") == "external" else None,
        camunda(node, "class"),
        camunda(node, "delegateExpression"),
    ]
    named = next((each for each in implementation if each), None)
    if named is None:
        if camunda(node, "type") is None:
            return {}
        named = camunda(node, "type") or ""
    if camunda(node, "type") != "external":
        source.warn("service_as_job", node, topic=named[:60])
        return {"topic": named, "retries": _retries(node)}
    return {"topic": source.text_or_expression(node, named), "retries": _retries(node)}


def _tries(text: str) -> int:
    return min(max(int(text), 1), MOST_TRIES) if text.isdigit() else TRIES


def _retries(node: etree._Element) -> int:
    for each in camunda_elements(node, "failedJobRetryTimeCycle"):
        count = text_of(each).partition("/")[0].lstrip("R")
        if count.isdigit():
            return int(count)
    return 3


def _send(source: Source, node: etree._Element) -> dict[str, Any]:
    fields = _job(source, node)
    if not fields and (node.get("messageRef")):
        fields["events"] = (message_event(source, node),)
    return fields


def _receive(source: Source, node: etree._Element) -> dict[str, Any]:
    return {"events": (message_event(source, node),)}


def _decision(source: Source, node: etree._Element) -> dict[str, Any]:
    spiff = extension(node, SPIFF, "calledDecisionId")
    zeebe = extension(node, ZEEBE, "calledDecision")
    named: str | None
    result: str | None
    if spiff is not None:
        named = result = text_of(spiff)
    elif zeebe is not None:
        named, result = zeebe.get("decisionId"), zeebe.get("resultVariable")
    else:
        named, result = camunda(node, "decisionRef"), camunda(node, "resultVariable")
    if not named:
        fields = _job(source, node)
        if not fields:
            source.warn("decision_not_named", node)
        return fields
    if named not in source.decisions:
        source.wrong("decision_unknown", node, {"decision": named})
        return {}
    return {"decision": named, "result": result}


def _call(source: Source, node: etree._Element) -> dict[str, Any]:
    zeebe = extension(node, ZEEBE, "calledElement")
    text = local(node.get("calledElement"))
    if zeebe is not None:
        text = zeebe.get("processId")
    if camunda(node, "caseRef") or camunda(node, "variableMappingClass"):
        source.unsupported(node, "camunda:caseRef")
    if not text:
        source.wrong("call_target_missing", node)
        return {}
    called = source.text_or_expression(node, node.get("calledElement") if "{" in text else text)
    if isinstance(called, str) and called not in source.processes:
        source.wrong("call_target_unknown", node, {"reference": called})
    inputs, outputs, shares = _in_and_out(source, node)
    fields: dict[str, Any] = {"called": called, "shares_all": shares}
    if zeebe is not None:
        fields["shares_all"] = is_true(zeebe.get("propagateAllParentVariables"), True)
        if not is_true(zeebe.get("propagateAllChildVariables"), True) and not extensions(
            node, ZEEBE, "ioMapping"
        ):
            fields["shares_all"] = False
    if inputs:
        fields["inputs"] = tuple(inputs)
    if outputs:
        fields["outputs"] = tuple(outputs)
    return fields


def _in_and_out(
    source: Source, node: etree._Element
) -> tuple[list[Assignment], list[Assignment], bool]:
    made: dict[str, list[Assignment]] = {"in": [], "out": []}
    mapped, shares = False, True
    for direction, into in made.items():
        for each in camunda_elements(node, direction):
            if each.get("businessKey"):
                continue
            mapped = True
            if each.get("variables") == "all":
                shares = True
                continue
            shares = False
            text = each.get("source") or each.get("sourceExpression")
            read = source.expression(node, text)
            if read is not None and each.get("target"):
                into.append(Assignment(each.get("target") or "", read))
    return made["in"], made["out"], shares if mapped else True


_READERS = {
    "scriptTask": _script,
    "serviceTask": _job,
    "sendTask": _send,
    "receiveTask": _receive,
    "businessRuleTask": _decision,
    "callActivity": _call,
}
