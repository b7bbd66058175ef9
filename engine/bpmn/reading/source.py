"""One file as it is read: its root, dialect, and what is found wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.bpmn.documents import line_of
from engine.bpmn.languages import (
    Expression,
    LanguageUnknown,
    NotAllowed,
    read_expression,
    read_script,
)
from engine.bpmn.reading.names import ZEEBE, local, tag
from engine.domain.process import Finding, Severity


@dataclass
class Source:
    """A BPMN file while it is read. `decisions` and `processes` are what its tasks may call."""

    file: str
    root: etree._Element
    findings: list[Finding]
    decisions: frozenset[str]
    processes: frozenset[str]
    by_id: dict[str, etree._Element] = field(default_factory=dict)
    leading: str = "python"

    def __post_init__(self) -> None:
        for element in self.root.iter():
            if isinstance(element.tag, str) and (id_ := element.get("id")):
                self.by_id.setdefault(id_, element)
        if ZEEBE in (self.root.nsmap or {}).values():
            self.leading = "feel"

    def wrong(
        self,
        code: str,
        node: etree._Element,
        params: Mapping[str, Any] | None = None,
        severity: Severity = "error",
    ) -> None:
        """Note a finding at `node`, or at the nearest element around it that has an id."""
        named = node
        while not named.get("id") and named.getparent() is not None:
            named = named.getparent()
        self.findings.append(
            Finding(code, self.file, named.get("id"), line_of(node), severity, params or {})
        )

    def warn(self, code: str, node: etree._Element, **params: Any) -> None:
        self.wrong(code, node, params, "warning")

    def unsupported(self, node: etree._Element, kind: str) -> None:
        self.wrong("element_unsupported", node, {"kind": kind})

    def referred(self, node: etree._Element, attribute: str, kind: str) -> etree._Element | None:
        """The element an attribute refers to; a finding if there is none of that kind."""
        reference = local(node.get(attribute))
        if not reference:
            return None
        found = self.by_id.get(reference)
        if found is None or found.tag != tag(kind):
            self.wrong("reference_unknown", node, {"reference": reference})
            return None
        return found

    def expression(
        self, node: etree._Element, text: str | None, language: str | None = None
    ) -> Expression | None:
        """The expression `text`; None, with a finding, if it cannot be read."""
        return self._read(node, text, language, read_expression)

    def script(
        self, node: etree._Element, text: str | None, language: str | None = None
    ) -> Expression | None:
        return self._read(node, text, language, read_script)

    def _read(
        self,
        node: etree._Element,
        text: str | None,
        language: str | None,
        read: Callable[[str, str | None, str], Expression],
    ) -> Expression | None:
        if text is None or not text.strip():
            return None
        try:
            return read(text, language, self.leading)
        except LanguageUnknown as error:
            self.wrong("language_unsupported", node, {"language": str(error)})
        except NotAllowed as error:
            self.wrong("expression_refused", node, {"reason": str(error)})
        return None

    def text_or_expression(self, node: etree._Element, text: str | None) -> str | Expression | None:
        """A name as it stands, or the expression that gives it."""
        if not text:
            return None
        if "${" in text or "#{" in text or text.startswith("="):
            return self.expression(node, text)
        return text
