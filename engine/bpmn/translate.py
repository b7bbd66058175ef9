"""Turns a checked expression or script into source for the sandbox.

In the sandbox ``a.b`` must read the key ``b`` of the data ``a``, and what is missing must be None,
as in the interpreter of simple expressions. Designers' names become ``v0``, ``v1``, …, so that no
name in the data can stand for a function.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from engine.bpmn.allowed import Refused, read_expression, read_script

MAX_LENGTH = 60_000
_HELPERS = """
def _get(value, key):
    return value.get(key) if isinstance(value, dict) else None
def _item(value, key):
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, (list, str)) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else None
    return None
def _len(value):
    return 0 if value is None else len(value)
def _in(value, many):
    return many is not None and value in many
def _data(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_data(each) for each in value]
    if isinstance(value, dict):
        return {key: _data(each) for key, each in value.items()}
    raise TypeError("no plain data")
def _lt(a, b):
    return a is not None and b is not None and a < b
def _le(a, b):
    return a is not None and b is not None and a <= b
def _gt(a, b):
    return a is not None and b is not None and a > b
def _ge(a, b):
    return a is not None and b is not None and a >= b
"""
_ORDERED: dict[type[ast.cmpop], str] = {
    ast.Lt: "_lt",
    ast.LtE: "_le",
    ast.Gt: "_gt",
    ast.GtE: "_ge",
}


@dataclass(frozen=True)
class Sandboxed:
    """Source for the sandbox; `names` maps each name of the data to its own there.

    The value of the source is the expression's, or for a script a dictionary of `saved` names.
    """

    source: str
    names: dict[str, str]


@lru_cache(maxsize=2048)
def expression_source(source: str) -> Sandboxed:
    """The expression for the sandbox. Raises Refused."""
    translator = _Translator()
    body = translator.expression(read_expression(source).body)
    return _finish(translator, ast.unparse(body))


@lru_cache(maxsize=512)
def script_source(source: str) -> Sandboxed:
    """The script for the sandbox; its value is a dictionary of the data. Raises Refused."""
    tree = read_script(source)
    translator = _Translator()
    body = "\n".join(ast.unparse(translator.visit(_copy(line))) for line in tree.body)
    passing = _loop_variables(tree) - _assigned(tree)
    saved = {name: own for name, own in translator.names.items() if name not in passing}
    result = "{" + ", ".join(f"{name!r}: _data({own})" for name, own in saved.items()) + "}"
    return _finish(translator, f"{body}\n{result}")


def _finish(translator: _Translator, body: str) -> Sandboxed:
    text = f"{_HELPERS}{translator.methods()}{body}"
    if len(text) > MAX_LENGTH:
        raise Refused("…")
    return Sandboxed(text, translator.names)


def _copy(node: ast.stmt) -> ast.stmt:
    return ast.parse(ast.unparse(node)).body[0]


def _loop_variables(tree: ast.Module) -> set[str]:
    loops = [
        node.target for node in ast.walk(tree) if isinstance(node, ast.For | ast.comprehension)
    ]
    return {name.id for loop in loops for name in ast.walk(loop) if isinstance(name, ast.Name)}


def _assigned(tree: ast.Module) -> set[str]:
    targets: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AugAssign):
            targets.append(node.target)
    names = [name for target in targets for name in ast.walk(target)]
    return {
        name.id for name in names if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }


class _Translator(ast.NodeTransformer):
    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._methods: set[str] = set()

    def expression(self, node: ast.expr) -> ast.expr:
        made = self.visit(ast.parse(ast.unparse(node), mode="eval").body)
        assert isinstance(made, ast.expr)  # noqa: S101
        return made

    def methods(self) -> str:
        """The methods called, made to give None for None."""
        return "".join(
            f"def _m_{name}(value, *rest):\n"
            f"    return None if value is None else value.{name}(*rest)\n"
            for name in sorted(self._methods)
        )

    def visit_Name(self, node: ast.Name) -> ast.Name:
        own = self.names.setdefault(node.id, f"v{len(self.names)}")
        return ast.Name(own, node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value, key = self.visit(node.value), ast.Constant(node.attr)
        if isinstance(node.ctx, ast.Store):
            return ast.Subscript(value, key, ast.Store())
        return _call("_get", value, key)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        value, key = self.visit(node.value), self.visit(node.slice)
        if isinstance(node.ctx, ast.Store) or isinstance(key, ast.Slice):
            return ast.Subscript(value, key, node.ctx)
        return _call("_item", value, key)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        arguments = [self.visit(each) for each in node.args]
        if isinstance(node.func, ast.Attribute):
            self._methods.add(node.func.attr)
            return _call(f"_m_{node.func.attr}", self.visit(node.func.value), *arguments)
        assert isinstance(node.func, ast.Name)  # noqa: S101
        return _call("_len" if node.func.id == "len" else node.func.id, *arguments)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        parts = [self.visit(node.left), *(self.visit(each) for each in node.comparators)]
        tests = [
            _comparison(op, left, right)
            for op, left, right in zip(node.ops, parts, parts[1:], strict=False)
        ]
        return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


def _comparison(op: ast.cmpop, left: ast.expr, right: ast.expr) -> ast.expr:
    if type(op) in _ORDERED:
        return _call(_ORDERED[type(op)], left, right)
    if isinstance(op, ast.In):
        return _call("_in", left, right)
    if isinstance(op, ast.NotIn):
        return ast.UnaryOp(ast.Not(), _call("_in", left, right))
    return ast.Compare(left, [op], [right])


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
