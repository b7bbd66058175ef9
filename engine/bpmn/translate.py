"""Turns a checked expression or script into source for the sandbox.

Designers' names become items of the list ``_v``, or in a script the parameters ``v0``, ``v1``, … of
one function, so that no name in the data can stand for a function, and nothing stays behind.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from engine.bpmn.allowed import CHANGING, Refused, format_of, read_expression, read_script

MAX_LENGTH = 60_000
_MADE = (
    ast.Constant,
    ast.JoinedStr,
    ast.BinOp,
    ast.Compare,
    ast.List,
    ast.Dict,
    ast.ListComp,
    ast.DictComp,
)
_ORDERED: dict[type[ast.cmpop], str] = {
    ast.Lt: "_lt",
    ast.LtE: "_le",
    ast.Gt: "_gt",
    ast.GtE: "_ge",
}


@dataclass(frozen=True)
class Sandboxed:
    """Source for the sandbox, which reads the values of `names` from the list ``_v``.

    The `definition`, which the source relies on, has a name of its own and may be kept there.

    Its value is the expression's, or for a script a dictionary of what it may have changed, where
    the `deleted` are None.
    """

    source: str
    names: tuple[str, ...]
    definition: str = ""
    deleted: frozenset[str] = frozenset()


@lru_cache(maxsize=2048)
def expression_source(source: str) -> Sandboxed:
    """The expression for the sandbox. Raises Refused."""
    translator = _Translator(in_function=False)
    made = translator.visit(copy.deepcopy(read_expression(source).body))
    return Sandboxed(_bounded(_unparse(made)), tuple(translator.names))


@lru_cache(maxsize=512)
def script_source(source: str) -> Sandboxed:
    """The script for the sandbox. Raises Refused."""
    tree = read_script(source)
    run = f"_run_{hashlib.sha256(source.encode('utf-8', 'surrogatepass')).hexdigest()}"
    translator = _Translator(in_function=True)
    made = translator.visit(copy.deepcopy(tree))
    names = tuple(translator.names)
    assigned, deleted = _assigned(tree), _deleted(tree)
    kept = (assigned | deleted) if _leaves_data_alone(tree) else set(names)
    kept -= _loop_variables(tree) - assigned
    saved = ", ".join(
        f"{name!r}: _data(v{number})" for number, name in enumerate(names) if name in kept
    )
    parameters = ", ".join(f"v{number}" for number in range(len(names)))
    values = ", ".join(f"_v[{number}]" for number in range(len(names)))
    body = "\n".join(f"    {line}" for line in _lines(made))
    text = f"def {run}({parameters}):\n{body}\n    return {{{saved}}}"
    return Sandboxed(f"{run}({values})", names, _bounded(text), deleted)


def _lines(tree: ast.Module) -> Iterator[str]:
    # Texts of several lines are written on one, so that every line may be moved to the right.
    for statement in tree.body:
        yield from _unparse(statement).split("\n")


def _unparse(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def _bounded(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise Refused("…")
    return text


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


def _deleted(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        each.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Delete)
        for each in node.targets
        if isinstance(each, ast.Name)
    )


def _leaves_data_alone(tree: ast.Module) -> bool:
    """Whether names are assigned only, and no list or map is changed that two of them may share."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript):
            called = isinstance(node, ast.Attribute) and node.attr in CHANGING
            if called or not isinstance(node.ctx, ast.Load):
                return False
        elif isinstance(node, ast.AugAssign):
            # ``x += y`` changes the list that x is, and every name that got it from elsewhere.
            target = node.target
            if not isinstance(target, ast.Name) or not _is_own(target.id, tree):
                return False
    return True


def _is_own(name: str, tree: ast.Module) -> bool:
    """Whether all that the name is ever given was made on the spot."""
    if name in _loop_variables(tree):
        return False
    return all(
        isinstance(target, ast.Name) and isinstance(node.value, _MADE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if name in {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
    )


class _Translator(ast.NodeTransformer):
    def __init__(self, *, in_function: bool) -> None:
        self.names: dict[str, int] = {}
        self._in_function = in_function

    def visit_Name(self, node: ast.Name) -> ast.expr:
        number = self.names.setdefault(node.id, len(self.names))
        if self._in_function:
            return ast.Name(f"v{number}", node.ctx)
        return ast.Subscript(ast.Name("_v", ast.Load()), ast.Constant(number), ast.Load())

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
        keywords = [ast.keyword(each.arg, self.visit(each.value)) for each in node.keywords]
        if isinstance(node.func, ast.Attribute):
            arguments.insert(0, self.visit(node.func.value))
            return _call(f"_m_{node.func.attr}", *arguments, keywords=keywords)
        assert isinstance(node.func, ast.Name)  # noqa: S101
        name = "_len" if node.func.id == "len" else node.func.id
        return _call(name, *arguments, keywords=keywords)

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        return [self._delete(each) for each in node.targets]

    def _delete(self, target: ast.expr) -> ast.stmt:
        if isinstance(target, ast.Name):
            name = ast.Name(target.id, ast.Store())
            return ast.Assign([self.visit(name)], ast.Constant(None), lineno=1)
        if isinstance(target, ast.Attribute):
            return ast.Expr(_call("_drop", self.visit(target.value), ast.Constant(target.attr)))
        assert isinstance(target, ast.Subscript)  # noqa: S101
        return ast.Expr(_call("_drop", self.visit(target.value), self.visit(target.slice)))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        # Not written as an f-string again, where not every text can stand in every other.
        parts = [self._told(each) for each in node.values]
        return _method(ast.Constant(""), "join", ast.List(parts, ast.Load()))

    def _told(self, node: ast.expr) -> ast.expr:
        if not isinstance(node, ast.FormattedValue):
            return node
        value, form = self.visit(node.value), format_of(node)
        if not form:
            return _call("str", value)
        return _method(ast.Constant("{:" + form + "}"), "format", value)

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


def _call(name: str, *arguments: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), keywords or [])


def _method(value: ast.expr, name: str, argument: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(value, name, ast.Load()), [argument], [])
