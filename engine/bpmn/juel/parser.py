"""Turns an expression into closures over the data.

Chains of operators of one rank become one closure, so that the depth of the closures is the depth
of the brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.bpmn.juel.lexer import JuelRefused, Token, tokens
from engine.bpmn.juel.methods import METHODS, call
from engine.bpmn.juel.values import (
    compare,
    equal,
    fits,
    is_empty,
    part,
    reckon,
    to_bool,
    to_number,
)

MAX_DEPTH = 60
Data = Mapping[str, Any]
Value = Callable[[Data], Any]

_RANK = {
    "||": 0, "&&": 1,
    "==": 2, "!=": 2,
    "<": 3, "<=": 3, ">": 3, ">=": 3,
    "+": 4, "-": 4,
    "*": 5, "/": 5, "%": 5,
}  # fmt: skip
_VARIABLES = ("getVariable", "getVariableLocal", "hasVariable")


def parse(text: str, start: int, names: set[str]) -> tuple[Value, int]:
    """The expression that begins at `start` and the place after its closing brace.

    Adds the names it reads to `names`. Raises JuelRefused.
    """
    parser = _Parser(text, tokens(text, start), names)
    value = parser.expression(0)
    end = parser.take("}")
    return value, end.at + 1


class _Parser:
    def __init__(self, text: str, stream: Iterator[Token], names: set[str]) -> None:
        self._text = text
        self._stream = stream
        self._names = names
        self._next = next(stream)

    def take(self, kind: str | None = None) -> Token:
        """The next token, which must be of this kind."""
        token = self._next
        if kind is not None and token.kind != kind:
            raise self._refused(token)
        if token.kind != "}":
            self._next = next(self._stream)
        return token

    def expression(self, depth: int) -> Value:
        """``a ? b : c``, or what ranks above it."""
        if depth > MAX_DEPTH:
            raise self._refused(self._next)
        test = self._operators(0, depth)
        if self._next.kind != "?":
            return test
        self.take()
        then = self.expression(depth + 1)
        self.take(":")
        other = self.expression(depth + 1)
        return lambda data: then(data) if to_bool(test(data)) else other(data)

    def _operators(self, lowest: int, depth: int) -> Value:
        left = self._unary(depth)
        while (rank := _RANK.get(self._next.kind, -1)) >= lowest:
            rest: list[tuple[str, Value]] = []
            while _RANK.get(self._next.kind) == rank:
                op = self.take().kind
                rest.append((op, self._operators(rank + 1, depth + 1)))
            left = _chain(rank, left, rest)
        return left

    def _unary(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise self._refused(self._next)
        kind = self._next.kind
        if kind not in ("!", "-", "empty"):
            return self._parts(depth)
        self.take()
        value = self._unary(depth + 1)
        if kind == "!":
            return lambda data: not to_bool(value(data))
        if kind == "-":
            return lambda data: fits(-to_number(value(data)))
        return lambda data: is_empty(value(data))

    def _parts(self, depth: int) -> Value:
        value = self._primary(depth)
        while self._next.kind in (".", "["):
            depth += 1
            if depth > MAX_DEPTH:
                raise self._refused(self._next)
            value = self._part(value, depth)
        return value

    def _part(self, value: Value, depth: int) -> Value:
        if self.take().kind == "[":
            key = self.expression(depth + 1)
            self.take("]")
            return lambda data: part(value(data), key(data))
        token = self.take()
        name = token.text
        if not name.isidentifier() or name.startswith("__"):
            raise self._refused(token)
        if self._next.kind != "(":
            return lambda data: part(value(data), name)
        arguments = self._arguments(depth)
        fewest, most = METHODS.get(name, (1, 0))
        if not fewest <= len(arguments) <= most:
            raise JuelRefused(f"{name}()")
        return lambda data: call(value(data), name, [each(data) for each in arguments])

    def _arguments(self, depth: int) -> list[Value]:
        self.take("(")
        made: list[Value] = []
        while self._next.kind != ")":
            if made:
                self.take(",")
            made.append(self.expression(depth + 1))
        self.take(")")
        return made

    def _primary(self, depth: int) -> Value:
        token = self.take()
        if token.kind == "literal":
            constant = token.value
            return lambda data: constant
        if token.kind == "(":
            value = self.expression(depth + 1)
            self.take(")")
            return value
        if token.kind != "name" or token.text.startswith("__"):
            raise self._refused(token)
        name = token.text
        if self._next.kind == "(":
            raise JuelRefused(f"{name}()")
        if name == "execution":
            return self._variable(token)
        self._names.add(name)
        return lambda data: data.get(name)

    def _variable(self, execution: Token) -> Value:
        """``execution.getVariable('x')``; the name must be written out, so that it is known."""
        if self._next.kind != ".":
            raise self._refused(execution)
        self.take()
        method = self.take()
        if method.text not in _VARIABLES or self._next.kind != "(":
            raise JuelRefused(f"execution.{method.text}"[:60])
        self.take("(")
        argument = self.take("literal")
        self.take(")")
        name = argument.value
        if not isinstance(name, str) or name.startswith("__"):
            raise self._refused(argument)
        self._names.add(name)
        if method.text == "hasVariable":
            return lambda data: name in data
        return lambda data: data.get(name)

    def _refused(self, token: Token) -> JuelRefused:
        return JuelRefused(self._text[token.at :].strip()[:60])


def _chain(rank: int, first: Value, rest: list[tuple[str, Value]]) -> Value:
    if rank < 2:
        return _logic(rank == 0, [first, *(value for _, value in rest)])
    if len(rest) == 1:
        op, second = rest[0]
        return lambda data: _apply(op, first(data), second(data))

    def chain(data: Data) -> Any:
        value = first(data)
        for op, each in rest:
            value = _apply(op, value, each(data))
        return value

    return chain


def _logic(stops_at: bool, values: list[Value]) -> Value:
    def logic(data: Data) -> bool:
        for each in values:
            if to_bool(each(data)) is stops_at:
                return stops_at
        return not stops_at

    return logic


def _apply(op: str, left: Any, right: Any) -> Any:
    if op == "==":
        return equal(left, right)
    if op == "!=":
        return not equal(left, right)
    if _RANK[op] == 3:
        return compare(op, left, right)
    return reckon(op, left, right)
