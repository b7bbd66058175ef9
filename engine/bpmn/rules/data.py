"""Chapter 10.4: data inputs and outputs, their sets, data associations, data objects."""

from __future__ import annotations

from engine.bpmn.rules.index import CATCHING, THROWING, Index, Node
from engine.bpmn.rules.references import ITEMS, resolve, target

_SETS = {
    "inputSet": (
        "dataInput",
        "dataInputRefs",
        ("optionalInputRefs", "whileExecutingInputRefs"),
    ),
    "outputSet": (
        "dataOutput",
        "dataOutputRefs",
        ("optionalOutputRefs", "whileExecutingOutputRefs"),
    ),
}
_ASSOCIATIONS = ("dataInputAssociation", "dataOutputAssociation")
_HELD = frozenset({"dataObject", "dataObjectReference"})


def data_are_in_sets(index: Index) -> None:
    """Each data input and output of an activity or event is in one set at least."""
    for kind, (item, refs, _) in _SETS.items():
        for owner in index.among(frozenset({"ioSpecification"}) | CATCHING | THROWING):
            items = owner.all(item)
            if not items:
                continue
            listed = {ref.text for each in owner.all(kind) for ref in each.all(refs)}
            strict = owner.kind == "ioSpecification"
            for each in items:
                if each.id not in listed:
                    index.say(strict, "data_not_in_set", each, kind=item)


def sets_list_their_own_data(index: Index) -> None:
    for kind, (item, refs, optional) in _SETS.items():
        for node in index.of(kind):
            if node.parent is None:
                continue
            listed = {ref.text for ref in node.all(refs)}
            for ref in node.all(refs):
                found = node.doc.ids.get(ref.text)
                if found is not None and found.kind == item and found.parent is not node.parent:
                    index.wrong("data_of_another", node, reference=ref.text)
            for ref in node.all(*optional):
                if ref.text and ref.text not in listed:
                    index.wrong("data_not_listed", node, reference=ref.text)


def associations_have_one_source(index: Index) -> None:
    for node in index.of(*_ASSOCIATIONS):
        changed = node.first("transformation") is not None or node.first("assignment") is not None
        sources = len(node.all("sourceRef"))
        if sources > 1 and node.first("transformation") is None:
            index.wrong("data_association_sources", node, count=sources)
        elif not sources and not changed and not node.extended:
            index.warn("data_association_source_missing", node)


def _end(node: Node, name: str) -> Node | None:
    child = node.first(name)
    found = child.doc.ids.get(child.text) if child is not None else None
    return found if found is not None and found.kind in ITEMS else None


def _item(index: Index, node: Node) -> Node | None:
    """The item definition of a data element, also through a reference to it."""
    for name in ("dataObjectRef", "dataStoreRef"):
        held = target(index, node, name)
        if held is not None and not node.get("itemSubjectRef"):
            node = held
    return target(index, node, "itemSubjectRef")


def associations_join_like_with_like(index: Index) -> None:
    for node in index.of(*_ASSOCIATIONS):
        if node.first("transformation") is not None or node.first("assignment") is not None:
            continue
        source, goal = _end(node, "sourceRef"), _end(node, "targetRef")
        if source is None or goal is None:
            continue
        one, other = _item(index, source), _item(index, goal)
        if one is None or other is None or one is other:
            continue
        if one.get("structureRef") != other.get("structureRef"):
            index.warn("data_items_differ", node)


def associations_see_their_data(index: Index) -> None:
    for node in index.of(*_ASSOCIATIONS):
        for name in ("sourceRef", "targetRef"):
            end = _end(node, name)
            if end is None or end.kind not in _HELD or node.parent is None:
                continue
            scope: Node | None = node.parent
            while scope is not None and scope is not end.scope:
                scope = scope.scope
            if scope is None:
                index.warn("data_out_of_scope", node, reference=end.id)


def data_references_refer(index: Index) -> None:
    for node in index.of("dataObjectReference"):
        if "dataObjectRef" not in node.attributes:
            index.warn("data_object_missing", node)


def collections_are_of_collections(index: Index) -> None:
    for node in index.of("dataObject", "dataInput", "dataOutput"):
        item = target(index, node, "itemSubjectRef")
        if item is None or item.kind != "itemDefinition":
            continue
        if node.true("isCollection") != item.true("isCollection"):
            both = "isCollection" in node.attributes and "isCollection" in item.attributes
            index.say(both, "collection_contradicted", node)


def one_message_for_one_task(index: Index) -> None:
    """A send task has one data input at most, a receive task one data output."""
    for kind, item in (("sendTask", "dataInput"), ("receiveTask", "dataOutput")):
        for node in index.of(kind):
            specification = node.first("ioSpecification")
            if specification is not None and len(specification.all(item)) > 1:
                index.warn("task_data_repeated", node, kind=item)


def bindings_bind_their_own(index: Index) -> None:
    for node in index.of("ioBinding"):
        for name in ("inputDataRef", "outputDataRef"):
            found = resolve(index, node, node.get(name)) if node.get(name) else None
            if not isinstance(found, Node) or found.parent is None:
                continue
            if found.parent.parent is not node.parent:
                index.wrong("data_of_another", node, reference=found.id)


RULES = (
    data_are_in_sets,
    sets_list_their_own_data,
    associations_have_one_source,
    associations_join_like_with_like,
    associations_see_their_data,
    data_references_refer,
    collections_are_of_collections,
    one_message_for_one_task,
    bindings_bind_their_own,
)
