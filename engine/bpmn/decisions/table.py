"""Decisions as they are evaluated."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.bpmn.expressions import ExpressionFailed
from engine.bpmn.languages import Expression
from engine.domain.process import DecisionFacts

POLICIES = ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
LISTS = ("COLLECT", "RULE ORDER", "OUTPUT ORDER")
AGGREGATIONS = ("SUM", "MIN", "MAX", "COUNT")
Test = Callable[[Any, Mapping[str, Any]], bool]


class DecisionFailed(Exception):
    """No rule, or more rules than the hit policy allows, fit the data; `str()` is the reason."""


class Logic(Protocol):
    def decide(self, data: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Rule:
    id: str
    tests: tuple[Test, ...]
    outputs: tuple[Expression | None, ...]
    description: str = ""


@dataclass(frozen=True)
class Output:
    """`values` are the allowed values, the first having the highest priority."""

    name: str
    values: tuple[Any, ...] = ()
    otherwise: Expression | None = None


@dataclass(frozen=True)
class DecisionTable:
    policy: str
    inputs: tuple[Expression, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    aggregation: str | None = None

    def decide(self, data: Mapping[str, Any]) -> Any:
        """The outputs of the rule that fits, by name; for a list policy a list of them.

        Raises DecisionFailed, or ExpressionFailed from an input or output expression.
        """
        hits = [self._named(rule.outputs, data) for _, rule in self._fitting(data)]
        if self.policy in LISTS:
            return self._collected(self._ordered(hits))
        if not hits:
            return self._otherwise(data)
        if self.policy == "UNIQUE" and len(hits) > 1:
            raise DecisionFailed("several_rules_matched")
        if self.policy == "ANY" and any(hit != hits[0] for hit in hits):
            raise DecisionFailed("several_rules_matched")
        return self._ordered(hits)[0]

    def decide_with_rule(self, data: Mapping[str, Any]) -> tuple[Any, int | None, str]:
        """As `decide`, with the number of the rule, from 1, and its description.

        The number is None if no one rule gave the result.
        """
        result = self.decide(data)
        for number, rule in self._fitting(data):
            if result == self._named(rule.outputs, data):
                return result, number, rule.description
        return result, None, ""

    def _fitting(self, data: Mapping[str, Any]) -> list[tuple[int, Rule]]:
        values = [each.evaluate(data) for each in self.inputs]
        found: list[tuple[int, Rule]] = []
        for number, rule in enumerate(self.rules, start=1):
            if all(test(value, data) for test, value in zip(rule.tests, values, strict=True)):
                found.append((number, rule))
                if self.policy == "FIRST":
                    break
        return found

    def _named(
        self, outputs: tuple[Expression | None, ...], data: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            output.name: None if each is None else each.evaluate(data)
            for output, each in zip(self.outputs, outputs, strict=True)
        }

    def _otherwise(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if any(output.otherwise is None for output in self.outputs):
            raise DecisionFailed("no_rule_matched")
        return self._named(tuple(output.otherwise for output in self.outputs), data)

    def _ordered(self, hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.policy not in ("PRIORITY", "OUTPUT ORDER"):
            return hits
        return sorted(hits, key=lambda hit: [_rank(out, hit[out.name]) for out in self.outputs])

    def _collected(self, hits: list[dict[str, Any]]) -> Any:
        if self.aggregation is None:
            return hits
        name = self.outputs[0].name
        values = [hit[name] for hit in hits]
        if self.aggregation == "COUNT":
            return {name: len(values)}
        if not values:
            return {name: None}
        if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            raise DecisionFailed("not_a_number")
        add: dict[str, Callable[[list[Any]], Any]] = {"SUM": sum, "MIN": min, "MAX": max}
        return {name: add[self.aggregation](values)}


def _rank(output: Output, value: Any) -> int:
    return output.values.index(value) if value in output.values else len(output.values)


@dataclass(frozen=True)
class Literal:
    """A decision that is one expression."""

    value: Expression

    def decide(self, data: Mapping[str, Any]) -> Any:
        return self.value.evaluate(data)


@dataclass
class Decision:
    """A decision with those it requires, each decided once and seen under its names."""

    id: str
    name: str
    variable: str
    logic: Logic
    requires: list[Decision] = field(default_factory=list)

    def decide(self, data: Mapping[str, Any]) -> Any:
        """The result: outputs by name, a list of them, or a plain value.

        Raises DecisionFailed, ExpressionFailed.
        """
        return self._decide(data, {})

    def decide_with_rule(self, data: Mapping[str, Any]) -> tuple[Any, int | None, str]:
        """The result, and the number and description of the rule that gave it, if one did.

        Raises as `decide`.
        """
        seen = self._seen(data, {})
        if isinstance(self.logic, DecisionTable):
            return self.logic.decide_with_rule(seen)
        return self.logic.decide(seen), None, ""

    def _decide(self, data: Mapping[str, Any], known: dict[str, Any]) -> Any:
        if self.id not in known:
            known[self.id] = self.logic.decide(self._seen(data, known))
        return known[self.id]

    def _seen(self, data: Mapping[str, Any], known: dict[str, Any]) -> Mapping[str, Any]:
        """The data with the results of what is required under their names."""
        found: dict[str, Any] = {}
        for each in self.requires:
            result = _alone(each._decide(data, known))
            found |= dict.fromkeys({each.variable, each.id, each.name}, result)
        return ChainMap(found, data) if found else data  # type: ignore[arg-type]


def facts_of(decision: Decision) -> DecisionFacts:
    """What can be said of the decision without deciding it."""
    logic = decision.logic
    if not isinstance(logic, DecisionTable):
        return DecisionFacts({decision.id: frozenset()})
    written: dict[str, set[str]] = {output.name: set() for output in logic.outputs}
    for rule in logic.rules:
        for output, each in zip(logic.outputs, rule.outputs, strict=True):
            value = _written_out(each)
            if isinstance(value, str):
                written[output.name].add(value)
    several = logic.policy in LISTS and logic.aggregation is None
    return DecisionFacts({name: frozenset(v) for name, v in written.items()}, several)


def _written_out(expression: Expression | None) -> Any:
    """The value of an expression that needs no data; None if it does."""
    try:
        return None if expression is None else expression.evaluate({})
    except ExpressionFailed:
        return None


def _alone(result: Any) -> Any:
    """What a further decision sees: the value itself where there is only one output."""
    if isinstance(result, dict) and len(result) == 1:
        return next(iter(result.values()))
    if isinstance(result, list):
        return [_alone(each) for each in result]
    return result
