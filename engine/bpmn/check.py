"""What is wrong with a diagram, said before it runs: with file, element, line and reason.

An element that SpiffWorkflow would run otherwise than BPMN says, and that is not put right in this
package, is refused here; nothing is run wrongly in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree

from engine.bpmn import expressions, scripts
from engine.bpmn.documents import line_of, local_name
from engine.domain.duration import parse_duration
from engine.domain.process import Element, Finding

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
NAMESPACES = {"bpmn": BPMN, "spiff": SPIFF}
TASKS = frozenset(
    {"userTask", "manualTask", "sendTask", "serviceTask", "scriptTask", "businessRuleTask", "task"}
)
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway"})
EVENTS = frozenset({"startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent"})
ACTIVITIES = TASKS | {"subProcess", "callActivity"}
FLOW_NODES = ACTIVITIES | GATEWAYS | EVENTS
_PLAIN = frozenset(
    {
        "extensionElements",
        "incoming",
        "outgoing",
        "sequenceFlow",
        "laneSet",
        "documentation",
        "textAnnotation",
        "association",
        "script",
        "group",
    }
)
ACTIONS: dict[str, tuple[str, ...]] = {
    "clock.start": ("clock", "limit"),
    "clock.reset": ("clock", "limit"),
    "clock.pause": ("clock",),
    "clock.resume": ("clock",),
    "clock.extend": ("clock", "limit"),
    "clock.stop": ("clock",),
    "case.decide": ("outcome",),
    "recommend": (),
    "task.returned": (),
}
CLOCKS = frozenset({"legal", "promised"})
_RESERVED = re.compile(r"Start|End|Root|StartEventSplit|StartEventJoin|.*\.Boundary.*|.*\[child\]")
_LIMIT = re.compile(r"limit:[a-z][a-z0-9_]*")


@dataclass
class DiagramCheck:
    """Collects the elements and findings of the package's BPMN files."""

    decisions: frozenset[str]
    processes: frozenset[str]
    elements: dict[str, Element] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def wrong(
        self, code: str, file: str, node: etree._Element, *, warning: bool = False, **params: Any
    ) -> None:
        self.findings.append(
            Finding(
                code,
                file,
                element=node.get("id"),
                line=line_of(node),
                severity="warning" if warning else "error",
                params=params,
            )
        )

    def file(self, file: str, root: etree._Element) -> None:
        """Check one file. Its flow nodes become `elements`."""
        lanes = _lanes(root)
        shapes = {
            each.get("bpmnElement") for each in root.iter() if local_name(each) == "BPMNShape"
        }
        for process in root.iterfind(f".//{{{BPMN}}}process"):
            self._scope(file, process, lanes)
            for node in process.iter():
                if local_name(node) in FLOW_NODES and node.get("id") not in shapes:
                    self.wrong("shape_missing", file, node, warning=True)

    def _scope(self, file: str, scope: etree._Element, lanes: Mapping[str, str]) -> None:
        nodes = [child for child in scope if _is_bpmn(child) and local_name(child) in FLOW_NODES]
        for child in scope:
            if _is_bpmn(child) and local_name(child) not in FLOW_NODES | _PLAIN | _EVENT_PARTS:
                self.wrong("element_unsupported", file, child, kind=local_name(child))
        flows = scope.findall(f"{{{BPMN}}}sequenceFlow")
        self._ends(file, scope, nodes)
        ids = {node.get("id") for node in nodes}
        for flow in flows:
            for end in ("sourceRef", "targetRef"):
                if flow.get(end) not in ids:
                    self.wrong("reference_unknown", file, flow, reference=flow.get(end) or "")
        for node in nodes:
            self._node(file, node, flows, lanes, ids)
        self._reachable(file, nodes, flows)
        for node in nodes:
            if local_name(node) == "subProcess":
                self._scope(file, node, lanes)

    def _ends(self, file: str, scope: etree._Element, nodes: list[etree._Element]) -> None:
        starts = [node for node in nodes if local_name(node) == "startEvent"]
        if len(starts) != 1:
            self.wrong("start_event_count", file, scope, count=len(starts))
        for start in starts:
            if _definitions(start):
                self.wrong("element_unsupported", file, start, kind=_definitions(start)[0])
        if not any(local_name(node) == "endEvent" for node in nodes):
            self.wrong("no_end_event", file, scope)

    def _node(
        self,
        file: str,
        node: etree._Element,
        flows: list[etree._Element],
        lanes: Mapping[str, str],
        ids: set[Any],
    ) -> None:
        kind, id_ = local_name(node), node.get("id") or ""
        if not id_ or _RESERVED.fullmatch(id_):
            self.wrong("id_reserved", file, node, id=id_)
        if id_ in self.elements:
            self.wrong("id_repeated", file, node, id=id_)
        for child in node:
            if local_name(child).endswith("LoopCharacteristics"):
                self.wrong("element_unsupported", file, child, kind=local_name(child))
        element = Element(
            id=id_,
            kind=kind,
            name=node.get("name") or "",
            file=file,
            line=line_of(node),
            properties=_properties(node),
            lane=lanes.get(id_),
        )
        self.elements[id_] = element
        for value in element.properties.values():
            if value.startswith("=") and (reason := expressions.refusal(value[1:])):
                self.wrong("expression_refused", file, node, reason=reason)
        self._flows(file, node, [flow for flow in flows if flow.get("sourceRef") == id_])
        checker = getattr(self, f"_check_{kind}", None)
        if checker is not None:
            checker(file, node, element)
        if kind == "boundaryEvent" and node.get("attachedToRef") not in ids:
            self.wrong(
                "reference_unknown", file, node, reference=node.get("attachedToRef") or ""
            )

    def _flows(self, file: str, node: etree._Element, outgoing: list[etree._Element]) -> None:
        kind = local_name(node)
        conditional = kind in ("exclusiveGateway", "inclusiveGateway")
        if kind not in GATEWAYS and len(outgoing) > 1:
            self.wrong("several_outgoing_flows", file, node)
        if kind != "endEvent" and not outgoing:
            self.wrong("path_without_end", file, node)
        for flow in outgoing:
            condition = _condition(flow)
            if condition is not None:
                if not conditional:
                    self.wrong("condition_not_at_gateway", file, flow)
                elif reason := expressions.refusal(condition):
                    self.wrong("expression_refused", file, flow, reason=reason)
            elif conditional and len(outgoing) > 1 and flow.get("id") != node.get("default"):
                self.wrong("flow_without_condition", file, flow)
        if conditional and len(outgoing) > 1 and not node.get("default"):
            self.wrong("gateway_without_default", file, node, warning=True)

    def _check_userTask(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        settings = element.properties
        if not settings.get("form"):
            self.wrong("user_task_without_form", file, node)
        if settings.get("audience", "staff") == "staff" and not settings.get("department"):
            self.wrong("staff_task_without_department", file, node)
        if settings.get("audience", "staff") not in ("staff", "applicant"):
            self.wrong("setting_wrong", file, node, setting="audience")
        if settings.get("role", "caseworker") not in ("caseworker", "manager"):
            self.wrong("setting_wrong", file, node, setting="role")

    def _check_manualTask(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        if element.properties.get("audience") != "applicant" and not element.properties.get(
            "department"
        ):
            self.wrong("staff_task_without_department", file, node)

    def _check_sendTask(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        if not element.properties.get("letter"):
            self.wrong("action_setting_missing", file, node, setting="letter")

    def _check_serviceTask(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        action = element.properties.get("action", "")
        if action not in ACTIONS:
            self.wrong("action_unknown", file, node, action=action)
            return
        for setting in ACTIONS[action]:
            if not element.properties.get(setting):
                self.wrong("action_setting_missing", file, node, setting=setting)
        if set(element.properties.get("clock", "").split()) - CLOCKS:
            self.wrong("setting_wrong", file, node, setting="clock")

    def _check_scriptTask(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        script = node.findtext(f"{{{BPMN}}}script") or ""
        if not script.strip():
            self.wrong("script_missing", file, node)
        elif wrong := scripts.refusal(script):
            self.wrong("expression_refused", file, node, reason=f"{wrong[0]} ({wrong[1]})")

    def _check_businessRuleTask(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        decision = called_decision(node)
        if decision not in self.decisions:
            self.wrong("decision_unknown", file, node, decision=decision)

    def _check_callActivity(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        if node.get("calledElement") not in self.processes:
            self.wrong(
                "reference_unknown", file, node, reference=node.get("calledElement") or ""
            )

    def _check_subProcess(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        if node.get("triggeredByEvent") == "true":
            self.wrong("element_unsupported", file, node, kind="event subProcess")

    def _check_endEvent(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        for definition in _definitions(node):
            if definition != "terminateEventDefinition":
                self.wrong("element_unsupported", file, node, kind=definition)

    def _check_boundaryEvent(self, file: str, node: etree._Element, element: Element) -> None:  # noqa: N802
        self._timer(file, node)

    def _check_intermediateCatchEvent(  # noqa: N802
        self, file: str, node: etree._Element, element: Element
    ) -> None:
        self._timer(file, node)

    def _timer(self, file: str, node: etree._Element) -> None:
        definitions = _definitions(node)
        if definitions != ["timerEventDefinition"]:
            kind = ", ".join(definitions) or local_name(node)
            self.wrong("element_unsupported", file, node, kind=kind)
            return
        text = timer_text(node)
        if text is None or not _timer_is_readable(text):
            self.wrong("timer_unreadable", file, node, timer=text or "")

    def _reachable(
        self, file: str, nodes: list[etree._Element], flows: list[etree._Element]
    ) -> None:
        attached: dict[str, list[str]] = {}
        for node in nodes:
            if local_name(node) == "boundaryEvent":
                attached.setdefault(node.get("attachedToRef") or "", []).append(node.get("id", ""))
        onward: dict[str, list[str]] = {}
        for flow in flows:
            onward.setdefault(flow.get("sourceRef", ""), []).append(flow.get("targetRef", ""))
        reached: set[str] = set()
        ahead = [node.get("id", "") for node in nodes if local_name(node) == "startEvent"]
        while ahead:
            here = ahead.pop()
            if here not in reached:
                reached.add(here)
                ahead += onward.get(here, []) + attached.get(here, [])
        for node in nodes:
            if node.get("id", "") not in reached:
                self.wrong("element_unreachable", file, node, warning=True)


_EVENT_PARTS = frozenset({"timerEventDefinition", "terminateEventDefinition"})


def _is_bpmn(node: etree._Element) -> bool:
    return bool(etree.QName(node).namespace == BPMN)


def _definitions(node: etree._Element) -> list[str]:
    return [local_name(child) for child in node if local_name(child).endswith("EventDefinition")]


def _condition(flow: etree._Element) -> str | None:
    node = flow.find(f"{{{BPMN}}}conditionExpression")
    return None if node is None else (node.text or "").strip()


def timer_text(node: etree._Element) -> str | None:
    """The text of the event's date or duration; None for a cycle or none at all."""
    for name in ("timeDuration", "timeDate"):
        found = node.find(f".//{{{BPMN}}}{name}")
        if found is not None:
            return (found.text or "").strip()
    return None


def _timer_is_readable(text: str) -> bool:
    if text.startswith("="):
        return expressions.refusal(text[1:]) is None
    if _LIMIT.fullmatch(text):
        return True
    try:
        return bool(parse_duration(text) if text.startswith("P") else datetime.fromisoformat(text))
    except ValueError:
        return False


def called_decision(node: etree._Element) -> str:
    """The id of the decision a business rule task calls."""
    found = node.find(f".//{{{SPIFF}}}calledDecisionId")
    return (found.text or "").strip() if found is not None else ""


def _properties(node: etree._Element) -> dict[str, str]:
    path = f"{{{BPMN}}}extensionElements/{{{SPIFF}}}properties/{{{SPIFF}}}property"
    return {each.get("name", ""): each.get("value", "").strip() for each in node.iterfind(path)}


def _lanes(root: etree._Element) -> dict[str, str]:
    lanes = {}
    for reference in root.iter(f"{{{BPMN}}}flowNodeRef"):
        lane = reference.getparent()
        if lane is not None and reference.text:
            lanes[reference.text.strip()] = lane.get("name") or ""
    return lanes


def processes_in(roots: Mapping[str, etree._Element]) -> Iterator[tuple[str, str]]:
    """The id and file of each process."""
    for file, root in roots.items():
        for process in root.iterfind(f".//{{{BPMN}}}process"):
            yield process.get("id") or "", file
