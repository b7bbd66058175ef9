"""What goes into and comes out of activities: mappings of the dialects, data objects."""

from __future__ import annotations

from lxml import etree

from engine.bpmn.documents import local_name
from engine.bpmn.languages import Expression, NotAllowed, read_expression
from engine.bpmn.model import Assignment
from engine.bpmn.reading.names import ZEEBE, camunda_elements, extension, local, tag, text_of
from engine.bpmn.reading.source import Source


def _constant_or_expression(source: Source, node: etree._Element, text: str) -> Expression | None:
    if "${" in text or "#{" in text or text.startswith("="):
        return source.expression(node, text)
    return Expression(text, "text")


def read_inputs(source: Source, node: etree._Element) -> list[Assignment]:
    """What is set before the activity begins, in a layer of its own."""
    return [
        *_zeebe_mappings(source, node, "input"),
        *_camunda_parameters(source, node, "inputParameter"),
        *_data_inputs(source, node),
    ]


def read_outputs(source: Source, node: etree._Element) -> list[Assignment]:
    """What is set around the activity when it has completed."""
    return [
        *_zeebe_mappings(source, node, "output"),
        *_camunda_parameters(source, node, "outputParameter"),
        *_data_outputs(source, node),
    ]


def _zeebe_mappings(source: Source, node: etree._Element, name: str) -> list[Assignment]:
    mapping = extension(node, ZEEBE, "ioMapping")
    made = []
    for each in [] if mapping is None else mapping.findall(f"{{{ZEEBE}}}{name}"):
        read = _constant_or_expression(source, node, each.get("source") or "")
        if read is not None and each.get("target"):
            made.append(Assignment(each.get("target") or "", read))
    return made


def _camunda_parameters(source: Source, node: etree._Element, name: str) -> list[Assignment]:
    made = []
    for holder in camunda_elements(node, "inputOutput"):
        for each in holder:
            if local_name(each) != name or not each.get("name"):
                continue
            if len(each):
                read = _structured(source, node, each[0])
            else:
                read = _constant_or_expression(source, node, (each.text or "").strip())
            if read is not None:
                made.append(Assignment(each.get("name") or "", read))
    return made


def _structured(source: Source, node: etree._Element, value: etree._Element) -> Expression | None:
    kind = local_name(value)
    if kind == "script":
        return source.expression(node, value.text, value.get("scriptFormat"))
    texts = [(each.get("key"), (each.text or "").strip()) for each in value]
    if any("${" in text or "#{" in text for _, text in texts):
        source.unsupported(node, kind)
        return None
    if kind == "list":
        return Expression(repr([text for _, text in texts]))
    if kind == "map":
        return Expression(repr({key or "": text for key, text in texts}))
    source.unsupported(node, kind)
    return None


def variable_of(source: Source, reference: str | None) -> str | None:
    """The variable a data object, data store or property is kept in."""
    found = source.by_id.get(local(reference) or "")
    if found is None:
        return None
    kind = local_name(found)
    if kind in ("dataObjectReference", "dataStoreReference"):
        attribute = "dataObjectRef" if kind == "dataObjectReference" else "dataStoreRef"
        return local(found.get(attribute)) or found.get("id")
    if kind in ("dataInput", "dataOutput", "property"):
        name = found.get("name") or ""
        return name if name.isidentifier() else found.get("id")
    return str(found.get("id"))


def _data_inputs(source: Source, node: etree._Element) -> list[Assignment]:
    made = []
    for each in node.findall(tag("dataInputAssociation")):
        target = variable_of(source, text_of(each.find(tag("targetRef"))))
        origin = variable_of(source, text_of(each.find(tag("sourceRef"))))
        made += _data_association(source, node, each, origin, target)
    return made


def _data_outputs(source: Source, node: etree._Element) -> list[Assignment]:
    made = []
    for each in node.findall(tag("dataOutputAssociation")):
        origin = variable_of(source, text_of(each.find(tag("sourceRef"))))
        target = variable_of(source, text_of(each.find(tag("targetRef"))))
        made += _data_association(source, node, each, origin, target)
    return made


def _data_association(
    source: Source,
    node: etree._Element,
    association: etree._Element,
    origin: str | None,
    target: str | None,
) -> list[Assignment]:
    transformation = association.find(tag("transformation"))
    if transformation is not None and target:
        read = source.expression(node, text_of(transformation))
        return [Assignment(target, read)] if read is not None else []
    made = []
    for assignment in association.findall(tag("assignment")):
        left = text_of(assignment.find(tag("from")))
        right = text_of(assignment.find(tag("to")))
        read = source.expression(node, left)
        name = right if right.isidentifier() else target
        if read is not None and name:
            made.append(Assignment(name, read))
    if not made and origin and target and origin != target and _readable(origin):
        made.append(Assignment(target, Expression(origin)))
    return made


def _readable(name: str) -> bool:
    try:
        read_expression(name)
    except (NotAllowed, ValueError):
        return False
    return name.isidentifier()
