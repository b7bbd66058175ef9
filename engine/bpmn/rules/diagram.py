"""Chapter 12: what the drawing shows is in the model. All of it is a matter of warnings."""

from __future__ import annotations

from lxml import etree

from engine.bpmn.rules.index import DI, Document, Index
from engine.bpmn.rules.schema import kinds

_EDGES = frozenset({"association", "conversationLink", "messageFlow", "sequenceFlow"}) | kinds(
    "dataAssociation"
)
_SHAPE, _EDGE, _PLANE = (f"{{{DI}}}{name}" for name in ("BPMNShape", "BPMNEdge", "BPMNPlane"))
_WAYPOINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
_BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"


def shapes_show_elements(index: Index) -> None:
    for doc in index.docs:
        for element in doc.drawn:
            if element.tag not in (_SHAPE, _EDGE, _PLANE):
                continue
            value = (element.get("bpmnElement") or "").strip()
            found = doc.ids.get(value) or doc.ids.get(value.rpartition(":")[2])
            found = found or index.elsewhere.get(value.rpartition(":")[2])
            if found is None:
                if value:
                    index.at("shape_reference_unknown", doc, element, "warning", reference=value)
            elif element.tag != _PLANE and (found.kind in _EDGES) != (element.tag == _EDGE):
                index.at(
                    "shape_kind_wrong", doc, element, "warning", reference=value, kind=found.kind
                )


def shapes_have_a_place(index: Index) -> None:
    for doc in index.docs:
        for element in doc.drawn:
            _check_place(index, doc, element)


def _check_place(index: Index, doc: Document, element: etree._Element) -> None:
    if element.tag == _SHAPE and element.find(_BOUNDS) is None:
        index.at("shape_without_bounds", doc, element, "warning")
    elif element.tag == _EDGE and len(element.findall(_WAYPOINT)) < 2:
        index.at("edge_without_waypoints", doc, element, "warning")


RULES = (shapes_show_elements, shapes_have_a_place)
