"""Reading DMN files: every decision, with what cannot be decided refused at its cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.bpmn.decisions.cells import read_cell
from engine.bpmn.decisions.gaps import check_rules
from engine.bpmn.decisions.table import (
    AGGREGATIONS,
    POLICIES,
    Decision,
    DecisionTable,
    Literal,
    Logic,
    Output,
    Rule,
    Test,
)
from engine.bpmn.documents import line_of, local_name, namespace, read_xml
from engine.bpmn.feel import compile_expression
from engine.bpmn.languages import Expression, LanguageUnknown, NotAllowed, read_expression
from engine.domain.process import Finding, Severity

MAX_RULES = 2_000
_DMN = re.compile(
    r"https?://www\.omg\.org/spec/DMN/(20151101/dmn(11)?\.xsd|20151130|\d{8}/(MODEL|DMN[^/]*)/?)/?"
)
_OTHER_LOGIC = ("context", "invocation", "relation", "list", "functionDefinition", "conditional")


def read_decisions(file: str, content: bytes) -> tuple[dict[str, Decision], list[Finding]]:
    """The file's decisions by id, without those that cannot be read, and all that is wrong."""
    root, findings = read_xml(file, content)
    if root is None:
        return {}, findings
    reader = _Reader(file, findings, root.get("expressionLanguage"))
    decisions = [each for each in root if local_name(each) == "decision"]
    if _DMN.fullmatch(namespace(root)) is None or not decisions:
        reader.wrong("decision_table_unreadable", root)
        return {}, findings
    made: dict[str, Decision] = {}
    for node in decisions:
        decision = reader.decision(node)
        if decision is not None and decision.id in made:
            reader.wrong("id_repeated", node, id=decision.id)
        elif decision is not None:
            made[decision.id] = decision
    reader.join(decisions, made)
    return made, findings


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if local_name(child) == name]


def _text(element: etree._Element) -> str:
    texts = ["".join(map(str, child.itertext())) for child in _children(element, "text")]
    return (texts[0] if texts else "").strip()


