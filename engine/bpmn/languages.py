"""The languages in which designers write conditions and values: Python, FEEL and JUEL.

``${…}`` is JUEL; a leading ``=`` is FEEL in Camunda 8's dialect and Python in ours. Other text is
taken as Python, and as FEEL where it is no Python (``amount = 5``).
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.bpmn.expressions import EXPRESSIONS, ExpressionFailed
from engine.bpmn.feel import FeelFailed, FeelRefused, compile_expression, to_plain
from engine.bpmn.juel import JuelFailed, JuelRefused, compile_juel, is_juel
from engine.bpmn.plain import NotPlain, plain_copy

_PYTHON = re.compile(r"(text/|application/)?(x-)?python[0-9.]*|py", re.IGNORECASE)
_JUEL = re.compile(r"juel|.*unified-?el.*", re.IGNORECASE)
_WORDS = re.compile(r"\b(?:true|false|null)\b")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
"""Words of the other languages, which designers write in Python as well."""
_NONE = frozenset({"", "http://www.w3.org/1999/xpath", "xpath"})


@dataclass(frozen=True)
class Expression:
    """A checked expression, or a script. `language` is python, feel, juel or text (a constant)."""

    source: str
    language: str = "python"

    def evaluate(self, data: Mapping[str, Any]) -> Any:
        """The value over `data`, plain. Raises ExpressionFailed."""
        if self.language == "text":
            return self.source
        if self.language == "python":
            if _WORDS.search(self.source):
                data = ChainMap(_CONSTANTS, data)  # type: ignore[arg-type]
            return EXPRESSIONS.evaluate(self.source, data)
        try:
            if self.language == "feel":
                return plain_copy(to_plain(compile_expression(self.source)(data)))
            return plain_copy(compile_juel(self.source)(data))
        except (FeelFailed, JuelFailed, NotPlain, TypeError, ArithmeticError) as error:
            raise ExpressionFailed(f"{self.source[:100]}: {error}") from error

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Whether a condition holds; what is neither true nor false counts as Python counts it."""
        value = self.evaluate(data)
        return (
            value.strip().lower() == "true"
            if self.language == "juel" and isinstance(value, str)
            else bool(value)
        )


class LanguageUnknown(ValueError):
    """The expression or script is in a language that is not run here; `str()` names it."""


class NotAllowed(ValueError):
    """`str()` is the fragment that is not allowed."""


def read_expression(text: str, language: str | None = None, leading: str = "python") -> Expression:
    """The expression `text`. `leading` is the language that a leading ``=`` stands for.

    Raises LanguageUnknown, NotAllowed.
    """
    source, named = text.strip(), (language or "").strip()
    if is_juel(source):
        return _checked(Expression(source, "juel"))
    if source.startswith("=") and not source.startswith("=="):
        return _checked(Expression(source[1:].strip(), leading))
    if "feel" in named.lower():
        return _checked(Expression(source, "feel"))
    if _JUEL.fullmatch(named):
        return _checked(Expression(f"${{{source}}}", "juel"))
    if _PYTHON.fullmatch(named):
        return _checked(Expression(source))
    if named.lower() not in _NONE:
        raise LanguageUnknown(named)
    try:
        return _checked(Expression(source))
    except NotAllowed as refused:
        try:
            return _checked(Expression(source, "feel"))
        except NotAllowed:
            raise refused from None


def read_script(text: str, language: str | None = None, leading: str = "python") -> Expression:
    """The script `text`; a FEEL or JUEL one is an expression.

    Raises LanguageUnknown, NotAllowed.
    """
    named = (language or "").strip()
    if named.lower() in _NONE or _PYTHON.fullmatch(named):
        if (reason := EXPRESSIONS.check_script(text)) is not None:
            raise NotAllowed(reason)
        return Expression(text, "python")
    return read_expression(text, named, leading)


def _checked(expression: Expression) -> Expression:
    try:
        if expression.language == "python":
            if (reason := EXPRESSIONS.check(expression.source)) is not None:
                raise NotAllowed(reason)
        elif expression.language == "feel":
            compile_expression(expression.source)
        else:
            compile_juel(expression.source)
    except (FeelRefused, JuelRefused) as error:
        raise NotAllowed(str(error)[:60]) from error
    return expression
