"""What a BPMN file says, read from its XML: names, namespaces, settings, lanes, event texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.bpmn.documents import local_name

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"

TASKS = frozenset(
    {"userTask", "manualTask", "sendTask", "serviceTask", "scriptTask", "businessRuleTask", "task"}
)
GATEWAYS = frozenset(
    {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
)
CONDITIONAL = frozenset({"exclusiveGateway", "inclusiveGateway"})
EVENTS = frozenset(
    {
        "startEvent",
        "endEvent",
        "boundaryEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
    }
)
SCOPES = frozenset({"subProcess", "callActivity"})
FLOW_NODES = TASKS | SCOPES | GATEWAYS | EVENTS

TIMER, ERROR, TERMINATE = (
    "timerEventDefinition",
    "errorEventDefinition",
    "terminateEventDefinition",
)


def is_bpmn(node: etree._Element) -> bool:
    return isinstance(node.tag, str) and etree.QName(node).namespace == BPMN


def tag(name: str) -> str:
    """The full XML name of a BPMN element."""
    return f"{{{BPMN}}}{name}"


def processes_in(roots: Mapping[str, etree._Element]) -> Iterator[tuple[str, etree._Element]]:
    """The file and element of each process."""
    for file, root in roots.items():
        for process in root.iterfind(f".//{tag('process')}"):
            yield file, process


def definitions(node: etree._Element) -> list[str]:
    """The kinds of event definition of an event, e.g. ``["timerEventDefinition"]``."""
    return [local_name(child) for child in node if local_name(child).endswith("EventDefinition")]


def condition(flow: etree._Element) -> str | None:
    """The condition of a sequence flow, or None."""
    node = flow.find(tag("conditionExpression"))
    return None if node is None else (node.text or "").strip() or None


def timer_text(node: etree._Element) -> str | None:
    """The text of the event's date or duration; None for a cycle or none at all."""
    for name in ("timeDuration", "timeDate"):
        found = node.find(f".//{tag(name)}")
        if found is not None:
            return (found.text or "").strip()
    return None


def error_reference(node: etree._Element) -> str | None:
    """The id of the error an error event throws or catches; None means any."""
    found = node.find(tag(ERROR))
    return None if found is None else found.get("errorRef")


def error_code(node: etree._Element) -> str | None:
    """The code of the error an event throws or catches; None means any error."""
    reference = error_reference(node)
    if reference is None:
        return None
    for error in node.getroottree().getroot().iter(tag("error")):
        if error.get("id") == reference:
            return error.get("errorCode") or reference
    return reference


def is_interrupting(node: etree._Element) -> bool:
    return str(node.get("cancelActivity", "true")).lower() == "true"


def called_decision(node: etree._Element) -> str:
    """The id of the decision a business rule task calls."""
    found = node.find(f".//{{{SPIFF}}}calledDecisionId")
    return (found.text or "").strip() if found is not None else ""


def script_text(node: etree._Element) -> str:
    return node.findtext(tag("script")) or ""


def settings(node: etree._Element) -> dict[str, str]:
    """The settings of an element, by name."""
    path = f"{tag('extensionElements')}/{{{SPIFF}}}properties/{{{SPIFF}}}property"
    return {each.get("name", ""): each.get("value", "").strip() for each in node.iterfind(path)}


def lanes(root: etree._Element) -> dict[str, str]:
    """The name of the lane of each element that has one."""
    found = {}
    for reference in root.iter(tag("flowNodeRef")):
        lane = reference.getparent()
        if lane is not None and reference.text:
            found[reference.text.strip()] = lane.get("name") or ""
    return found
