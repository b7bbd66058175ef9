"""Designers' expressions: a small part of Python over the process data, interpreted here.

Allowed are literals, names, ``a.b`` and ``a['b']`` for data, comparisons, ``and or not``,
``in``, ``+ - * /`` on numbers, ``x if c else y``, lists, and calls of `FUNCTIONS` and `METHODS`.
A name or key that is not in the data is None, so that a question not yet asked is simply not
answered. There is no way to reach an attribute of an object, to import, to assign, or to loop;
the cost is bounded by the length of the expression and of the data.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

MAX_LENGTH = 2_000
MAX_NODES = 300
MAX_TEXT = 20_000

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "str": str,
    "int": int,
    "float": float,
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
    "any": any,
    "all": all,
}
METHODS = frozenset({"lower", "upper", "strip", "startswith", "endswith", "get"})
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
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ALLOWED = (
    ast.Expression,
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.Attribute,
    ast.Subscript,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.BinOp,
    ast.Compare,
    ast.IfExp,
    ast.List,
    ast.Tuple,
    ast.Call,
    *_COMPARE,
    *_ARITHMETIC,
)


class ExpressionFailed(Exception):
    """The expression cannot be worked out on this data."""


def refusal(source: str) -> str | None:
    """Why the expression is refused, in English for the designer, or None if it is allowed."""
    try:
        _parse(source)
    except ValueError as error:
        return str(error)
    return None


def evaluate(source: str, data: Mapping[str, Any]) -> Any:
    """The expression's value over `data`. Raises ExpressionFailed."""
    try:
        return _value(_parse(source).body, data)
    except ExpressionFailed:
        raise
    except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
        raise ExpressionFailed(f"{source!r}: {error}") from error


@lru_cache(maxsize=4096)
def _parse(source: str) -> ast.Expression:
    text = source.strip()
    if not text or len(text) > MAX_LENGTH:
        raise ValueError(f"an expression has 1 to {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not an expression: {error}") from error
    nodes = list(ast.walk(tree))
    if len(nodes) > MAX_NODES:
        raise ValueError("the expression is too long")
    for node in nodes:
        _allow(node)
    return tree


def _allow(node: ast.AST) -> None:
    if not isinstance(node, _ALLOWED):
        raise ValueError(f"{type(node).__name__} is not allowed")
    if isinstance(node, ast.Constant) and not isinstance(
        node.value, str | int | float | bool | type(None)
    ):
        raise ValueError(f"{node.value!r} is not allowed")
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    if name.startswith("_"):
        raise ValueError(f"{name} is not allowed")
    if isinstance(node, ast.Call):
        function = node.func
        known = (isinstance(function, ast.Name) and function.id in FUNCTIONS) or (
            isinstance(function, ast.Attribute) and function.attr in METHODS
        )
        if not known or node.keywords:
            raise ValueError(f"{ast.unparse(function)}() is not allowed")


def _value(node: ast.expr, data: Mapping[str, Any]) -> Any:
    return _EVALUATORS[type(node)](node, data)


def _name(node: ast.Name, data: Mapping[str, Any]) -> Any:
    return data.get(node.id)


def _attribute(node: ast.Attribute, data: Mapping[str, Any]) -> Any:
    return _item(_value(node.value, data), node.attr)


def _subscript(node: ast.Subscript, data: Mapping[str, Any]) -> Any:
    return _item(_value(node.value, data), _value(node.slice, data))


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | tuple | str) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else None
    return None


def _bool_op(node: ast.BoolOp, data: Mapping[str, Any]) -> Any:
    stops_at = isinstance(node.op, ast.Or)
    value: Any = None
    for each in node.values:
        value = _value(each, data)
        if bool(value) is stops_at:
            return value
    return value


def _unary(node: ast.UnaryOp, data: Mapping[str, Any]) -> Any:
    value = _value(node.operand, data)
    return not value if isinstance(node.op, ast.Not) else -value


def _binary(node: ast.BinOp, data: Mapping[str, Any]) -> Any:
    left, right = _value(node.left, data), _value(node.right, data)
    if not isinstance(node.op, ast.Add) and (
        not isinstance(left, int | float) or not isinstance(right, int | float)
    ):
        raise ExpressionFailed("only numbers can be calculated with")
    value = _ARITHMETIC[type(node.op)](left, right)
    if isinstance(value, str | list | tuple) and len(value) > MAX_TEXT:
        raise ExpressionFailed("the text becomes too long")
    if isinstance(value, int) and abs(value) > 10**18:
        raise ExpressionFailed("the number becomes too large")
    return value


def _compare(node: ast.Compare, data: Mapping[str, Any]) -> bool:
    left = _value(node.left, data)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, data)
        # An answer not given is neither more nor less than anything.
        if isinstance(op, _ORDERED) and (left is None or right is None):
            return False
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _if(node: ast.IfExp, data: Mapping[str, Any]) -> Any:
    return _value(node.body if _value(node.test, data) else node.orelse, data)


def _list(node: ast.List | ast.Tuple, data: Mapping[str, Any]) -> list[Any]:
    return [_value(each, data) for each in node.elts]


def _call(node: ast.Call, data: Mapping[str, Any]) -> Any:
    arguments = [_value(each, data) for each in node.args]
    if isinstance(node.func, ast.Name):
        if node.func.id == "len" and arguments and arguments[0] is None:
            return 0
        return FUNCTIONS[node.func.id](*arguments)
    assert isinstance(node.func, ast.Attribute)  # noqa: S101
    value = _value(node.func.value, data)
    if value is None:
        return None
    allowed = dict if node.func.attr == "get" else str
    if not isinstance(value, allowed):
        raise ExpressionFailed(f"{node.func.attr}() does not fit this value")
    return getattr(value, node.func.attr)(*arguments)


_EVALUATORS: dict[type[ast.expr], Callable[[Any, Mapping[str, Any]], Any]] = {
    ast.Constant: lambda node, data: node.value,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.IfExp: _if,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Call: _call,
}
