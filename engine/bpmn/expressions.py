"""Designers' expressions and scripts: checked at publish, bounded when they run.

Allowed in an expression are literals, names, ``a.b`` and ``a['b']`` for data, comparisons,
``and or not in``, ``x if c else y``, ``+ - * / // %``, lists, dictionaries, and calls of a few
functions and methods (`allowed.FUNCTIONS`, `allowed.METHODS`). A name or key that is not in the
data is None; None is neither more nor less than anything, holds nothing, has length 0, and every
method of it gives None. A script may also assign to names and keys, branch and loop.

Expressions without calls, and scripts that only set names to such and branch, are worked out in
this process from the syntax tree; all else runs in the sandbox.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from engine.bpmn import sandbox
from engine.bpmn.allowed import (
    Refused,
    is_simple,
    is_simple_script,
    read_expression,
    read_script,
)
from engine.bpmn.interpreter import NeedsSandbox, interpret, interpret_script
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
            _plan(source)
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
            plan = _plan(source)
            if isinstance(plan, Sandboxed):
                return plain_copy(_sandboxed(plan, data))
            try:
                return plain_copy(interpret(plan, data))
            except NeedsSandbox:
                return plain_copy(_sandboxed(expression_source(source), data))
        except (ValueError, TypeError, ArithmeticError, RecursionError, SandboxFailed) as error:
            raise ExpressionFailed(f"{source.strip()[:100]}: {error}") from error

    def run(self, source: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """`data` as the script leaves it; its loop variables are not kept.

        Raises ExpressionFailed.
        """
        kept, gone = self.changes(source, data)
        return {name: each for name, each in {**data, **kept}.items() if name not in gone}

    def changes(
        self, source: str, data: Mapping[str, Any]
    ) -> tuple[dict[str, Any], frozenset[str]]:
        """The names that the script sets over `data`, and those it deletes.

        Raises ExpressionFailed.
        """
        try:
            script = script_source(source)
            made = plain_copy(_run(source, script, data))
            if any(name.startswith("__") for name in _keys(made)):
                raise NotPlain("a key that begins with __")
        except (ValueError, TypeError, ArithmeticError, RecursionError, SandboxFailed) as error:
            raise ExpressionFailed(str(error)) from error
        gone = frozenset([name for name in script.deleted if made[name] is None])
        # A name that the script only might have assigned, and did not, is None and stays missing.
        kept = {
            name: each
            for name, each in made.items()
            if name not in gone and (each is not None or name in data)
        }
        return kept, gone


@lru_cache(maxsize=4096)
def _plan(source: str) -> Sandboxed | ast.expr:
    tree = read_expression(source)
    return tree.body if is_simple(tree) else expression_source(source)


@lru_cache(maxsize=4096)
def _simple_script(source: str) -> ast.Module | None:
    tree = read_script(source)
    return tree if is_simple_script(tree) else None


def _run(source: str, script: Sandboxed, data: Mapping[str, Any]) -> Any:
    simple = _simple_script(source)
    if simple is not None:
        with suppress(NeedsSandbox):
            return interpret_script(simple, data)
    return _sandboxed(script, data)


def _sandboxed(made: Sandboxed, data: Mapping[str, Any]) -> Any:
    values = [data.get(name) for name in made.names]
    return sandbox.run(made.source, {"_v": values}, made.definition)


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
