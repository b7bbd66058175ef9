"""Flow nodes: what the model says of each, and what is refused because it would not be run so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lxml import etree

from engine.bpmn.documents import local_name
from engine.bpmn.languages import Expression
from engine.bpmn.model import ACTIVITIES, EVENTS, Flow, Node
from engine.bpmn.reading.activities import read_activity
from engine.bpmn.reading.events import read_events
from engine.bpmn.reading.names import is_true, local, tag, text_of
from engine.bpmn.reading.source import Source


def read_flows(source: Source, scope: etree._Element) -> list[Flow]:
    """The sequence flows of a scope, in file order."""
    flows = []
    for each in scope.findall(tag("sequenceFlow")):
        condition = each.find(tag("conditionExpression"))
        language = None if condition is None else condition.get("language")
        text = None if condition is None else text_of(condition)
        if condition is not None and not text and len(condition.attrib) <= 1:
            text = None
        read = source.expression(each, text, language)
        flows.append(
            Flow(
                each.get("id") or f"{each.get('sourceRef')}->{each.get('targetRef')}",
                local(each.get("sourceRef")) or "",
                local(each.get("targetRef")) or "",
                read,
            )
        )
    return flows


def read_node(source: Source, node: etree._Element, scope: str) -> Node:
    """The node without its flows and neighbours."""
    kind = local_name(node)
    fields: dict[str, Any] = {}
    if kind in EVENTS:
        fields = _event_fields(source, node, kind)
    elif kind in ACTIVITIES:
        fields = read_activity(source, node, kind)
    if kind == "eventBasedGateway" and node.get("eventGatewayType") == "Parallel":
        source.unsupported(node, "eventGatewayType")
    if kind == "task" and not fields.get("topic"):
        fields.pop("topic", None)
    return Node(node.get("id") or "", kind, scope, default=local(node.get("default")), **fields)


def _event_fields(source: Source, node: etree._Element, kind: str) -> dict[str, Any]:
    events = read_events(source, node)
    interrupting = is_true(
        node.get("cancelActivity" if kind == "boundaryEvent" else "isInterrupting"), True
    )
    return {
        "events": events,
        "interrupting": interrupting,
        "parallel_multiple": is_true(node.get("parallelMultiple")),
        "attached_to": local(node.get("attachedToRef")),
    }


def link_flows(nodes: dict[str, Node]) -> list[Flow]:
    """A flow from each throwing link to the catching link of its name."""
    catching = {
        node.events[0].name: node
        for node in nodes.values()
        if node.kind == "intermediateCatchEvent" and node.is_catching("link")
    }
    made = []
    for node in nodes.values():
        if node.kind == "intermediateThrowEvent" and node.is_catching("link"):
            target = catching.get(node.events[0].name)
            if target is not None:
                made.append(Flow(f"{node.id}~{target.id}", node.id, target.id))
    return made


def join_up(source: Source, nodes: dict[str, Node], flows: list[Flow]) -> dict[str, Node]:
    """The nodes with their flows, boundary events and compensation handlers."""
    handlers = _handlers(source, nodes)
    leaving: dict[str, list[Flow]] = {}
    entering: dict[str, list[str]] = {}
    attached: dict[str, list[str]] = {}
    for flow in flows:
        leaving.setdefault(flow.source, []).append(flow)
        entering.setdefault(flow.target, []).append(flow.id)
    for node in nodes.values():
        if node.attached_to is not None:
            attached.setdefault(node.attached_to, []).append(node.id)
    made = {}
    for node in nodes.values():
        outgoing = tuple(leaving.get(node.id, ()))
        # A link leads on like a flow: nothing is thrown or caught.
        link = bool(node.events) and node.events[0].kind == "link"
        made[node.id] = replace(
            node,
            flows=outgoing,
            incoming=tuple(entering.get(node.id, ())),
            boundaries=tuple(attached.get(node.id, ())),
            handler=handlers.get(node.id),
            default=node.default if any(flow.id == node.default for flow in outgoing) else None,
            events=() if link else node.events,
            kind="intermediateThrowEvent" if link else node.kind,
        )
    return made


def _handlers(source: Source, nodes: dict[str, Node]) -> dict[str, str]:
    """The activity that compensates each activity: boundary event, association, handler."""
    leads: dict[str, list[str]] = {}
    for element in source.root.iter(tag("association")):
        start, end = local(element.get("sourceRef")), local(element.get("targetRef"))
        if start and end:
            leads.setdefault(start, []).append(end)
            leads.setdefault(end, []).append(start)
    found = {}
    for node in nodes.values():
        if node.kind == "boundaryEvent" and node.is_catching("compensation"):
            for other in leads.get(node.id, []):
                if other in nodes and nodes[other].for_compensation and node.attached_to:
                    found[node.attached_to] = other
    return found


def condition_of(source: Source, node: etree._Element) -> Expression | None:
    return source.expression(node, text_of(node.find(tag("completionCondition"))))
