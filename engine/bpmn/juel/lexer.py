"""The tokens of JUEL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_SOURCE = 4_000


class JuelRefused(ValueError):
    """`str()` is the fragment of the text that is not allowed."""


class Token(NamedTuple):
    """`kind` is ``literal``, ``name`` or the operator itself; words like ``and`` become ``&&``."""

    kind: str
    value: Any
    at: int
    text: str


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<float>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
      | (?P<int>\d+)
      | (?P<string>'(?:[^'\\]|\\['"\\])*'|"(?:[^"\\]|\\['"\\])*")
      | (?P<name>[^\W\d][\w$]*)
      | (?P<op>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]}])
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_WORDS = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "div": "/",
    "mod": "%",
    "empty": "empty",
    "instanceof": "instanceof",
}
_LITERALS = {"true": True, "false": False, "null": None}


def tokens(text: str, start: int) -> Iterator[Token]:
    """The tokens of the expression that begins at `start`, the last being its closing brace.

    Raises JuelRefused where no token begins.
    """
    at = start
    while True:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise JuelRefused(text[at:].strip()[:60] or text[start - 2 :].strip()[:60])
        at = found.end()
        yield _token(found.lastgroup, found.group(found.lastgroup), found.start(found.lastgroup))
        if found.group(found.lastgroup) == "}":
            return


def _token(kind: str, text: str, at: int) -> Token:
    if kind == "string":
        return Token("literal", _ESCAPE.sub(r"\1", text[1:-1]), at, text)
    if kind in ("int", "float"):
        return Token("literal", _number(kind, text), at, text)
    if kind == "op":
        return Token(text, None, at, text)
    if text in _LITERALS:
        return Token("literal", _LITERALS[text], at, text)
    return Token(_WORDS.get(text, "name"), text, at, text)


def _number(kind: str, text: str) -> int | float:
    if len(text) > 30:
        raise JuelRefused(text[:40])
    value = int(text) if kind == "int" else float(text)
    if value >= 2**63 and (kind == "int" or value == float("inf")):
        raise JuelRefused(text)
    return value
