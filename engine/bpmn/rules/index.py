"""Each document read once: its elements by id and kind, their scopes, the flows of each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from engine.bpmn.documents import line_of
from engine.bpmn.rules.schema import TYPES, Type, global_type, kinds
from engine.domain.process import Finding, Severity

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

ACTIVITIES = kinds("activity") - {"activity"}
SUBPROCESSES = kinds("subProcess")
GATEWAYS = kinds("gateway") - {"gateway"}
CATCHING = kinds("catchEvent") - {"catchEvent"}
THROWING = kinds("throwEvent") - {"throwEvent", "implicitThrowEvent"}
EVENTS = CATCHING | THROWING
DEFINITIONS = kinds("eventDefinition") - {"eventDefinition"}
CHOREOGRAPHIES = kinds("choreography", "subChoreography")
CHOREOGRAPHY_NODES = kinds("choreographyActivity") - {"choreographyActivity"}
FLOW_NODES = ACTIVITIES | GATEWAYS | EVENTS | CHOREOGRAPHY_NODES
CONTAINERS = frozenset({"process"}) | SUBPROCESSES | CHOREOGRAPHIES
EXPRESSIONS = kinds("expression")

_LONGEST = 120
_CLIMB = 64


class Node:
    """One BPMN element, with what the rules ask of it most."""

    __slots__ = (
        "attributes",
        "children",
        "doc",
        "element",
        "foreign",
        "id",
        "incoming",
        "kind",
        "outgoing",
        "parent",
        "process",
        "scope",
        "type",
    )

    def __init__(
        self, doc: Document, element: etree._Element, kind: str, parent: Node | None
    ) -> None:
        self.doc = doc
        self.element = element
        self.kind = kind
        self.parent = parent
        self.attributes: dict[str, str] = dict(element.attrib)
        self.id: str | None = self.attributes.get("id")
        self.children: list[Node] = []
        self.foreign: list[etree._Element] = []
        self.incoming: list[Flow] = []
        self.outgoing: list[Flow] = []
        self.type: Type | None = None
        self.process: Node | None = None
        """The process or choreography it is in."""
        self.scope: Node | None = None
        """The process, subprocess or choreography whose level it is on."""
        if parent is not None:
            parent.children.append(self)
            known = parent.type.children.get(kind) if parent.type is not None else None
            self.type = TYPES.get(known.type) if known is not None else global_type(kind)
            inside = parent.kind in CONTAINERS
            self.scope = parent if inside else parent.scope
            self.process = parent.process or (parent if inside else None)
        else:
            self.type = global_type(kind)

    def get(self, name: str) -> str:
        """The value of an attribute without the blanks around it; empty if there is none."""
        return self.attributes.get(name, "").strip()

    def true(self, name: str, default: bool = False) -> bool:
        value = self.get(name)
        return value in ("true", "1") if value else default

    def all(self, *names: str) -> list[Node]:
        """The children of these kinds."""
        return [child for child in self.children if child.kind in names]

    def first(self, name: str) -> Node | None:
        return next((child for child in self.children if child.kind == name), None)

    @property
    def text(self) -> str:
        """The text directly inside, as in ``<incoming>flow</incoming>``."""
        if len(self.element):
            return "".join(_written(self.element)).strip()
        return (self.element.text or "").strip()

    @property
    def blank(self) -> bool:
        """Whether nothing is written in it, nor said in an attribute of another namespace."""
        extended = any("}" in name and XSI not in name for name in self.attributes)
        return not (extended or self.extended or any(map(str.strip, _written(self.element))))

    @property
    def extended(self) -> bool:
        """Whether a tool has said more of it in another namespace."""
        return any(child.kind == "extensionElements" for child in self.children) or any(
            "}" in name and BPMN not in name and XSI not in name for name in self.attributes
        )

    @property
    def executable(self) -> bool:
        return self.process is not None and self.process.true("isExecutable")


class Flow:
    """A sequence flow whose ends are flow nodes of its file, as far as they are."""

    __slots__ = ("node", "source", "target")

    def __init__(self, node: Node, source: Node | None, target: Node | None) -> None:
        self.node = node
        self.source = source
        self.target = target

    @property
    def condition(self) -> Node | None:
        """Its condition, if one is written; some tools write an empty one on every flow."""
        found = self.node.first("conditionExpression")
        return None if found is None or found.blank else found


class Document:
    """One file."""

    def __init__(self, file: str, root: etree._Element) -> None:
        self.file = file
        self.element = root
        self.ids: dict[str, Node] = {}
        self.repeated: list[tuple[str, etree._Element, bool]] = []
        self.unqualified: list[tuple[etree._Element, Node]] = []
        self.misplaced: list[tuple[etree._Element, Node]] = []
        self.drawn: list[etree._Element] = []
        self.flows: list[Flow] = []
        self.namespaces: dict[str | None, str] = dict(root.nsmap)
        self.root = Node(self, root, "definitions", None)
        self.namespace = self.root.get("targetNamespace")
        self.imported: set[str] = set()


class Index:
    """All documents, and what the rules have found."""

    def __init__(self, roots: Mapping[str, etree._Element]) -> None:
        self.files = frozenset(roots)
        self.docs: list[Document] = []
        self.findings: list[Finding] = []
        self.kinds: dict[str, list[Node]] = {}
        self.elsewhere: dict[str, Node] = {}
        """The first element of each id over all files."""
        self.partners: dict[int, list[Node]] = {}
        """What each element is associated with, by its `id()`."""
        self.triggers: dict[int, list[Node]] = {}
        """The event definitions of each event, by its `id()`, once they have been asked for."""
        for file, root in roots.items():
            if root.tag == f"{{{BPMN}}}definitions":
                self._read(Document(file, root))
            else:
                kind = root.tag if isinstance(root.tag, str) else "?"
                at = Finding("definitions_missing", file, None, line_of(root) or None)
                self.findings.append(_with(at, kind=kind.rpartition("}")[2]))
        self.spaces: dict[str, list[Document]] = {}
        for doc in self.docs:
            self.spaces.setdefault(doc.namespace, []).append(doc)
            for key, node in doc.ids.items():
                self.elsewhere.setdefault(key, node)
        self._connect()

    def of(self, *names: str) -> Iterator[Node]:
        """The elements of these kinds, over all files."""
        for name in names:
            yield from self.kinds.get(name, ())

    def among(self, names: frozenset[str]) -> Iterator[Node]:
        return self.of(*sorted(names))

    def wrong(self, code: str, node: Node, **params: Any) -> None:
        self._add(code, node, "error", params)

    def warn(self, code: str, node: Node, **params: Any) -> None:
        self._add(code, node, "warning", params)

    def say(self, error: bool, code: str, node: Node, **params: Any) -> None:
        """An error or a warning, as the case may be."""
        self._add(code, node, "error" if error else "warning", params)

    def at(
        self, code: str, doc: Document, element: etree._Element, severity: Severity, **params: Any
    ) -> None:
        """A finding at an element that is not BPMN."""
        finding = Finding(code, doc.file, element.get("id"), line_of(element) or None, severity)
        self.findings.append(_with(finding, **params))

    def _add(self, code: str, node: Node, severity: Severity, params: dict[str, Any]) -> None:
        named: Node | None = node
        for _ in range(_CLIMB):
            if named is None or (named.id and named.kind not in DEFINITIONS):
                break
            named = named.parent
        id_ = (named.id if named is not None else None) or node.id
        line = line_of(node.element) or None
        self.findings.append(_with(Finding(code, node.doc.file, id_, line, severity), **params))

    def _read(self, doc: Document) -> None:
        self.docs.append(doc)
        drawn: list[etree._Element] = []
        pending = [doc.root]
        while pending:
            node = pending.pop()
            self.kinds.setdefault(node.kind, []).append(node)
            if node.id is not None:
                if node.id in doc.ids:
                    doc.repeated.append((node.id, node.element, True))
                else:
                    doc.ids[node.id] = node
            if node.kind == "extensionElements":
                prefix = f"{{{BPMN}}}"
                inner = node.element.iterchildren("*")
                doc.misplaced += [(each, node) for each in inner if each.tag.startswith(prefix)]
            elif node.type is None or not node.type.open:
                made = self._children(doc, node, drawn)
                made.reverse()
                pending += made
        for element in drawn:
            self._read_diagram(doc, element)
        doc.imported = {each.get("namespace") for each in doc.root.all("import")}

    @staticmethod
    def _children(doc: Document, node: Node, drawn: list[etree._Element]) -> list[Node]:
        made = []
        for element in node.element.iterchildren("*"):
            space, _, kind = element.tag.rpartition("}")
            if space == "{" + BPMN:
                made.append(Node(doc, element, kind, node))
            elif space == "{" + DI and node.parent is None:
                drawn.append(element)
            elif not space:
                doc.unqualified.append((element, node))
            else:
                node.foreign.append(element)
        return made

    @staticmethod
    def _read_diagram(doc: Document, element: etree._Element) -> None:
        seen: set[str] = set()
        for each in element.iter("*"):
            key = each.get("id")
            if key is not None:
                if key in doc.ids or key in seen:
                    doc.repeated.append((key, each, False))
                seen.add(key)
            doc.drawn.append(each)

    def _connect(self) -> None:
        for node in self.of("sequenceFlow"):
            ends = [node.doc.ids.get(node.get(end)) for end in ("sourceRef", "targetRef")]
            source, target = (
                end if end is not None and end.kind in FLOW_NODES else None for end in ends
            )
            flow = Flow(node, source, target)
            node.doc.flows.append(flow)
            if source is not None:
                source.outgoing.append(flow)
            if target is not None:
                target.incoming.append(flow)
        for node in self.of("association"):
            values = [node.get(end) for end in ("sourceRef", "targetRef")]
            ids = node.doc.ids
            one, other = (ids.get(each) or ids.get(each.rpartition(":")[2]) for each in values)
            if one is not None and other is not None:
                self.partners.setdefault(id(one), []).append(other)
                self.partners.setdefault(id(other), []).append(one)

    def associated(self, node: Node) -> list[Node]:
        """The other ends of the associations of `node`."""
        return self.partners.get(id(node), [])


def _written(element: etree._Element) -> Iterator[str]:
    """The text inside, without that of comments."""
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            yield from child.itertext(with_tail=False)
        yield child.tail or ""


def _with(finding: Finding, **params: Any) -> Finding:
    short = {
        key: value[:_LONGEST] if isinstance(value, str) else value for key, value in params.items()
    }
    return Finding(
        finding.code, finding.file, finding.element, finding.line, finding.severity, short
    )
