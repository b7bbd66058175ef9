"""Chapter 10.6: gateways, above all event-based ones."""

from __future__ import annotations

from engine.bpmn.rules.events import kinds_of, untriggered
from engine.bpmn.rules.index import GATEWAYS, Index, Node

_WAITED_FOR = frozenset({"message", "signal", "timer", "conditional"})


def directions_are_true(index: Index) -> None:
    for node in index.among(GATEWAYS):
        direction = node.get("gatewayDirection")
        many_in, many_out = len(node.incoming) > 1, len(node.outgoing) > 1
        wrong = (direction == "Converging" and many_out) or (direction == "Diverging" and many_in)
        odd = (
            (direction == "Converging" and not many_in)
            or (direction == "Diverging" and not many_out)
            or (direction == "Mixed" and not (many_in and many_out))
        )
        if wrong or odd:
            index.say(
                wrong,
                "gateway_direction_contradicted",
                node,
                direction=direction,
                incoming=len(node.incoming),
                outgoing=len(node.outgoing),
            )


def gateways_split_or_join(index: Index) -> None:
    for node in index.among(GATEWAYS - {"eventBasedGateway"}):
        if len(node.incoming) < 2 and len(node.outgoing) < 2 and (node.incoming or node.outgoing):
            index.warn("gateway_without_choice", node)


def event_gateways_offer_a_choice(index: Index) -> None:
    for node in index.of("eventBasedGateway"):
        if len(node.outgoing) < 2:
            index.wrong("event_gateway_outgoing_count", node, count=len(node.outgoing))


def _targets(node: Node) -> list[Node]:
    return [flow.target for flow in node.outgoing if flow.target is not None]


def event_gateways_lead_to_events(index: Index) -> None:
    for node in index.of("eventBasedGateway"):
        if node.process is not None and node.process.kind != "process":
            continue
        for target in _targets(node):
            if target.kind == "receiveTask":
                continue
            waits = target.kind == "intermediateCatchEvent" and not untriggered(index, target)
            if not waits or kinds_of(index, target) - _WAITED_FOR:
                index.wrong("event_gateway_target_wrong", target, kind=target.kind)


def event_gateways_do_not_mix(index: Index) -> None:
    """Receive tasks or message events, not both."""
    for node in index.of("eventBasedGateway"):
        targets = _targets(node)
        tasks = any(target.kind == "receiveTask" for target in targets)
        if tasks and any(
            target.kind == "intermediateCatchEvent" and "message" in kinds_of(index, target)
            for target in targets
        ):
            index.wrong("event_gateway_mixed", node)


def event_gateway_targets_are_its_own(index: Index) -> None:
    hosts = {event.get("attachedToRef") for event in index.of("boundaryEvent")}
    for node in index.of("eventBasedGateway"):
        for target in _targets(node):
            if len(target.incoming) > 1:
                index.wrong("event_gateway_target_shared", target)
            if target.kind == "receiveTask" and target.id and target.id in hosts:
                index.wrong("event_gateway_target_with_boundary", target)


def starting_event_gateways_wait_for_messages(index: Index) -> None:
    for node in index.of("eventBasedGateway"):
        if not node.true("instantiate"):
            if node.get("eventGatewayType") == "Parallel":
                index.wrong("event_gateway_parallel", node)
            continue
        if node.incoming:
            index.wrong("event_gateway_start_with_incoming", node)
        for target in _targets(node):
            if target.kind == "intermediateCatchEvent" and kinds_of(index, target) - {"message"}:
                index.warn("event_gateway_start_target", target)


RULES = (
    directions_are_true,
    gateways_split_or_join,
    event_gateways_offer_a_choice,
    event_gateways_lead_to_events,
    event_gateways_do_not_mix,
    event_gateway_targets_are_its_own,
    starting_event_gateways_wait_for_messages,
)
