"""FEEL, the expression language of DMN 1.3 and Camunda 8, over process data and nothing else.

``compile_expression("amount > 5 and status = \\"open\\"")`` gives an `Expression`: call it with the
data. ``compile_unary_tests('[1..5], not(9)')`` gives the test of a decision table's cell. What
cannot be worked out is null, as the standard says; nothing here runs code, and each evaluation has
a budget, so expressions run in this process.

Left out: function definitions, external functions, and types other than the simple ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.bpmn.feel.lexer import FeelRefused
from engine.bpmn.feel.parser import parse_expression, parse_unary_tests
from engine.bpmn.feel.values import Context, FeelFailed, to_plain

__all__ = [
    "Expression",
    "FeelFailed",
    "FeelRefused",
    "UnaryTests",
    "compile_expression",
    "compile_unary_tests",
    "to_plain",
]


@dataclass(frozen=True)
class Expression:
    """A compiled expression; `names` are the variables it reads. Safe in threads."""

    source: str
    names: frozenset[str]
    _value: Callable[[Context], Any]

    def __call__(self, data: Mapping[str, Any]) -> Any:
        """The value, with dates and durations as such. Raises FeelFailed at the budget."""
        try:
            return self._value(Context(data))
        except RecursionError as error:
            raise FeelFailed("nested too deeply") from error


@dataclass(frozen=True)
class UnaryTests:
    """The compiled cell of a decision table."""

    source: str
    names: frozenset[str]
    _test: Callable[[Context], Any]

    def __call__(self, value: Any, data: Mapping[str, Any]) -> bool:
        """Whether the cell fits the input `value`. Raises FeelFailed at the budget."""
        try:
            return self._test(Context(data, value)) is True
        except RecursionError as error:
            raise FeelFailed("nested too deeply") from error


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """The expression, ready to be worked out. Raises FeelRefused."""
    made, names = parse_expression(source)
    return Expression(source, names, made)


@lru_cache(maxsize=8192)
def compile_unary_tests(source: str) -> UnaryTests:
    """The cell, ready to be tested. Raises FeelRefused."""
    made, names = parse_unary_tests(source)
    return UnaryTests(source, names, made)
