"""Rounds of activities: standard loops and multi-instance, as the dialects write them."""

from __future__ import annotations

from lxml import etree

from engine.bpmn.documents import local_name
from engine.bpmn.languages import Expression
from engine.bpmn.model import EventSpec, Loop
from engine.bpmn.reading.data import variable_of
from engine.bpmn.reading.events import read_event
from engine.bpmn.reading.names import (
    EVENT_KINDS,
    SPIFF,
    ZEEBE,
    camunda,
    extension,
    is_true,
    local,
    tag,
    text_of,
)
from engine.bpmn.reading.source import Source

SCRIPTS_INSIDE = f"{{{SPIFF}}}scriptsOnInstances"


def read_loop(source: Source, node: etree._Element) -> Loop | None:
    standard = node.find(tag("standardLoopCharacteristics"))
    if standard is not None:
        maximum = (standard.get("loopMaximum") or "").strip()
        condition = source.expression(node, text_of(standard.find(tag("loopCondition"))))
        if condition is None and not maximum.isdigit():
            source.wrong("loop_without_condition", node)
        return Loop(
            "standard",
            condition=condition,
            test_before=is_true(standard.get("testBefore")),
            maximum=int(maximum) if maximum.isdigit() else None,
            scripts_inside=is_true(standard.get(SCRIPTS_INSIDE)),
        )
    several = node.find(tag("multiInstanceLoopCharacteristics"))
    return None if several is None else _several(source, node, several)


def _several(source: Source, node: etree._Element, loop: etree._Element) -> Loop:
    of = extension(loop, ZEEBE, "loopCharacteristics")
    cardinality = source.expression(node, text_of(loop.find(tag("loopCardinality"))))
    collection, item = _collection(source, node, loop, of)
    output, output_item = _output(source, node, loop, of)
    if cardinality is None and collection is None:
        source.wrong("multi_instance_number_missing", node)
    throws, complex_throws = _behavior(source, node, loop)
    return Loop(
        "sequential" if is_true(loop.get("isSequential")) else "parallel",
        cardinality,
        collection,
        item,
        output,
        output_item,
        source.expression(node, text_of(loop.find(tag("completionCondition")))),
        behavior=loop.get("behavior") or "All",
        throws=throws,
        complex_throws=complex_throws,
        first=1 if of is not None else 0,
        scripts_inside=is_true(loop.get(SCRIPTS_INSIDE)),
    )


def _collection(
    source: Source, node: etree._Element, loop: etree._Element, of: etree._Element | None
) -> tuple[Expression | None, str | None]:
    if of is not None:
        return source.expression(node, of.get("inputCollection")), of.get("inputElement")
    text = camunda(loop, "collection")
    item = camunda(loop, "elementVariable")
    reference = text_of(loop.find(tag("loopDataInputRef")))
    data_item = loop.find(tag("inputDataItem"))
    if item is None and data_item is not None:
        name = data_item.get("name") or ""
        item = name if name.isidentifier() else data_item.get("id")
    if text is None and reference:
        text = variable_of(source, reference) or reference
        origin = _bound_to(source, node, reference)
        text = origin or text
    return source.expression(node, text), item


def _bound_to(source: Source, node: etree._Element, reference: str) -> str | None:
    """The variable that a data input association gives to the data input `reference`."""
    for each in node.findall(tag("dataInputAssociation")):
        if local(text_of(each.find(tag("targetRef")))) == local(reference):
            return variable_of(source, text_of(each.find(tag("sourceRef"))))
    return None


def _output(
    source: Source, node: etree._Element, loop: etree._Element, of: etree._Element | None
) -> tuple[str | None, Expression | None]:
    if of is not None:
        output = of.get("outputCollection")
        return output, source.expression(node, of.get("outputElement")) if output else None
    reference = text_of(loop.find(tag("loopDataOutputRef")))
    item = loop.find(tag("outputDataItem"))
    if not reference or item is None:
        return None, None
    output = variable_of(source, reference) or local(reference)
    for each in node.findall(tag("dataOutputAssociation")):
        if local(text_of(each.find(tag("sourceRef")))) == local(reference):
            output = variable_of(source, text_of(each.find(tag("targetRef")))) or output
    name = item.get("name") or ""
    return output, source.expression(node, name if name.isidentifier() else item.get("id"))


def _behavior(
    source: Source, node: etree._Element, loop: etree._Element
) -> tuple[EventSpec | None, tuple[tuple[Expression, EventSpec], ...]]:
    behavior = loop.get("behavior") or "All"
    throws = None
    if behavior in ("None", "One"):
        attribute = "noneBehaviorEventRef" if behavior == "None" else "oneBehaviorEventRef"
        throws = _referred_event(source, node, loop.get(attribute))
    made: list[tuple[Expression, EventSpec]] = []
    for each in loop.findall(tag("complexBehaviorDefinition")):
        condition = source.expression(node, text_of(each.find(tag("condition"))))
        event = each.find(tag("event"))
        definition = [] if event is None else [e for e in event if local_name(e) in EVENT_KINDS]
        if condition is not None and definition:
            read = read_event(source, node, definition[0])
            if read is not None:
                made.append((condition, read))
    return throws, tuple(made)


def _referred_event(
    source: Source, node: etree._Element, reference: str | None
) -> EventSpec | None:
    found = source.by_id.get(local(reference) or "")
    if found is None or local_name(found) not in EVENT_KINDS:
        source.wrong("reference_unknown", node, {"reference": reference or ""})
        return None
    return read_event(source, node, found)
