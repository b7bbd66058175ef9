"""Works out simple expressions and scripts over process data, without running any code.

A name or key that is not in the data is None, so that a question not yet asked is simply not
answered; None is neither more nor less than anything, and holds nothing. The cost is bounded by
the length of the expression and of the data.
"""

from __future__ import annotations

import ast
import operator
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

MAX_TEXT = 20_000
LARGEST = 2**63

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: b is not None and a in b,
    ast.NotIn: lambda a, b: b is None or a not in b,
}
_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
Data = Mapping[str, Any]


class NeedsSandbox(Exception):
    """The values make it more than this does: a text repeated, a very large number."""


def interpret(node: ast.expr, data: Data) -> Any:
    """The value of a simple expression. Raises TypeError or ValueError where Python would."""
    return _EVALUATORS[type(node)](node, data)


def interpret_script(tree: ast.Module, data: Data) -> dict[str, Any]:
    """The names that a simple script sets, as it leaves them. Raises as `interpret`."""
    made: dict[str, Any] = {}
    seen = ChainMap(made, data)  # type: ignore[arg-type]
    pending = list(reversed(tree.body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If):
            pending += reversed(node.body if interpret(node.test, seen) else node.orelse)
        elif isinstance(node, ast.Assign):
            value = interpret(node.value, seen)
            made.update((target.id, value) for target in node.targets)  # type: ignore[attr-defined]
    return made


def item(value: Any, key: Any) -> Any:
    """``value[key]``, or None if there is no such thing."""
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | str) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else None
    return None


def _attribute(node: ast.Attribute, data: Data) -> Any:
    value = interpret(node.value, data)
    return value.get(node.attr) if isinstance(value, Mapping) else None


def _subscript(node: ast.Subscript, data: Data) -> Any:
    return item(interpret(node.value, data), interpret(node.slice, data))


def _bool_op(node: ast.BoolOp, data: Data) -> Any:
    stops_at = isinstance(node.op, ast.Or)
    value: Any = None
    for each in node.values:
        value = interpret(each, data)
        if bool(value) is stops_at:
            return value
    return value


def _unary(node: ast.UnaryOp, data: Data) -> Any:
    value = interpret(node.operand, data)
    return not value if isinstance(node.op, ast.Not) else -value


def _binary(node: ast.BinOp, data: Data) -> Any:
    left, right = interpret(node.left, data), interpret(node.right, data)
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult):
        return _product(left, right)
    if isinstance(left, str | list) and isinstance(right, str | list):
        if len(left) + len(right) > MAX_TEXT:
            raise ValueError("the text becomes too long")
    elif not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError("these values cannot be added")
    return left + right


def _product(left: Any, right: Any) -> Any:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise NeedsSandbox
    if abs(left) >= LARGEST or abs(right) >= LARGEST:
        raise NeedsSandbox
    return left * right


def _compare(node: ast.Compare, data: Data) -> bool:
    left = interpret(node.left, data)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = interpret(comparator, data)
        if isinstance(op, _ORDERED) and (left is None or right is None):
            return False
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _if(node: ast.IfExp, data: Data) -> Any:
    return interpret(node.body if interpret(node.test, data) else node.orelse, data)


def _list(node: ast.List | ast.Tuple, data: Data) -> list[Any]:
    return [interpret(each, data) for each in node.elts]


def _dict(node: ast.Dict, data: Data) -> dict[Any, Any]:
    return {
        interpret(key, data): interpret(value, data)
        for key, value in zip(node.keys, node.values, strict=True)
        if key is not None
    }


_EVALUATORS: dict[type[ast.expr], Callable[[Any, Data], Any]] = {
    ast.Constant: lambda node, data: node.value,
    ast.Name: lambda node, data: data.get(node.id),
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.IfExp: _if,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Dict: _dict,
}
