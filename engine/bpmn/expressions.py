"""Designers' expressions and scripts: checked at publish, bounded when they run.

Allowed in an expression are literals, names, ``a.b`` and ``a['b']`` for data, comparisons,
``and or not in``, ``x if c else y``, ``+ - * / // %``, lists, dictionaries, and calls of a few
functions and methods (`allowed.FUNCTIONS`, `allowed.METHODS`). A name or key that is not in the
data is None; None is neither more nor less than anything, holds nothing, has length 0, and every
method of it gives None. A script may also assign to names and keys, branch and loop.

Expressions without calls and multiplication are worked out in this process from the syntax tree;
all else runs in the sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.bpmn import sandbox
from engine.bpmn.allowed import Refused, is_simple, read_expression, read_script
from engine.bpmn.interpreter import interpret
from engine.bpmn.plain import NotPlain, plain_copy
from engine.bpmn.sandbox import SandboxFailed
from engine.bpmn.translate import Sandboxed, expression_source, script_source


class ExpressionFailed(Exception):
    """An expression or script cannot be worked out on this data."""


class Expressions:
    """The only way to run what designers write. Safe in threads."""

    def check(self, source: str) -> str | None:
        """The fragment of the expression that is not allowed, or None."""
        try:
            if not is_simple(read_expression(source)):
                expression_source(source)
        except Refused as error:
            return str(error)
        return None

    def check_script(self, source: str) -> str | None:
        """The fragment of the script that is not allowed, with its line, or None."""
        try:
            script_source(source)
        except Refused as error:
            return str(error)
        return None

    def evaluate(self, source: str, data: Mapping[str, Any]) -> Any:
        """The expression's value over `data`, as plain data. Raises ExpressionFailed."""
        try:
            tree = read_expression(source)
            if is_simple(tree):
                value = interpret(tree.body, data)
            else:
                value = _sandboxed(expression_source(source), data)
            return plain_copy(value)
        except (ValueError, TypeError, ArithmeticError, RecursionError, SandboxFailed) as error:
            raise ExpressionFailed(f"{source.strip()[:100]}: {error}") from error

    def run(self, source: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """`data` as the script leaves it; its loop variables are not kept.

        Raises ExpressionFailed.
        """
        try:
            made = plain_copy(_sandboxed(script_source(source), data))
            if any(name.startswith("__") for name in _keys(made)):
                raise NotPlain("a key that begins with __")
        except (ValueError, TypeError, RecursionError, SandboxFailed) as error:
            raise ExpressionFailed(str(error)) from error
        # A name that the script only might have assigned, and did not, is None and stays missing.
        kept = {name: each for name, each in made.items() if each is not None or name in data}
        return {**data, **kept}


def _sandboxed(made: Sandboxed, data: Mapping[str, Any]) -> Any:
    return sandbox.run(made.source, {own: data.get(name) for name, own in made.names.items()})


def _keys(value: Any) -> list[str]:
    keys: list[str] = []
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            keys += each
            pending += each.values()
        elif isinstance(each, list):
            pending += each
    return keys


EXPRESSIONS = Expressions()

__all__ = ["EXPRESSIONS", "ExpressionFailed", "Expressions", "read_script"]
