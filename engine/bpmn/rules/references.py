"""Every reference of one element to another: it must exist and be of the right kind."""

from __future__ import annotations

from collections.abc import Iterator

from engine.bpmn.rules.index import (
    ACTIVITIES,
    DEFINITIONS,
    EVENTS,
    FLOW_NODES,
    Document,
    Index,
    Node,
)
from engine.bpmn.rules.schema import kinds

CALLED = frozenset({"process"}) | kinds("globalTask")
ITEMS = frozenset(
    {
        "dataInput",
        "dataObject",
        "dataObjectReference",
        "dataOutput",
        "dataStore",
        "dataStoreReference",
        "inputDataItem",
        "outputDataItem",
        "property",
    }
)
_CONVERSATIONS = kinds("conversationNode")
_COLLABORATIONS = kinds("collaboration")
_INTERACTING = ACTIVITIES | EVENTS | _CONVERSATIONS | {"participant"}
_ANY: frozenset[str] = frozenset()


def _one(*names: str) -> frozenset[str]:
    return frozenset(names)


_ATTRIBUTES = {
    "attachedToRef": ACTIVITIES,
    "messageRef": _one("message"),
    "signalRef": _one("signal"),
    "errorRef": _one("error"),
    "escalationRef": _one("escalation"),
    "activityRef": ACTIVITIES,
    "operationRef": _one("operation"),
    "dataObjectRef": _one("dataObject"),
    "dataStoreRef": _one("dataStore"),
    "itemSubjectRef": _one("itemDefinition"),
    "itemRef": _one("itemDefinition"),
    "default": _one("sequenceFlow"),
    "processRef": _one("process"),
    "categoryValueRef": _one("categoryValue"),
    "oneBehaviorEventRef": DEFINITIONS,
    "noneBehaviorEventRef": DEFINITIONS,
    "partitionElementRef": _ANY,
    "definitionalCollaborationRef": _COLLABORATIONS,
    "parameterRef": _one("resourceParameter"),
    "correlationPropertyRef": _one("correlationProperty"),
    "correlationKeyRef": _one("correlationKey"),
    "inputDataRef": _one("inputSet"),
    "outputDataRef": _one("outputSet"),
    "initiatingParticipantRef": _one("participant"),
    "calledCollaborationRef": _COLLABORATIONS,
    "calledChoreographyRef": kinds("choreography"),
    "innerConversationNodeRef": _CONVERSATIONS,
    "outerConversationNodeRef": _CONVERSATIONS,
    "innerMessageFlowRef": _one("messageFlow"),
    "outerMessageFlowRef": _one("messageFlow"),
}
_STRUCTURED = ("error", "escalation", "signal")
_ENDS = {
    "sequenceFlow": FLOW_NODES,
    "association": _ANY,
    "messageFlow": _INTERACTING,
    "conversationLink": _INTERACTING,
}
_CHILDREN = {
    "incoming": _one("sequenceFlow"),
    "outgoing": _one("sequenceFlow"),
    "flowNodeRef": FLOW_NODES,
    "categoryValueRef": _one("categoryValue"),
    "eventDefinitionRef": DEFINITIONS,
    "operationRef": _one("operation"),
    "supportedInterfaceRef": _one("interface"),
    "interfaceRef": _one("interface"),
    "endPointRef": _one("endPoint"),
    "resourceRef": _one("resource"),
    "inMessageRef": _one("message"),
    "outMessageRef": _one("message"),
    "errorRef": _one("error"),
    "participantRef": _one("participant"),
    "innerParticipantRef": _one("participant"),
    "outerParticipantRef": _one("participant"),
    "messageFlowRef": _one("messageFlow"),
    "choreographyRef": kinds("choreography"),
    "correlationPropertyRef": _one("correlationProperty"),
    "supports": _one("process"),
    "loopDataInputRef": ITEMS,
    "loopDataOutputRef": ITEMS,
    "dataInputRefs": _one("dataInput", "inputDataItem"),
    "optionalInputRefs": _one("dataInput", "inputDataItem"),
    "whileExecutingInputRefs": _one("dataInput", "inputDataItem"),
    "outputSetRefs": _one("outputSet"),
    "dataOutputRefs": _one("dataOutput", "outputDataItem"),
    "optionalOutputRefs": _one("dataOutput", "outputDataItem"),
    "whileExecutingOutputRefs": _one("dataOutput", "outputDataItem"),
    "inputSetRefs": _one("inputSet"),
    "sourceRef": ITEMS,
    "targetRef": ITEMS,
}
_LINKED = _one("linkEventDefinition", "intermediateCatchEvent", "intermediateThrowEvent")
OUTSIDE = "outside"


