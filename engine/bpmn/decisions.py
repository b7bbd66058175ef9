"""Decision tables (DMN 1.1 to 1.3), evaluated here: one table a file, S-FEEL's common cells.

A cell that cannot be read is refused at publish; SpiffWorkflow would let several kinds of cell
never match, in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.bpmn import expressions
from engine.bpmn.documents import line_of, local_name, read_xml
from engine.domain.process import Finding

POLICIES = ("FIRST", "UNIQUE", "ANY", "COLLECT", "RULE ORDER")
MAX_RULES = 2_000
Test = Callable[[Any], bool]
_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"([\[(\]])\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*([\])\[])")
_COMPARISON = re.compile(rf"(<=|>=|<|>)\s*({_NUMBER})")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


class DecisionFailed(Exception):
    """No rule, or more rules than the hit policy allows, fit the data."""


@dataclass(frozen=True)
class Rule:
    id: str
    tests: tuple[Test, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class DecisionTable:
    """`inputs` are expressions over the data; `names` are the outputs' names."""

    id: str
    policy: str
    inputs: tuple[str, ...]
    names: tuple[str, ...]
    rules: tuple[Rule, ...]

    def decide(self, data: Mapping[str, Any]) -> Any:
        """The outputs of the rule that fits, by name; a list of them for COLLECT and RULE ORDER.

        Raises DecisionFailed, or ExpressionFailed from an input or output expression.
        """
        values = [expressions.evaluate(source, data) for source in self.inputs]
        hits = []
        for rule in self.rules:
            if all(test(value) for test, value in zip(rule.tests, values, strict=True)):
                hits.append(rule)
                if self.policy == "FIRST":
                    break
        if self.policy in ("COLLECT", "RULE ORDER"):
            return [self._outputs(rule, data) for rule in hits]
        if not hits:
            raise DecisionFailed("no_rule_matched")
        if self.policy == "UNIQUE" and len(hits) > 1:
            raise DecisionFailed("several_rules_matched")
        outputs = [self._outputs(rule, data) for rule in hits]
        if any(each != outputs[0] for each in outputs):
            raise DecisionFailed("several_rules_matched")
        return outputs[0]

    def _outputs(self, rule: Rule, data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: expressions.evaluate(source, data) if source else None
            for name, source in zip(self.names, rule.outputs, strict=True)
        }


def read_decision(file: str, content: bytes) -> tuple[DecisionTable | None, list[Finding]]:
    """The file's decision table, or None with everything that cannot be read."""
    root, findings = read_xml(file, content)
    if root is None:
        return None, findings
    decisions = [each for each in root.iter() if local_name(each) == "decision"]
    tables = [each for each in root.iter() if local_name(each) == "decisionTable"]
    if len(decisions) != 1 or len(tables) != 1 or not decisions[0].get("id"):
        return None, [Finding("decision_table_unreadable", file, line=line_of(root))]
    return _Reader(file, findings).table(str(decisions[0].get("id")), tables[0])


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if local_name(child) == name]


def _text(element: etree._Element) -> str:
    texts = [child.text or "" for child in element if local_name(child) == "text"]
    return (texts[0] if texts else "").strip()


@dataclass
class _Reader:
    file: str
    findings: list[Finding]

    def wrong(self, code: str, element: etree._Element, **params: Any) -> None:
        ids = [each.get("id") for each in (element, *element.iterancestors()) if each.get("id")]
        self.findings.append(
            Finding(
                code,
                self.file,
                element=ids[0] if ids else None,
                line=line_of(element),
                params=params,
            )
        )

    def table(
        self, id_: str, node: etree._Element
    ) -> tuple[DecisionTable | None, list[Finding]]:
        policy = node.get("hitPolicy", "UNIQUE").upper()
        if policy not in POLICIES or node.get("aggregation"):
            self.wrong("hit_policy_unsupported", node, policy=policy)
        inputs = [self._input(each) for each in _children(node, "input")]
        names = [each.get("name") or "" for each in _children(node, "output")]
        if not names or not all(name.isidentifier() for name in names):
            self.wrong("decision_table_unreadable", node)
        rules = _children(node, "rule")
        if not rules or len(rules) > MAX_RULES:
            self.wrong("decision_table_unreadable", node)
        made = tuple(self._rule(each, len(inputs), len(names)) for each in rules)
        if any(finding.severity == "error" for finding in self.findings):
            return None, self.findings
        return DecisionTable(id_, policy, tuple(inputs), tuple(names), made), self.findings

    def _input(self, node: etree._Element) -> str:
        sources = [_text(each) for each in _children(node, "inputExpression")]
        source = sources[0] if sources else ""
        if reason := expressions.refusal(source):
            self.wrong("expression_refused", node, reason=reason)
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
                self.wrong("decision_cell_unreadable", cell, cell=_text(cell))
        sources = []
        for result in results:
            source = _text(result).removeprefix("=").strip()
            if source and (reason := expressions.refusal(source)):
                self.wrong("expression_refused", result, reason=reason)
            sources.append(_python_literal(source))
        return Rule(node.get("id") or "", tuple(tests), tuple(sources))


def _python_literal(source: str) -> str:
    return {"true": "True", "false": "False", "null": "None"}.get(source, source)


def read_cell(text: str) -> Test:
    """The test of one cell. Raises ValueError for what is not in the subset."""
    text = text.strip()
    if text in ("", "-"):
        return lambda value: True
    if text.startswith("not(") and text.endswith(")"):
        inner = read_cell(text[4:-1])
        return lambda value: not inner(value)
    if text.startswith("contains(") and text.endswith(")"):
        words = [_literal(part) for part in _split(text[9:-1])]
        if not all(isinstance(word, str) and word for word in words):
            raise ValueError(text)
        return lambda value: any(str(word) in str(value or "") for word in words)
    tests = [_single(part) for part in _split(text)]
    return lambda value: any(test(value) for test in tests)


def _split(text: str) -> list[str]:
    """The parts between commas that are not inside quotes."""
    parts, start, quoted = [], 0, False
    for position, character in enumerate(text):
        if character == '"' and (position == 0 or text[position - 1] != "\\"):
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def _single(text: str) -> Test:
    if match := _COMPARISON.fullmatch(text):
        compare, bound = match[1], float(match[2])
        tests: dict[str, Test] = {
            "<": lambda value: value < bound,
            "<=": lambda value: value <= bound,
            ">": lambda value: value > bound,
            ">=": lambda value: value >= bound,
        }
        return _of_number(tests[compare])
    if match := _RANGE.fullmatch(text):
        low, high = float(match[2]), float(match[3])
        open_low, open_high = match[1] in "(]", match[4] in ")["
        return _of_number(
            lambda value: (value > low if open_low else value >= low)
            and (value < high if open_high else value <= high)
        )
    wanted = _literal(text)
    return lambda value: type(value) is not bool and value == wanted if not isinstance(
        wanted, bool
    ) else value is wanted


def _of_number(test: Test) -> Test:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and test(value)
    )


def _literal(text: str) -> Any:
    if match := _TEXT.fullmatch(text):
        return match[1].replace('\\"', '"').replace("\\\\", "\\")
    if re.fullmatch(_NUMBER, text):
        return float(text) if "." in text else int(text)
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    raise ValueError(text)
