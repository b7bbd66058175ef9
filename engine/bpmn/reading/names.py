"""Names and namespaces of BPMN and of the dialects that extend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.bpmn.documents import local_name

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
CAMUNDA = ("http://camunda.org/schema/1.0/bpmn", "http://activiti.org/bpmn")
ZEEBE = "http://camunda.org/schema/zeebe/1.0"

EVENT_KINDS = {
    "messageEventDefinition": "message",
    "signalEventDefinition": "signal",
    "timerEventDefinition": "timer",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "conditionalEventDefinition": "conditional",
    "linkEventDefinition": "link",
    "compensateEventDefinition": "compensation",
    "cancelEventDefinition": "cancel",
    "terminateEventDefinition": "terminate",
}


def is_bpmn(node: etree._Element) -> bool:
    return isinstance(node.tag, str) and node.tag.startswith(f"{{{BPMN}}}")


def tag(name: str) -> str:
    """The full XML name of a BPMN element."""
    return f"{{{BPMN}}}{name}"


def text_of(node: etree._Element | None) -> str:
    return "" if node is None else "".join(map(str, node.itertext())).strip()


def local(reference: str | None) -> str | None:
    """A reference without its namespace prefix."""
    return None if reference is None else reference.strip().rpartition(":")[2]


def processes_in(roots: Mapping[str, etree._Element]) -> Iterator[tuple[str, etree._Element]]:
    """The file and element of each process."""
    for file, root in roots.items():
        for process in root.iterfind(f".//{tag('process')}"):
            yield file, process


def definitions(node: etree._Element) -> list[etree._Element]:
    """The event definitions of an event, those it refers to included."""
    found = [child for child in node if local_name(child) in EVENT_KINDS]
    references = [local(text_of(child)) for child in node.findall(tag("eventDefinitionRef"))]
    if references:
        root = node.getroottree().getroot()
        found += [child for child in root if child.get("id") in references]
    return found


def is_true(value: str | None, default: bool = False) -> bool:
    return default if value is None else value.strip().lower() in ("true", "1")


def extensions(node: etree._Element, namespace: str, name: str) -> list[etree._Element]:
    """The extension elements `name` of `namespace` directly on `node`."""
    holder = node.find(tag("extensionElements"))
    return [] if holder is None else holder.findall(f"{{{namespace}}}{name}")


def extension(node: etree._Element, namespace: str, name: str) -> etree._Element | None:
    found = extensions(node, namespace, name)
    return found[0] if found else None


def camunda(node: etree._Element, name: str) -> str | None:
    """An attribute of Camunda 7's namespace, or Activiti's."""
    for namespace in CAMUNDA:
        if (value := node.get(f"{{{namespace}}}{name}")) is not None:
            return str(value)
    return None


def camunda_elements(node: etree._Element, name: str) -> list[etree._Element]:
    return [each for namespace in CAMUNDA for each in extensions(node, namespace, name)]


def lanes(process: etree._Element) -> dict[str, str]:
    """The name of the innermost lane of each element that has one."""
    found: dict[str, str] = {}
    for lane_set in process.findall(tag("laneSet")):
        _lanes_in(lane_set, found, 0)
    return found


def _lanes_in(lane_set: etree._Element, found: dict[str, str], depth: int) -> None:
    for lane in lane_set.findall(tag("lane")):
        for reference in lane.findall(tag("flowNodeRef")):
            found[local(text_of(reference)) or ""] = lane.get("name") or lane.get("id") or ""
        inner = lane.find(tag("childLaneSet"))
        if inner is not None and depth < 20:
            _lanes_in(inner, found, depth + 1)