def resolve(index: Index, node: Node, value: str) -> Node | str | None:
    """The element that `value` at `node` names; OUTSIDE if it is in no file we have, or None."""
    doc = node.doc
    found = doc.ids.get(value)
    if found is not None:
        return found
    prefix, colon, local = value.rpartition(":")
    if not colon:
        return index.elsewhere.get(value)
    space = doc.namespaces.get(prefix) or node.element.nsmap.get(prefix)
    if space is None:
        return None
    if local in doc.ids:
        return doc.ids[local]
    docs = index.spaces.get(space)
    if docs is None:
        return OUTSIDE
    return next((each.ids[local] for each in docs if local in each.ids), None)


def target(index: Index, node: Node, name: str) -> Node | None:
    """The element that the attribute `name` refers to, if it is one of ours."""
    value = node.get(name)
    found = resolve(index, node, value) if value else None
    return found if isinstance(found, Node) else None


def attributes_refer(index: Index) -> None:
    for nodes in list(index.kinds.values()):
        for node in nodes:
            for name, wanted, local in _wanted(node):
                _check(index, node, node.get(name), wanted, name, local)


def _wanted(node: Node) -> Iterator[tuple[str, frozenset[str], bool]]:
    """Each referring attribute, the kinds it may refer to, and whether only in its file."""
    known = node.type.attributes if node.type is not None else {}
    for name in node.attributes:
        if name not in known:
            continue
        local = known[name].kind == "r"
        if name in ("sourceRef", "targetRef"):
            if node.kind in _ENDS:
                yield name, _ENDS[node.kind], local
        elif name in _ATTRIBUTES:
            yield name, _ATTRIBUTES[name], local
        elif name == "structureRef" and node.kind in _STRUCTURED:
            yield name, _one("itemDefinition"), local


def children_refer(index: Index) -> None:
    for name, wanted in _CHILDREN.items():
        for node in index.of(name):
            parent = node.parent
            if parent is None or parent.type is None or name not in parent.type.children:
                continue
            local = parent.type.children[name].type == "r"
            _check(index, node, node.text, wanted, name, local)
    for node in index.of("source", "target"):
        if node.parent is not None and node.parent.kind == "linkEventDefinition":
            _check(index, node, node.text, _LINKED, node.kind, False)


def _check(
    index: Index, node: Node, value: str, wanted: frozenset[str], name: str, local: bool
) -> None:
    if not value:
        index.wrong("reference_empty", node, attribute=name)
        return
    found = node.doc.ids.get(value) if local else resolve(index, node, value)
    if found is None and name.startswith("loopData") and value.isidentifier():
        # SpiffArena names a variable where the standard wants a data object.
        index.warn("reference_unknown", node, reference=value)
    elif found is None:
        index.wrong("reference_unknown", node, reference=value)
    elif isinstance(found, str):
        if not _imported(node, value):
            index.warn("reference_outside", node, reference=value)
    elif wanted and found.kind not in wanted:
        index.wrong("reference_wrong_kind", node, reference=value, kind=found.kind, attribute=name)


def _imported(node: Node, value: str) -> bool:
    prefix = value.rpartition(":")[0]
    space = node.doc.namespaces.get(prefix) or node.element.nsmap.get(prefix)
    return space in node.doc.imported


def calls_are_answered(index: Index) -> None:
    for node in index.of("callActivity"):
        value = node.get("calledElement")
        if not value:
            continue
        found = resolve(index, node, value)
        if isinstance(found, Node) and found.kind not in CALLED:
            index.wrong(
                "reference_wrong_kind",
                node,
                reference=value,
                kind=found.kind,
                attribute="calledElement",
            )
        elif found is None or (found == OUTSIDE and not _imported(node, value)):
            index.warn("call_target_unknown", node, reference=value)


def nodes_agree_with_flows(index: Index) -> None:
    """What incoming and outgoing say is what the sequence flows say."""
    for name, end in (("incoming", "targetRef"), ("outgoing", "sourceRef")):
        for child in index.of(name):
            node = child.parent
            if node is None or node.kind not in FLOW_NODES:
                continue
            flow = _flow(child.doc, child.text)
            if flow is not None and node.id and flow.get(end) != node.id:
                index.wrong("flow_contradicts_node", node, flow=flow.id or "", side=name)


def _flow(doc: Document, value: str) -> Node | None:
    found = doc.ids.get(value) or doc.ids.get(value.rpartition(":")[2])
    return found if found is not None and found.kind == "sequenceFlow" else None


def flows_are_listed_once(index: Index) -> None:
    for name in ("incoming", "outgoing"):
        seen: set[tuple[int, str]] = set()
        for child in index.of(name):
            if child.parent is None:
                continue
            key = (id(child.parent), child.text)
            if key in seen and child.text:
                index.warn("flow_listed_twice", child.parent, flow=child.text)
            seen.add(key)


RULES = (
    attributes_refer,
    children_refer,
    calls_are_answered,
    nodes_agree_with_flows,
    flows_are_listed_once,
)
