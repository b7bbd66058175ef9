"""Decision tables (DMN 1.1 to 1.3), evaluated here: one table a file.

A cell that cannot be read is refused at publish; SpiffWorkflow would let several kinds of cell
never match, in silence, and takes the first of several matches whatever the hit policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.bpmn.cells import Test, literal, read_cell
from engine.bpmn.documents import line_of, local_name, namespace, read_xml
from engine.bpmn.expressions import EXPRESSIONS
from engine.domain.process import Finding

POLICIES = ("FIRST", "UNIQUE", "ANY", "COLLECT", "RULE ORDER")
LISTS = ("COLLECT", "RULE ORDER")
MAX_RULES = 2_000
_DMN = re.compile(r"https?://www\.omg\.org/spec/DMN/(20151101/dmn\.xsd|(20180521|20191111)/MODEL/)")


class DecisionFailed(Exception):
    """No rule, or more rules than the hit policy allows, fit the data; `str()` is the reason."""


@dataclass(frozen=True)
class Output:
    """An output cell: a literal `value`, or an expression `source` over the data."""

    value: Any = None
    source: str | None = None

    def of(self, data: Mapping[str, Any]) -> Any:
        return self.value if self.source is None else EXPRESSIONS.evaluate(self.source, data)


@dataclass(frozen=True)
class Rule:
    id: str
    tests: tuple[Test, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class DecisionTable:
    """`inputs` are expressions over the data; `names` are the outputs' names.

    `otherwise` are the outputs when no rule fits, if the table gives a default for each.
    """

    id: str
    policy: str
    inputs: tuple[str, ...]
    names: tuple[str, ...]
    rules: tuple[Rule, ...]
    otherwise: tuple[Output, ...] | None = None

    def decide(self, data: Mapping[str, Any]) -> Any:
        """The outputs of the rule that fits, by name; a list of them for COLLECT and RULE ORDER.

        Raises DecisionFailed, or ExpressionFailed from an input or output expression.
        """
        values = [EXPRESSIONS.evaluate(source, data) for source in self.inputs]
        hits = []
        for rule in self.rules:
            if all(test(value) for test, value in zip(rule.tests, values, strict=True)):
                hits.append(rule)
                if self.policy == "FIRST":
                    break
        if self.policy in LISTS:
            return [self._named(rule.outputs, data) for rule in hits]
        if not hits:
            if self.otherwise is None:
                raise DecisionFailed("no_rule_matched")
            return self._named(self.otherwise, data)
        if self.policy == "UNIQUE" and len(hits) > 1:
            raise DecisionFailed("several_rules_matched")
        outputs = [self._named(rule.outputs, data) for rule in hits]
        if any(each != outputs[0] for each in outputs):
            raise DecisionFailed("several_rules_matched")
        return outputs[0]

    def _named(self, outputs: tuple[Output, ...], data: Mapping[str, Any]) -> dict[str, Any]:
        return {name: each.of(data) for name, each in zip(self.names, outputs, strict=True)}


def read_decision(file: str, content: bytes) -> tuple[DecisionTable | None, list[Finding]]:
    """The file's decision table, or None with everything that cannot be read."""
    root, findings = read_xml(file, content)
    if root is None:
        return None, findings
    decisions = [each for each in root.iter() if local_name(each) == "decision"]
    tables = [each for each in root.iter() if local_name(each) == "decisionTable"]
    known = _DMN.fullmatch(namespace(root)) is not None
    if not known or len(decisions) != 1 or len(tables) != 1 or not decisions[0].get("id"):
        return None, [Finding("decision_table_unreadable", file, line=line_of(root))]
    return _Reader(file, findings).table(str(decisions[0].get("id")), tables[0])


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if local_name(child) == name]


def _text(element: etree._Element) -> str:
    texts = ["".join(map(str, child.itertext())) for child in _children(element, "text")]
    return (texts[0] if texts else "").strip()


@dataclass
class _Reader:
    file: str
    findings: list[Finding]

    def wrong(self, code: str, element: etree._Element, **params: Any) -> None:
        # Designers find a rule by its id; a cell's own id is shown nowhere.
        around = [element, *element.iterancestors()]
        rule = next((each for each in around if local_name(each) == "rule"), None)
        named = rule if rule is not None and rule.get("id") else None
        if named is None:
            named = next((each for each in around if each.get("id")), element)
        self.findings.append(
            Finding(code, self.file, element=named.get("id"), line=line_of(element), params=params)
        )

    def table(self, id_: str, node: etree._Element) -> tuple[DecisionTable | None, list[Finding]]:
        policy = (node.get("hitPolicy") or "UNIQUE").upper().strip()
        if policy not in POLICIES or node.get("aggregation"):
            self.wrong("hit_policy_unsupported", node, policy=node.get("aggregation") or policy)
        inputs = [self._input(each) for each in _children(node, "input")]
        outputs = _children(node, "output")
        names = [each.get("name") or "" for each in outputs]
        readable = all(name.isidentifier() and not name.startswith("_") for name in names)
        if not names or not readable or len(set(names)) < len(names):
            self.wrong("decision_table_unreadable", node)
        rules = _children(node, "rule")
        if not rules or len(rules) > MAX_RULES:
            self.wrong("decision_table_unreadable", node)
        made = tuple(self._rule(each, len(inputs), len(names)) for each in rules)
        otherwise = self._otherwise(outputs)
        if any(finding.severity == "error" for finding in self.findings):
            return None, self.findings
        table = DecisionTable(id_, policy, tuple(inputs), tuple(names), made, otherwise)
        return table, self.findings

    def _input(self, node: etree._Element) -> str:
        sources = [_text(each) for each in _children(node, "inputExpression")]
        source = sources[0] if sources else ""
        self._expression(node, source)
        return source

    def _rule(self, node: etree._Element, inputs: int, outputs: int) -> Rule:
        cells, results = _children(node, "inputEntry"), _children(node, "outputEntry")
        if len(cells) != inputs or len(results) != outputs:
            self.wrong("decision_rule_uneven", node)
        tests = []
        for cell in cells:
            try:
                tests.append(read_cell(_text(cell)))
            except ValueError:
                self.wrong("decision_cell_unreadable", cell, cell=_text(cell)[:60])
        return Rule(
            node.get("id") or "", tuple(tests), tuple(self._output(each) for each in results)
        )

    def _output(self, cell: etree._Element) -> Output:
        text = _text(cell)
        if text.startswith("="):
            self._expression(cell, text[1:])
            return Output(source=text[1:])
        try:
            return Output(literal(text)) if text else Output()
        except ValueError:
            self.wrong("decision_cell_unreadable", cell, cell=text[:60])
            return Output()

    def _otherwise(self, outputs: list[etree._Element]) -> tuple[Output, ...] | None:
        defaults = [_children(output, "defaultOutputEntry") for output in outputs]
        if not defaults or not all(defaults):
            return None
        return tuple(self._output(each[0]) for each in defaults)

    def _expression(self, node: etree._Element, source: str) -> None:
        if (reason := EXPRESSIONS.check(source)) is not None:
            self.wrong("expression_refused", node, reason=reason)
