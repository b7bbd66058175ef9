"""Chapter 8: definitions, ids, attributes and the places of elements, as the schema has them."""

from __future__ import annotations

import re

from engine.bpmn.rules.index import EXPRESSIONS, FLOW_NODES, XSI, Index, Node
from engine.bpmn.rules.schema import ENUMERATIONS, LOCAL, TYPES, URIS, Type

_NCNAME = re.compile(r"[^\W\d][\w.\-\u00b7]*")
_XSI_TYPE = f"{{{XSI}}}type"
_INTEGER = re.compile(r"[+-]?\d+")
_REFERRED = frozenset({"process", "participant"}) | FLOW_NODES
_CHILD_CODES = {
    ("conditionalEventDefinition", "condition"): "condition_missing",
    ("dataInputAssociation", "targetRef"): "data_association_target_missing",
    ("dataOutputAssociation", "targetRef"): "data_association_target_missing",
    ("ioSpecification", "inputSet"): "input_set_missing",
    ("ioSpecification", "outputSet"): "output_set_missing",
    ("operation", "inMessageRef"): "operation_message_missing",
    ("interface", "operation"): "interface_without_operation",
}
_LOOPS = frozenset({"multiInstanceLoopCharacteristics", "standardLoopCharacteristics"})
_TIMES = frozenset({"timeDate", "timeDuration", "timeCycle"})


def ids_are_unique(index: Index) -> None:
    for doc in index.docs:
        for key, element, of_bpmn in doc.repeated:
            index.at("id_repeated", doc, element, "error" if of_bpmn else "warning", id=key)


def ids_are_names(index: Index) -> None:
    for doc in index.docs:
        for key, node in doc.ids.items():
            if not _NCNAME.fullmatch(key):
                index.warn("id_not_a_name", node, id=key)


def nodes_have_ids(index: Index) -> None:
    for node in index.among(_REFERRED):
        if not node.id:
            index.warn("id_missing", node, kind=node.kind)


def elements_are_known(index: Index) -> None:
    """Elements without a namespace, of another one outside extensionElements, or inside it."""
    for doc in index.docs:
        for element, _ in doc.unqualified:
            index.at("element_unknown", doc, element, "error", kind=element.tag)
        for element, parent in doc.misplaced:
            kind = element.tag.rpartition("}")[2]
            index.at("element_misplaced", doc, element, "warning", kind=kind, parent=parent.kind)


def elements_fit_the_schema(index: Index) -> None:
    for nodes in list(index.kinds.values()):
        for node in nodes:
            for element in node.foreign:
                kind = element.tag.rpartition("}")[2]
                index.at("extension_misplaced", node.doc, element, "warning", kind=kind)
            if node.type is not None:
                _check_attributes(index, node, node.type)
                _check_children(index, node, node.type)


def _check_attributes(index: Index, node: Node, type_: Type) -> None:
    if node.kind in EXPRESSIONS or type_.name == "expression":
        type_ = TYPES["formalExpression"]
    elif type_.name == "baseElement":
        return  # Its real type stands in xsi:type.
    for name, value in node.attributes.items():
        if "}" in name and not name.startswith("{http://www.omg.org/spec/BPMN/20100524/MODEL}"):
            continue
        known = type_.attributes.get(name)
        if known is None:
            index.wrong("attribute_unknown", node, attribute=name.rpartition("}")[2], of=node.kind)
        elif known.kind and not _fits(known.kind, value.strip()):
            index.wrong("attribute_value_unknown", node, attribute=name, value=value)
    for name in type_.required_attributes:
        if name not in node.attributes:
            error = (node.kind, name) != ("import", "location")
            index.say(error, "attribute_missing", node, attribute=name)


def expressions_are_expressions(index: Index) -> None:
    """The type that stands in xsi:type is one of the two that expressions have."""
    for nodes in list(index.kinds.values()):
        for node in nodes:
            value = node.attributes.get(_XSI_TYPE)
            if value is None or node.type is None or "expression" not in node.type.lineage:
                continue
            if value.strip().rpartition(":")[2] not in ("tExpression", "tFormalExpression"):
                index.wrong("attribute_value_unknown", node, attribute="xsi:type", value=value)


def _fits(kind: str, value: str) -> bool:
    allowed = ENUMERATIONS.get(kind)
    if kind in URIS and not value.startswith("##"):
        return True
    if allowed is not None:
        return value in allowed
    return kind != "i" or _INTEGER.fullmatch(value) is not None


def _check_children(index: Index, node: Node, type_: Type) -> None:
    seen: set[str] = set()
    last, in_order = -1, True
    for child in node.children:
        known = type_.children.get(child.kind)
        if known is None:
            _misplaced(index, child, node)
            continue
        if child.kind in seen and not known.repeatable:
            index.wrong("child_repeated", child, kind=child.kind)
        if known.position < last and in_order and child.kind not in _TIMES:
            index.warn("element_order_wrong", child, kind=child.kind)
            in_order = False
        last = max(last, known.position)
        seen.add(child.kind)
    if seen >= _LOOPS:
        index.wrong("loop_repeated", node)
    for name in type_.required_children:
        if name not in seen:
            code = _CHILD_CODES.get((node.kind, name), "child_missing")
            index.wrong(code, node, **({"kind": name} if code == "child_missing" else {}))


def _misplaced(index: Index, child: Node, parent: Node) -> None:
    if child.kind not in LOCAL and (child.type is None or child.type.abstract):
        index.wrong("element_unknown", child, kind=child.kind)
    else:
        index.wrong("element_misplaced", child, kind=child.kind, parent=parent.kind)


def text_has_a_place(index: Index) -> None:
    """Text directly inside an element that has only elements."""
    for nodes in index.kinds.values():
        for node in nodes:
            type_ = node.type
            if type_ is None or type_.text or type_.open or type_.name == "baseElement":
                continue
            text = node.element.text
            if text and not text.isspace():
                index.warn("text_misplaced", node, text=text.strip()[:40])


def imports_are_there(index: Index) -> None:
    for node in index.of("import"):
        if node.get("importType") == "http://www.omg.org/spec/BPMN/20100524/MODEL":
            location = node.get("location").rpartition("/")[2]
            if location not in {file.rpartition("/")[2] for file in index.files}:
                index.warn("import_unknown", node, location=node.get("location"))


RULES = (
    ids_are_unique,
    ids_are_names,
    nodes_have_ids,
    elements_are_known,
    elements_fit_the_schema,
    expressions_are_expressions,
    text_has_a_place,
    imports_are_there,
)
