"""Chapters 10.3.5 and 10.5: starts and ends of processes and subprocesses of every kind."""

from __future__ import annotations

from collections.abc import Iterator

from engine.bpmn.rules.events import kinds_of, untriggered
from engine.bpmn.rules.index import ACTIVITIES, FLOW_NODES, SUBPROCESSES, Index, Node

_LEVELS = frozenset({"process"}) | SUBPROCESSES
_INTERMEDIATE = ("intermediateCatchEvent", "intermediateThrowEvent")
_STARTS_ITSELF = frozenset({"receiveTask", "eventBasedGateway"})


def _levels(index: Index) -> Iterator[tuple[Node, list[Node]]]:
    """Each process and subprocess with its flow nodes, but for ad-hoc ones."""
    for level in index.among(_LEVELS):
        if level.kind != "adHocSubProcess":
            yield level, [child for child in level.children if child.kind in FLOW_NODES]


def _is_event_subprocess(node: Node) -> bool:
    return node.kind in SUBPROCESSES and node.true("triggeredByEvent")


def _count(nodes: list[Node], kind: str) -> int:
    return sum(1 for node in nodes if node.kind == kind)


def _starts_itself(node: Node) -> bool:
    return node.kind in _STARTS_ITSELF and node.true("instantiate")


def starts_and_ends_come_together(index: Index) -> None:
    for level, nodes in _levels(index):
        starts, ends = _count(nodes, "startEvent"), _count(nodes, "endEvent")
        if starts and not ends:
            index.wrong("end_event_missing", level)
        elif ends and not starts and not _is_event_subprocess(level):
            # Receive tasks and gateways that start the process stand for a start event.
            started = any(_starts_itself(node) for node in nodes)
            if not started:
                index.wrong("start_event_missing", level)


def nodes_are_reached(index: Index) -> None:
    for _, nodes in _levels(index):
        started = _count(nodes, "startEvent") > 0
        for node in nodes:
            if not node.incoming and _needs_incoming(index, node, started):
                index.wrong("node_without_incoming", node)


def _needs_incoming(index: Index, node: Node, started: bool) -> bool:
    if node.kind in ("startEvent", "boundaryEvent") or _beside(index, node):
        return False
    if node.kind == "intermediateCatchEvent" and "link" in kinds_of(index, node):
        return False
    always = node.kind == "endEvent" or node.kind in _INTERMEDIATE
    return always or (started and not _starts_itself(node))


def nodes_lead_on(index: Index) -> None:
    for _, nodes in _levels(index):
        ended = _count(nodes, "endEvent") > 0
        for node in nodes:
            if not node.outgoing and _needs_outgoing(index, node, ended):
                index.wrong("node_without_outgoing", node)


def _needs_outgoing(index: Index, node: Node, ended: bool) -> bool:
    if node.kind == "endEvent" or _beside(index, node):
        return False
    if node.kind == "intermediateThrowEvent" and "link" in kinds_of(index, node):
        return False
    if node.kind == "boundaryEvent":
        return "compensate" not in kinds_of(index, node)
    return ended or node.kind == "startEvent" or node.kind in _INTERMEDIATE


def _beside(index: Index, node: Node) -> bool:
    """Whether the node is outside the flow: a compensation activity or event subprocess."""
    if node.kind not in ACTIVITIES:
        return False
    if node.true("isForCompensation") or _is_event_subprocess(node):
        return True
    # An unmarked handler has its own finding.
    return any(
        other.kind == "boundaryEvent" and "compensate" in kinds_of(index, other)
        for other in index.associated(node)
    )


def embedded_subprocesses_start_plainly(index: Index) -> None:
    for level, nodes in _levels(index):
        if level.kind == "process" or _is_event_subprocess(level):
            continue
        starts = [node for node in nodes if node.kind == "startEvent"]
        for node in starts:
            if not untriggered(index, node):
                index.wrong("subprocess_start_triggered", node)
        if sum(1 for node in starts if untriggered(index, node)) > 1:
            index.wrong("start_event_repeated", level)


def event_subprocesses_start_with_one_event(index: Index) -> None:
    for level, nodes in _levels(index):
        if not _is_event_subprocess(level):
            continue
        starts = [node for node in nodes if node.kind == "startEvent"]
        if len(starts) != 1:
            index.wrong("event_subprocess_start_count", level, count=len(starts))
        for node in starts:
            if untriggered(index, node):
                index.wrong("event_subprocess_start_untriggered", node)


def ad_hoc_subprocesses_have_activities(index: Index) -> None:
    for level in index.of("adHocSubProcess"):
        nodes = [child for child in level.children if child.kind in FLOW_NODES]
        for node in nodes:
            if node.kind in ("startEvent", "endEvent"):
                index.wrong("ad_hoc_start_or_end", node)
        if not any(node.kind in ACTIVITIES for node in nodes):
            # An empty one may be drawn collapsed.
            index.say(bool(nodes), "ad_hoc_without_activity", level)


def ad_hoc_boundaries_lead_on(index: Index) -> None:
    for level in index.of("adHocSubProcess"):
        for node in level.all("boundaryEvent"):
            if not node.outgoing and "compensate" not in kinds_of(index, node):
                index.wrong("node_without_outgoing", node)


def subprocesses_have_no_data_inputs(index: Index) -> None:
    for node in index.among(SUBPROCESSES):
        looped = node.first("multiInstanceLoopCharacteristics") is not None
        if node.first("ioSpecification") is not None and not looped:
            index.wrong("subprocess_with_data_inputs", node)


def choreography_stays_out(index: Index) -> None:
    for level in index.among(_LEVELS):
        for child in level.all("choreographyTask", "subChoreography", "callChoreography"):
            index.wrong("element_misplaced", child, kind=child.kind, parent=level.kind)


def public_processes_are_not_executed(index: Index) -> None:
    for node in index.of("process"):
        if node.true("isExecutable") and node.get("processType") == "Public":
            index.wrong("public_process_executable", node)


def processes_are_executable(index: Index) -> None:
    for node in index.of("process"):
        if node.get("isExecutable") in ("false", "0"):
            index.warn("process_not_executable", node)


RULES = (
    starts_and_ends_come_together,
    nodes_are_reached,
    nodes_lead_on,
    embedded_subprocesses_start_plainly,
    event_subprocesses_start_with_one_event,
    ad_hoc_subprocesses_have_activities,
    ad_hoc_boundaries_lead_on,
    subprocesses_have_no_data_inputs,
    choreography_stays_out,
    public_processes_are_not_executed,
    processes_are_executable,
)
