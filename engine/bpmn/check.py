"""What is wrong with a diagram, said before it runs: with file, element, line and reason.

An element that SpiffWorkflow would run otherwise than BPMN says, and that is not put right in this
package, is refused here; nothing is run wrongly in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.bpmn.documents import line_of, local_name
from engine.bpmn.expressions import EXPRESSIONS
from engine.bpmn.model import (
    CONDITIONAL,
    FLOW_NODES,
    condition,
    definitions,
    is_bpmn,
    lanes,
    processes_in,
    settings,
    tag,
)
from engine.domain.process import Element, Finding, Severity

MAX_NODES = 300
"""Flow nodes in one process: the parser recurses along each path."""

_BESIDE_NODES = frozenset(
    {
        "extensionElements",
        "incoming",
        "outgoing",
        "sequenceFlow",
        "laneSet",
        "documentation",
        "textAnnotation",
        "association",
        "group",
        "category",
    }
)
_IN_NODES = _BESIDE_NODES - {"sequenceFlow", "laneSet"} | {"script"}
_RESERVED = re.compile(
    r"Start|End|Root|StartEventSplit|StartEventJoin|.*\.Boundary.*|.*\.EndJoin|.*\[child\].*"
)


@dataclass
class Scope:
    """A process or embedded subprocess, with its flow nodes and sequence flows."""

    file: str
    element: etree._Element
    nodes: list[etree._Element]
    flows: list[etree._Element]
    inside: tuple[etree._Element, ...] = ()
    """The subprocesses around it, innermost first."""

    def outgoing(self, node: etree._Element) -> list[etree._Element]:
        return [flow for flow in self.flows if flow.get("sourceRef") == node.get("id")]

    def incoming(self, node: etree._Element) -> list[etree._Element]:
        return [flow for flow in self.flows if flow.get("targetRef") == node.get("id")]

    def node(self, id_: str | None) -> etree._Element | None:
        return next((node for node in self.nodes if node.get("id") == id_), None)

    def attached(self, node: etree._Element) -> list[etree._Element]:
        return [each for each in self.nodes if each.get("attachedToRef") == node.get("id")]


@dataclass
class Checked:
    """What the check has found: the flow nodes, the scopes they are in, and what is wrong."""

    elements: dict[str, Element] = field(default_factory=dict)
    scopes: list[Scope] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def wrong(
        self,
        code: str,
        file: str,
        node: etree._Element,
        params: Mapping[str, Any] | None = None,
        severity: Severity = "error",
    ) -> None:
        """Note a finding at `node`, `params` being what its sentence needs."""
        self.findings.append(
            Finding(code, file, node.get("id"), line_of(node), severity, params or {})
        )


def check_structure(roots: Mapping[str, etree._Element]) -> Checked:
    """Everything about nodes and flows that does not depend on the kind of node."""
    checked = Checked()
    ids: set[str] = set()
    for file, process in processes_in(roots):
        if not process.get("id") or process.get("id") in ids:
            checked.wrong("id_repeated", file, process, {"id": process.get("id") or ""})
        ids.add(process.get("id") or "")
    for file, process in processes_in(roots):
        if process.get("isExecutable", "true") != "true":
            checked.wrong("process_not_executable", file, process)
        if sum(1 for node in process.iter() if _is_node(node)) > MAX_NODES:
            checked.wrong("process_too_large", file, process, {"nodes": MAX_NODES})
            continue
        _check_scope(checked, file, process, (), ids)
    for scope in checked.scopes:
        _check_flows(checked, scope)
        _check_reachable(checked, scope)
    _check_drawn(checked, roots)
    return checked


def _is_node(node: etree._Element) -> bool:
    return is_bpmn(node) and local_name(node) in FLOW_NODES


def _check_scope(
    checked: Checked,
    file: str,
    element: etree._Element,
    inside: tuple[etree._Element, ...],
    ids: set[str],
) -> None:
    scope = Scope(
        file,
        element,
        [child for child in element if _is_node(child)],
        element.findall(tag("sequenceFlow")),
        inside,
    )
    checked.scopes.append(scope)
    in_lanes = lanes(element.getroottree().getroot())
    for child in element:
        event = local_name(child).endswith("EventDefinition")
        if is_bpmn(child) and not _is_node(child) and not event:
            _check_known(checked, file, child, _BESIDE_NODES)
    for node in scope.nodes:
        _check_id(checked, file, node, ids)
        id_ = node.get("id") or ""
        checked.elements.setdefault(
            id_,
            Element(
                id=id_,
                kind=local_name(node),
                name=node.get("name") or "",
                file=file,
                line=line_of(node),
                properties=settings(node),
                lane=in_lanes.get(id_),
            ),
        )
        if local_name(node) == "subProcess":
            _check_scope(checked, file, node, (node, *inside), ids)
        else:
            for child in node:
                if is_bpmn(child) and not local_name(child).endswith("EventDefinition"):
                    _check_known(checked, file, child, _IN_NODES)


def _check_known(checked: Checked, file: str, child: etree._Element, known: Iterable[str]) -> None:
    if local_name(child) not in known:
        named = child if child.get("id") else child.getparent()
        checked.wrong(
            "element_unsupported",
            file,
            named if named is not None else child,
            {"kind": local_name(child)},
        )


def _check_id(checked: Checked, file: str, node: etree._Element, ids: set[str]) -> None:
    id_ = node.get("id") or ""
    if not id_ or _RESERVED.fullmatch(id_):
        checked.wrong("id_reserved", file, node, {"id": id_})
    elif id_ in ids:
        checked.wrong("id_repeated", file, node, {"id": id_})
    ids.add(id_)


def _check_flows(checked: Checked, scope: Scope) -> None:
    ids = {node.get("id") for node in scope.nodes}
    for flow in scope.flows:
        for end in ("sourceRef", "targetRef"):
            if flow.get(end) not in ids:
                reference = flow.get(end) or ""
                checked.wrong("reference_unknown", scope.file, flow, {"reference": reference})
    for node in scope.nodes:
        _check_outgoing(checked, scope, node)
    starts = [node for node in scope.nodes if local_name(node) == "startEvent"]
    if len(starts) != 1:
        checked.wrong("start_event_count", scope.file, scope.element, {"count": len(starts)})
    if not any(local_name(node) == "endEvent" for node in scope.nodes):
        checked.wrong("no_end_event", scope.file, scope.element)


def _check_outgoing(checked: Checked, scope: Scope, node: etree._Element) -> None:
    file, kind, outgoing = scope.file, local_name(node), scope.outgoing(node)
    if kind == "endEvent":
        if outgoing:
            checked.wrong("flow_after_end", file, node)
        return
    if not outgoing:
        checked.wrong("path_without_end", file, node)
    targets = [flow.get("targetRef") for flow in outgoing]
    if kind != "exclusiveGateway" and len(set(targets)) < len(targets):
        checked.wrong("flow_repeated", file, node)
    default = node.get("default")
    if default and default not in {flow.get("id") for flow in outgoing}:
        checked.wrong("reference_unknown", file, node, {"reference": default})
    for flow in outgoing:
        text = condition(flow)
        if text is not None:
            if kind not in CONDITIONAL:
                checked.wrong("condition_not_at_gateway", file, flow)
            elif (reason := EXPRESSIONS.check(text)) is not None:
                checked.wrong("expression_refused", file, flow, {"reason": reason})
        elif kind in CONDITIONAL and len(outgoing) > 1 and flow.get("id") != default:
            checked.wrong("flow_without_condition", file, flow)
    if kind in CONDITIONAL and len(outgoing) > 1 and not default:
        checked.wrong("gateway_without_default", file, node, severity="warning")


def _check_reachable(checked: Checked, scope: Scope) -> None:
    reached: set[str | None] = set()
    ahead = [node for node in scope.nodes if local_name(node) == "startEvent"]
    while ahead:
        here = ahead.pop()
        if here.get("id") not in reached:
            reached.add(here.get("id"))
            targets = [scope.node(flow.get("targetRef")) for flow in scope.outgoing(here)]
            ahead += [node for node in targets if node is not None] + scope.attached(here)
    for node in scope.nodes:
        if node.get("id") not in reached:
            checked.wrong("element_unreachable", scope.file, node, severity="warning")
        elif local_name(node) == "boundaryEvent" and scope.incoming(node):
            checked.wrong("flow_into_event", scope.file, node)
        elif local_name(node) == "startEvent" and (scope.incoming(node) or definitions(node)):
            kind = (definitions(node) or ["incoming"])[0]
            checked.wrong("element_unsupported", scope.file, node, {"kind": kind})


def _check_drawn(checked: Checked, roots: Mapping[str, etree._Element]) -> None:
    for file, root in roots.items():
        shapes = {
            each.get("bpmnElement") for each in root.iter() if local_name(each) == "BPMNShape"
        }
        for scope in checked.scopes:
            if scope.file == file:
                for node in scope.nodes:
                    if node.get("id") not in shapes:
                        checked.wrong("shape_missing", file, node, severity="warning")
