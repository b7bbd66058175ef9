"""Chapter 8.4.13: sequence flows, what they connect, their conditions and defaults."""

from __future__ import annotations

from engine.bpmn.rules.index import ACTIVITIES, EVENTS, SUBPROCESSES, Flow, Index, Node
from engine.bpmn.rules.references import resolve

_UNCONDITIONAL = EVENTS | {"parallelGateway", "eventBasedGateway"}
_CHOOSING = frozenset({"exclusiveGateway", "inclusiveGateway"})
_DEFAULTING = ACTIVITIES | _CHOOSING | {"complexGateway"}


def flows_stay_on_their_level(index: Index) -> None:
    for doc in index.docs:
        for flow in doc.flows:
            source, target = flow.source, flow.target
            if source is None or target is None:
                continue
            if source.process is not target.process:
                index.wrong("flow_crosses_pool", flow.node)
            elif source.scope is not target.scope:
                index.wrong("flow_crosses_subprocess", flow.node)
            elif flow.node.scope is not source.scope:
                index.warn("flow_outside_scope", flow.node)


def flows_end_at_the_right_events(index: Index) -> None:
    for doc in index.docs:
        for flow in doc.flows:
            if flow.source is not None and flow.source.kind == "endEvent":
                index.wrong("flow_after_end", flow.node)
            if flow.target is None:
                continue
            if flow.target.kind == "startEvent":
                index.wrong("flow_into_start", flow.node)
            elif flow.target.kind == "boundaryEvent":
                index.wrong("flow_into_event", flow.node)


def event_subprocesses_have_no_flows(index: Index) -> None:
    for node in index.among(SUBPROCESSES):
        if node.true("triggeredByEvent"):
            for flow in node.incoming + node.outgoing:
                index.wrong("flow_at_event_subprocess", flow.node)


def compensation_activities_have_no_flows(index: Index) -> None:
    for node in index.among(ACTIVITIES):
        if node.true("isForCompensation"):
            for flow in node.incoming + node.outgoing:
                index.wrong("flow_at_compensation_activity", flow.node)


def conditions_have_a_place(index: Index) -> None:
    for doc in index.docs:
        for flow in doc.flows:
            if flow.condition is None:
                if flow.node.first("conditionExpression") is not None:
                    index.warn("condition_empty", flow.node)
            elif flow.source is not None and flow.source.kind in _UNCONDITIONAL:
                index.wrong("condition_not_allowed", flow.node, kind=flow.source.kind)


def conditional_flows_have_a_neighbour(index: Index) -> None:
    for node in index.among(ACTIVITIES):
        if len(node.outgoing) == 1 and node.outgoing[0].condition is not None:
            index.wrong("conditional_flow_alone", node.outgoing[0].node)


def choices_have_conditions(index: Index) -> None:
    """An error only where the process is to be executed; a drawing may leave them out."""
    for node in index.among(_CHOOSING):
        if len(node.outgoing) > 1:
            default = node.get("default")
            for flow in node.outgoing:
                if flow.condition is None and (not default or flow.node.id != default):
                    index.say(node.executable, "flow_without_condition", flow.node)


def defaults_are_outgoing(index: Index) -> None:
    for node in index.among(_DEFAULTING):
        default = node.get("default")
        found = resolve(index, node, default) if default else None
        if not isinstance(found, Node) or found.kind != "sequenceFlow":
            continue
        if found.get("sourceRef") != node.id:
            index.wrong("default_not_outgoing", node, reference=default)
        elif (written := found.first("conditionExpression")) is not None and not written.blank:
            index.warn("default_with_condition", found)


def loops_are_of_activities(index: Index) -> None:
    for doc in index.docs:
        for flow in doc.flows:
            if _loops(flow) and flow.source is not None and flow.source.kind not in ACTIVITIES:
                index.warn("flow_loops_on_itself", flow.node)


def _loops(flow: Flow) -> bool:
    return flow.source is not None and flow.source is flow.target


def executable_flows_are_immediate(index: Index) -> None:
    for node in index.of("sequenceFlow"):
        if node.get("isImmediate") in ("false", "0") and node.executable:
            index.wrong("flow_not_immediate", node)


RULES = (
    flows_stay_on_their_level,
    flows_end_at_the_right_events,
    event_subprocesses_have_no_flows,
    compensation_activities_have_no_flows,
    conditions_have_a_place,
    conditional_flows_have_a_neighbour,
    choices_have_conditions,
    defaults_are_outgoing,
    loops_are_of_activities,
    executable_flows_are_immediate,
)
