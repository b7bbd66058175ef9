"""Chapter 9: pools, lanes and message flows."""

from __future__ import annotations

from engine.bpmn.rules.activities import whole
from engine.bpmn.rules.events import kinds_of
from engine.bpmn.rules.index import CATCHING, THROWING, Index, Node
from engine.bpmn.rules.references import target


def message_flows_join_two_pools(index: Index) -> None:
    for node in index.of("messageFlow"):
        source, goal = target(index, node, "sourceRef"), target(index, node, "targetRef")
        if source is None or goal is None:
            continue
        if source.kind == goal.kind == "participant":
            same = source is goal
        else:
            one, other = _pool(index, source), _pool(index, goal)
            same = one is not None and one is other
        if same:
            index.wrong("message_flow_in_one_pool", node)


def _pool(index: Index, node: Node) -> Node | None:
    """The process of a pool or of a node; the pool itself if it shows no process."""
    if node.kind == "participant":
        return target(index, node, "processRef") or node
    return node.process


def message_flows_have_a_direction(index: Index) -> None:
    for node in index.of("messageFlow"):
        source, goal = target(index, node, "sourceRef"), target(index, node, "targetRef")
        if source is not None and source.kind in CATCHING:
            index.wrong("message_flow_source_wrong", node, kind=source.kind)
        if goal is not None and goal.kind in THROWING:
            index.wrong("message_flow_target_wrong", node, kind=goal.kind)


def message_flows_meet_message_events(index: Index) -> None:
    for node in index.of("messageFlow"):
        for name, events in (("sourceRef", THROWING), ("targetRef", CATCHING)):
            event = target(index, node, name)
            if event is None or event.kind not in events:
                continue
            if event.first("eventDefinitionRef") is None and "message" not in kinds_of(
                index, event
            ):
                error = event.kind == "endEvent"
                index.say(error, "message_flow_at_other_event", node, reference=event.id)


def pools_show_different_processes(index: Index) -> None:
    seen: set[tuple[int, str]] = set()
    for node in index.of("participant"):
        process = node.get("processRef")
        key = (id(node.parent), process)
        if process and key in seen:
            index.warn("process_in_two_pools", node, reference=process)
        seen.add(key)


def multiplicities_are_possible(index: Index) -> None:
    for node in index.of("participantMultiplicity"):
        low, high = whole(node, "minimum", 0), whole(node, "maximum", 1)
        if low is None or high is None:
            continue
        if low < 0 or high < 1 or high < low:
            index.wrong("participant_multiplicity_wrong", node, minimum=low, maximum=high)


def lanes_hold_nodes_of_their_process(index: Index) -> None:
    for node in index.of("flowNodeRef"):
        found = node.doc.ids.get(node.text)
        if found is None or found.process is None or node.process is None:
            continue
        if found.process is not node.process:
            index.wrong("lane_node_of_another_process", node, reference=node.text)


def lanes_do_not_overlap(index: Index) -> None:
    seen: dict[tuple[int, str], Node] = {}
    for node in index.of("flowNodeRef"):
        lane = node.parent
        if lane is None or not node.text:
            continue
        key = (id(lane.parent), node.text)
        other = seen.setdefault(key, lane)
        if other is not lane:
            index.warn("lane_node_repeated", node, reference=node.text)


RULES = (
    message_flows_join_two_pools,
    message_flows_have_a_direction,
    message_flows_meet_message_events,
    pools_show_different_processes,
    multiplicities_are_possible,
    lanes_hold_nodes_of_their_process,
    lanes_do_not_overlap,
)