@dataclass
class _Reader:
    file: str
    findings: list[Finding]
    language: str | None
    known: frozenset[str] = frozenset()

    def wrong(
        self, code: str, element: etree._Element, severity: Severity = "error", **params: Any
    ) -> None:
        # Designers find a rule by its id; a cell's own id is shown nowhere.
        around = [element, *element.iterancestors()]
        rule = next((each for each in around if local_name(each) == "rule"), None)
        named = rule if rule is not None and rule.get("id") else None
        if named is None:
            named = next((each for each in around if each.get("id")), element)
        self.findings.append(
            Finding(code, self.file, named.get("id"), line_of(element), severity, params)
        )

    def decision(self, node: etree._Element) -> Decision | None:
        id_ = node.get("id") or ""
        before = sum(1 for finding in self.findings if finding.severity == "error")
        logic = self._logic(node)
        after = sum(1 for finding in self.findings if finding.severity == "error")
        if not id_ or logic is None or after > before:
            if after == before:
                self.wrong("decision_table_unreadable", node)
            return None
        variables = _children(node, "variable")
        name = node.get("name") or id_
        variable = variables[0].get("name") if variables else None
        return Decision(id_, name, variable or id_, logic)

    def _logic(self, node: etree._Element) -> Logic | None:
        tables = _children(node, "decisionTable")
        if tables:
            return self._table(tables[0])
        literals = _children(node, "literalExpression")
        if literals:
            read = self._expression(literals[0], _text(literals[0]))
            return None if read is None else Literal(read)
        for kind in _OTHER_LOGIC:
            if _children(node, kind):
                self.wrong("decision_kind_unsupported", node, kind=kind)
        return None

    def join(self, nodes: list[etree._Element], made: dict[str, Decision]) -> None:
        """Give each decision those it requires; a circle is refused."""
        for node in nodes:
            decision = made.get(node.get("id") or "")
            for requirement in _children(node, "informationRequirement"):
                for required in _children(requirement, "requiredDecision"):
                    name = (required.get("href") or "").rpartition("#")[2]
                    if decision is not None and name in made:
                        decision.requires.append(made[name])
                    elif decision is not None:
                        self.wrong("decision_unknown", node, decision=name)
            if _children(node, "knowledgeRequirement"):
                self.wrong("decision_kind_unsupported", node, kind="knowledgeRequirement")
        for node in nodes:
            decision = made.get(node.get("id") or "")
            if decision is not None and _requires_itself(decision):
                self.wrong("decision_recursive", node)
                decision.requires.clear()

    def _table(self, node: etree._Element) -> DecisionTable | None:
        policy = (node.get("hitPolicy") or "UNIQUE").upper().replace("_", " ").strip()
        aggregation = (node.get("aggregation") or "").upper().strip() or None
        if policy not in POLICIES or (aggregation and aggregation not in AGGREGATIONS):
            self.wrong("hit_policy_unsupported", node, policy=aggregation or policy)
        inputs = [self._input(each) for each in _children(node, "input")]
        outputs = [self._output(each) for each in _children(node, "output")]
        if len(outputs) == 1 and not outputs[0].name:
            outputs = [Output(self._decision_name(node), outputs[0].values, outputs[0].otherwise)]
        names = [each.name for each in outputs]
        if not all(names) or len(set(names)) < len(names) or not names:
            self.wrong("decision_table_unreadable", node)
        if aggregation and (policy != "COLLECT" or len(outputs) != 1):
            self.wrong("hit_policy_unsupported", node, policy=aggregation)
        if policy in ("PRIORITY", "OUTPUT ORDER") and not any(each.values for each in outputs):
            self.wrong("hit_policy_unsupported", node, policy=policy)
        rules = _children(node, "rule")
        if not rules or len(rules) > MAX_RULES:
            self.wrong("decision_table_unreadable", node)
            return None
        self.known = self._known_names(node, inputs)
        made = tuple(self._rule(each, len(inputs), len(names)) for each in rules)
        if any(each is None for each in inputs):
            return None
        expressions = tuple(each for each in inputs if each is not None)
        for code, rule in check_rules([self._cells(each) for each in rules], policy):
            self.wrong(code, rules[rule] if rule is not None else node, "warning")
        return DecisionTable(policy, expressions, tuple(outputs), made, aggregation)

    def _known_names(self, node: etree._Element, inputs: list[Expression | None]) -> frozenset[str]:
        """The names a cell may use: of the file's inputs and decisions, and of the columns."""
        root = node.getroottree().getroot()
        names = {each.get("name") for each in root} | {each.get("id") for each in root}
        for each in inputs:
            if each is not None and each.language == "feel":
                names |= compile_expression(each.source).names
        return frozenset(name for name in names if name)

    def _decision_name(self, node: etree._Element) -> str:
        parent = node.getparent()
        return "" if parent is None else parent.get("id") or ""

    def _cells(self, rule: etree._Element) -> list[str]:
        return [_text(each) for each in _children(rule, "inputEntry")]

    def _input(self, node: etree._Element) -> Expression | None:
        expressions = _children(node, "inputExpression")
        if not expressions or not _text(expressions[0]):
            # Camunda lets an input go by its label.
            name = node.get("label") or ""
            if name.isidentifier():
                return Expression(name, "feel")
            self.wrong("expression_refused", node, reason=name)
            return None
        return self._expression(expressions[0], _text(expressions[0]))

    def _output(self, node: etree._Element) -> Output:
        values: list[Any] = []
        for allowed in _children(node, "outputValues"):
            for part in re.findall(r'"(?:[^"\\]|\\.)*"|[^,\s]+', _text(allowed)):
                read = self._expression(allowed, part)
                values.append(None if read is None else read.evaluate({}))
        default = _children(node, "defaultOutputEntry")
        otherwise = self._expression(default[0], _text(default[0])) if default else None
        return Output(node.get("name") or "", tuple(values), otherwise)

    def _rule(self, node: etree._Element, inputs: int, outputs: int) -> Rule:
        cells, results = _children(node, "inputEntry"), _children(node, "outputEntry")
        if len(cells) != inputs or len(results) != outputs:
            self.wrong("decision_rule_uneven", node)
        tests: list[Test] = []
        for cell in cells:
            try:
                tests.append(read_cell(_text(cell), self._language(cell), self.known))
            except ValueError:
                self.wrong("decision_cell_unreadable", cell, cell=_text(cell)[:60])
        made = tuple(self._result(each) for each in results)
        told = [
            " ".join("".join(map(str, each.itertext())).split())
            for each in _children(node, "description")
        ]
        return Rule(node.get("id") or "", tuple(tests), made, (told or [""])[0])

    def _result(self, cell: etree._Element) -> Expression | None:
        text = _text(cell)
        if text in ("True", "False", "None"):
            text = {"True": "true", "False": "false", "None": "null"}[text]
        if not text or text == "-":
            return None
        try:
            made = read_expression(text, self._language(cell))
            if made.language != "feel" or text not in compile_expression(text).names - self.known:
                return made
            self.wrong("decision_cell_unreadable", cell, cell=text[:60])
        except LanguageUnknown as error:
            self.wrong("language_unsupported", cell, language=str(error))
        except NotAllowed as error:
            if text.startswith("="):
                self.wrong("expression_refused", cell, reason=str(error))
            else:
                self.wrong("decision_cell_unreadable", cell, cell=text[:60])
        return None

    def _language(self, node: etree._Element) -> str:
        """FEEL unless the element, its table or the file says otherwise."""
        return node.get("expressionLanguage") or self.language or "feel"

    def _expression(self, node: etree._Element, source: str) -> Expression | None:
        try:
            return read_expression(source, self._language(node))
        except LanguageUnknown as error:
            self.wrong("language_unsupported", node, language=str(error))
        except NotAllowed as error:
            self.wrong("expression_refused", node, reason=str(error))
        return None


def _requires_itself(decision: Decision) -> bool:
    seen: set[str] = set()
    ahead = list(decision.requires)
    while ahead:
        each = ahead.pop()
        if each.id == decision.id:
            return True
        if each.id not in seen:
            seen.add(each.id)
            ahead += each.requires
    return False
