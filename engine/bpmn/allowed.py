"""Which parts of Python a designer may write, found out at publish from the syntax tree alone.

A refusal is told as the fragment of source that is not allowed, so that it needs no translation.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

MAX_EXPRESSION = 2_000
MAX_SCRIPT = 20_000
MAX_NODES = 4_000
MAX_DEPTH = 40

FUNCTIONS = frozenset(
    {"len", "str", "int", "float", "round", "min", "max", "sum", "any", "all", "sorted", "abs"}
)
METHODS = frozenset(
    {"lower", "upper", "strip", "startswith", "endswith", "get", "split", "join", "replace"}
    | {"title", "isdigit", "index", "count"}
)
SCRIPT_FUNCTIONS = FUNCTIONS | {"range", "enumerate", "list", "dict", "bool", "reversed", "zip"}
# Those that change the list or map itself.
CHANGING = frozenset(
    {"append", "extend", "setdefault", "pop", "insert", "remove", "sort", "update"}
)
SCRIPT_METHODS = METHODS | CHANGING | {"items", "keys", "values", "copy"}
# Named arguments that may be given.
KEYWORDS = {"sorted": "reverse", "sort": "reverse"}
# How a value is written in an f-string: two places, thousands, per cent, or with leading zeros.
_FORMAT = re.compile(r",?(?:\.\d)?[fd%]?|0?\d{1,2}d?")

# What the interpreter of this package works out itself: no call, and nothing that multiplies.
SIMPLE = (
    ast.Expression,
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.Attribute,
    ast.Subscript,
    ast.BoolOp,
    ast.boolop,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.BinOp,
    ast.Mult,
    ast.Add,
    ast.Sub,
    ast.Compare,
    ast.cmpop,
    ast.IfExp,
    ast.List,
    ast.Tuple,
    ast.Dict,
)
EXPRESSION = (*SIMPLE, ast.Div, ast.FloorDiv, ast.Mod, ast.Slice, ast.Call)
SCRIPT = (
    *EXPRESSION,
    ast.Module,
    ast.Expr,
    ast.Assign,
    ast.AugAssign,
    ast.Store,
    ast.If,
    ast.For,
    ast.While,
    ast.Break,
    ast.Continue,
    ast.Pass,
    ast.ListComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.comprehension,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Delete,
    ast.Del,
    ast.keyword,
)


class Refused(ValueError):
    """`str()` is the fragment of source that is not allowed."""


@lru_cache(maxsize=4096)
def read_expression(source: str) -> ast.Expression:
    """The checked tree of an expression; do not change it. Raises Refused."""
    text = source.strip()
    if not text or len(text) > MAX_EXPRESSION:
        raise Refused(text[:40])
    tree = _parse(text, "eval")
    assert isinstance(tree, ast.Expression)  # noqa: S101
    _check(tree, EXPRESSION, FUNCTIONS, METHODS)
    return tree


@lru_cache(maxsize=512)
def read_script(source: str) -> ast.Module:
    """The checked tree of a script; do not change it. Raises Refused."""
    if not source.strip() or len(source) > MAX_SCRIPT:
        raise Refused(source.strip()[:40])
    tree = _parse(source, "exec")
    assert isinstance(tree, ast.Module)  # noqa: S101
    _check(tree, SCRIPT, SCRIPT_FUNCTIONS, SCRIPT_METHODS)
    return tree


def is_simple(tree: ast.AST) -> bool:
    """Whether the expression calls nothing, and of arithmetic only adds, subtracts, multiplies."""
    return all(isinstance(node, SIMPLE) for node in ast.walk(tree))


def is_simple_script(tree: ast.Module) -> bool:
    """Whether the script only sets names to simple expressions, and branches."""
    return all(_is_simple_statement(each) for each in tree.body)


def _is_simple_statement(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        names = all(isinstance(target, ast.Name) for target in node.targets)
        return names and is_simple(node.value)
    if isinstance(node, ast.If):
        inner = [*node.body, *node.orelse]
        return is_simple(node.test) and all(_is_simple_statement(each) for each in inner)
    return isinstance(node, ast.Pass)


def _parse(source: str, mode: str) -> ast.AST:
    try:
        return ast.parse(source, mode=mode)
    except SyntaxError as error:
        where = (error.text or source).strip()[:60]
        line = f"{error.lineno}: " if mode == "exec" and error.lineno else ""
        raise Refused(f"{line}{where}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused(source.strip()[:60]) from error


def _check(
    tree: ast.AST, allowed: tuple[type, ...], functions: frozenset[str], methods: frozenset[str]
) -> None:
    called: set[int] = set()
    pending = [(tree, 0)]
    count = 0
    while pending:
        node, depth = pending.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise Refused("…")
        if not isinstance(node, allowed):
            raise Refused(_fragment(node))
        if isinstance(node, ast.Call):
            called.add(id(node.func))
            _check_call(node, functions, methods)
        elif isinstance(node, ast.Name | ast.Attribute):
            _check_name(node)
        elif isinstance(node, ast.Constant):
            _check_constant(node)
        elif isinstance(node, ast.Dict) and None in node.keys:
            raise Refused(_fragment(node))
        elif isinstance(node, ast.comprehension) and node.is_async:
            raise Refused("async")
        elif isinstance(node, ast.FormattedValue | ast.Delete):
            _check_rare(node)
        pending += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


def _check_call(node: ast.Call, functions: frozenset[str], methods: frozenset[str]) -> None:
    function = node.func
    known = (isinstance(function, ast.Name) and function.id in functions) or (
        isinstance(function, ast.Attribute) and function.attr in methods
    )
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    named = [keyword.arg for keyword in node.keywords]
    if not known or named not in ([], [KEYWORDS.get(name, "")]):
        raise Refused(f"{_fragment(function)}()")


def _check_rare(node: ast.FormattedValue | ast.Delete) -> None:
    if isinstance(node, ast.Delete):
        fits = all(
            isinstance(each, ast.Name | ast.Attribute | ast.Subscript)
            and not isinstance(getattr(each, "slice", None), ast.Slice)
            for each in node.targets
        )
    else:
        fits = node.conversion in (-1, ord("s")) and _FORMAT.fullmatch(format_of(node)) is not None
    if not fits:
        raise Refused(_fragment(node))


def format_of(node: ast.FormattedValue) -> str:
    """What stands behind the colon in an f-string; ``?`` if that is reckoned itself."""
    parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
    texts = [each.value if isinstance(each, ast.Constant) else "?" for each in parts]
    return "".join(str(each) for each in texts)


def _check_name(node: ast.Name | ast.Attribute) -> None:
    name = node.id if isinstance(node, ast.Name) else node.attr
    if name.startswith("_"):
        raise Refused(name)


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    plain = value is None or type(value) in (str, bool, int, float)
    if isinstance(value, str):
        plain = "\0" not in value and all(not "\ud800" <= each <= "\udfff" for each in value)
    if not plain or (type(value) is int and abs(value) >= 2**63):
        raise Refused(_fragment(node))


def _fragment(node: ast.AST) -> str:
    kind = type(node).__name__.lower()
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError, AttributeError):
        text = ""
    line = getattr(node, "lineno", None)
    text = " ".join(text.split())[:60] or kind
    return text if line in (None, 1) else f"{line}: {text}"
