"""JUEL, the expression language of Camunda 7 models, over process data and nothing else.

``compile_juel("${order.price <= 250}")`` gives a `Juel`: call it with the data. A text may hold
several expressions: ``"Case ${number} of ${name}"``. Allowed are literals, names, properties,
operators, ``empty``, ``? :``, the methods of text, lists and maps in `methods.METHODS`, and
``execution.getVariable('x')`` with its two sisters. There are no beans, no functions and no
assignment: they are refused when compiled. The cost is bounded by the length of the text and of
the data, so expressions run in this process.

Differences from Camunda: a name or property that is not in the data is null, every method of null
gives null, and a number that Java would wrap round or call Infinity is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.bpmn.juel.lexer import MAX_SOURCE, JuelRefused
from engine.bpmn.juel.parser import parse
from engine.bpmn.juel.values import MAX_TEXT, JuelFailed, to_text
from engine.bpmn.plain import plain_copy

_OPENING = re.compile(r"\\?[$#]\{")


@dataclass(frozen=True)
class Juel:
    """A compiled text. Safe in threads."""

    text: str
    names: frozenset[str]
    _value: Callable[[Mapping[str, Any]], Any]

    def __call__(self, data: Mapping[str, Any]) -> Any:
        """The value over `data`, as plain data that shares nothing with it. Raises JuelFailed."""
        try:
            return plain_copy(self._value(data))
        except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
            raise JuelFailed(f"{self.text.strip()[:100]}: {error}") from error


def is_juel(text: str) -> bool:
    """Whether the text holds an expression, ``${...}`` or ``#{...}``."""
    return any(not found.group().startswith("\\") for found in _OPENING.finditer(text))


@lru_cache(maxsize=4096)
def compile_juel(text: str) -> Juel:
    """The text, ready to be worked out. Raises JuelRefused."""
    if len(text) > MAX_SOURCE:
        raise JuelRefused(text.strip()[:40])
    names: set[str] = set()
    parts: list[str | Callable[[Mapping[str, Any]], Any]] = []
    at = 0
    while found := _OPENING.search(text, at):
        parts.append(text[at : found.start()])
        at = found.end()
        if found.group().startswith("\\"):
            parts.append(found.group()[1:])
            continue
        try:
            value, at = parse(text, at, names)
        except RecursionError as error:
            raise JuelRefused(text[at : at + 40]) from error
        parts.append(value)
    parts.append(text[at:])
    return Juel(text, frozenset(names), _template(parts))


def _template(
    parts: list[str | Callable[[Mapping[str, Any]], Any]],
) -> Callable[[Mapping[str, Any]], Any]:
    told = [part for part in parts if not isinstance(part, str) or part.strip()]
    if len(told) == 1 and not isinstance(told[0], str):
        return told[0]

    def joined(data: Mapping[str, Any]) -> str:
        text = ""
        for part in parts:
            text += part if isinstance(part, str) else to_text(part(data))
            if len(text) > MAX_TEXT:
                raise JuelFailed("the text becomes too long")
        return text

    return joined


__all__ = ["Juel", "JuelFailed", "JuelRefused", "compile_juel", "is_juel"]
