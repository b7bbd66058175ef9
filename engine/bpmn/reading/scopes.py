"""Processes and subprocesses: what is in them, where they begin, and their elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from engine.bpmn.documents import line_of, local_name
from engine.bpmn.languages import Expression
from engine.bpmn.model import ACTIVITIES, FLOW_NODES, SUBPROCESSES, Node, ProcessModel, Scope
from engine.bpmn.reading.activities import read_activity
from engine.bpmn.reading.forms import read_form_fields
from engine.bpmn.reading.names import camunda, is_bpmn, is_true, lanes, tag
from engine.bpmn.reading.nodes import condition_of, join_up, link_flows, read_flows, read_node
from engine.bpmn.reading.settings import read_settings, setting_expressions
from engine.bpmn.reading.source import Source
from engine.domain.process import Element, FormField

MAX_NODES = 3_000
_REFUSED = frozenset(
    {
        "complexGateway",
        "choreographyTask",
        "subChoreography",
        "callChoreography",
        "implicitThrowEvent",
        "event",
    }
)


@dataclass
class Reading:
    """What has been read: the processes, and their elements with settings."""

    processes: dict[str, ProcessModel] = field(default_factory=dict)
    elements: dict[str, Element] = field(default_factory=dict)
    settings: dict[str, dict[str, Expression]] = field(default_factory=dict)
    form_fields: dict[str, tuple[FormField, ...]] = field(default_factory=dict)


def read_processes(reading: Reading, source: Source) -> None:
    """Read every process and global task of the file."""
    _read_global_tasks(reading, source)
    for process in source.root.iterfind(f".//{tag('process')}"):
        id_ = process.get("id") or ""
        count = sum(1 for each in process.iter() if local_name_of(each) in FLOW_NODES)
        if count > MAX_NODES:
            source.wrong("process_too_large", process, {"nodes": MAX_NODES})
            continue
        scopes: dict[str, Scope] = {}
        in_lanes = lanes(process)
        root = _read_scope(reading, source, process, "process", scopes, in_lanes)
        if not root.nodes:
            source.warn("process_empty", process)
        reading.processes.setdefault(
            id_,
            ProcessModel(
                id_,
                process.get("name") or "",
                source.file,
                is_true(process.get("isExecutable"), True),
                root,
                scopes,
                camunda(process, "versionTag"),
            ),
        )


GLOBAL_TASKS = {
    "globalTask": "task",
    "globalUserTask": "userTask",
    "globalManualTask": "manualTask",
    "globalScriptTask": "scriptTask",
    "globalBusinessRuleTask": "businessRuleTask",
}


def _read_global_tasks(reading: Reading, source: Source) -> None:
    """A global task is called like a process of that one task."""
    for element in source.root:
        kind = GLOBAL_TASKS.get(local_name_of(element))
        id_ = element.get("id") or ""
        if kind is None or not id_:
            continue
        fields = read_activity(source, element, kind)
        node = Node(id_, kind, id_, **fields)
        scope = Scope(id_, "process", {id_: node}, (id_,))
        reading.processes.setdefault(
            id_,
            ProcessModel(id_, element.get("name") or "", source.file, False, scope, {id_: scope}),
        )
        _note_element(reading, source, element, {}, kind)


def local_name_of(node: etree._Element) -> str:
    return local_name(node) if is_bpmn(node) else ""


def _read_scope(
    reading: Reading,
    source: Source,
    element: etree._Element,
    kind: str,
    scopes: dict[str, Scope],
    in_lanes: Mapping[str, str],
) -> Scope:
    id_ = element.get("id") or ""
    triggered = is_true(element.get("triggeredByEvent"))
    children = [child for child in element if local_name_of(child) in FLOW_NODES]
    for child in element:
        if local_name_of(child) in _REFUSED:
            source.unsupported(child, local_name(child))
    read: dict[str, Node] = {}
    elements = {child.get("id") or "": child for child in children}
    for child in children:
        node = read_node(source, child, id_)
        if node.id in read or not node.id:
            source.wrong("id_repeated", child, {"id": node.id})
        read.setdefault(node.id, node)
        _note_element(reading, source, child, in_lanes)
    inner = {}
    for child in children:
        if local_name(child) in SUBPROCESSES:
            inner[child.get("id") or ""] = _read_scope(
                reading, source, child, local_name(child), scopes, in_lanes
            )
    flows = [*read_flows(source, element), *link_flows(read)]
    nodes = join_up(source, read, flows)
    events = _event_subprocesses(elements)
    starts, triggers = _starts(nodes, events, kind, triggered)
    scope = Scope(
        id_,
        kind,
        nodes,
        starts,
        triggers,
        events,
        condition_of(source, element) if kind == "adHocSubProcess" else None,
        element.get("ordering") == "Sequential",
        is_true(element.get("cancelRemainingInstances"), True),
        inner,
    )
    scopes.setdefault(id_, scope)
    return scope


def _event_subprocesses(elements: Mapping[str, etree._Element]) -> tuple[str, ...]:
    return tuple(
        id_ for id_, element in elements.items() if is_true(element.get("triggeredByEvent"))
    )


def _starts(
    nodes: Mapping[str, Node], events: tuple[str, ...], kind: str, triggered: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The nodes with which the scope begins, and its start events with a trigger."""
    start_events = [node for node in nodes.values() if node.kind == "startEvent"]
    if start_events:
        plain = tuple(node.id for node in start_events if not node.events)
        return plain, tuple(node.id for node in start_events if node.events)
    begun = tuple(
        node.id
        for node in nodes.values()
        if not node.incoming
        and node.id not in events
        and node.kind not in ("boundaryEvent", "startEvent")
        and not node.for_compensation
        and (kind != "adHocSubProcess" or node.kind in ACTIVITIES)
    )
    return begun, ()


def _note_element(
    reading: Reading,
    source: Source,
    node: etree._Element,
    in_lanes: Mapping[str, str],
    kind: str | None = None,
) -> None:
    id_ = node.get("id") or ""
    if id_ in reading.elements and reading.elements[id_].file != source.file:
        source.wrong("id_repeated", node, {"id": id_})
    properties = read_settings(source, node)
    reading.elements.setdefault(
        id_,
        Element(
            id_,
            kind or local_name(node),
            node.get("name") or "",
            source.file,
            line_of(node),
            properties,
            in_lanes.get(id_),
        ),
    )
    if fields := read_form_fields(node):
        reading.form_fields.setdefault(id_, fields)
    made = setting_expressions(source, node, properties)
    if made:
        reading.settings.setdefault(id_, made)
