"""Plain data: what may enter a process, leave a script, or be stored. Bounded and JSON-like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MAX_VALUES = 200_000
MAX_DEPTH = 40
MAX_CHARACTERS = 2_000_000


class NotPlain(ValueError):
    """The value holds something that is not plain data, or too much of it."""


def plain_copy(value: Any) -> Any:
    """A deep copy of `value` with tuples made lists. Raises NotPlain."""
    return _copy(value, _Budget(), 0)


class _Budget:
    def __init__(self) -> None:
        self.values = MAX_VALUES
        self.characters = MAX_CHARACTERS

    def take(self, characters: int = 0) -> None:
        # Counted while walking: a list that holds itself a thousand times is small in memory only.
        self.values -= 1
        self.characters -= characters
        if self.values < 0 or self.characters < 0:
            raise NotPlain("too much data")


def _copy(value: Any, budget: _Budget, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        return _text(value, budget)
    budget.take()
    if value is None or kind is bool:
        return value
    if kind is int:
        if abs(value) >= 2**63:
            raise NotPlain("a number too large")
        return value
    if kind is float:
        if not math.isfinite(value):
            raise NotPlain("not a number")
        return value
    if depth >= MAX_DEPTH:
        raise NotPlain("data nested too deeply")
    if isinstance(value, Mapping):
        return {_key(key, budget): _copy(each, budget, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(each, budget, depth + 1) for each in value]
    raise NotPlain(f"{kind.__name__} is not plain data")


def _key(key: Any, budget: _Budget) -> str:
    if type(key) is not str:
        raise NotPlain("a key that is not text")
    return _text(key, budget)


def _text(text: str, budget: _Budget) -> str:
    budget.take(len(text))
    if not text.isascii() or "\0" in text:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise NotPlain("a broken character") from error
        if "\0" in text:
            raise NotPlain("a broken character")
    return text


def merge_changes(
    base: Mapping[str, Any], into: dict[str, Any], branch: Mapping[str, Any]
) -> dict[str, Any]:
    """Bring what `branch` changed since `base` into `into`, and nothing it merely remembers.

    Where both changed one key, dictionaries are merged in the same way; else `branch` wins.
    """
    for key, value in branch.items():
        before = base.get(key)
        if key in base and before == value:
            continue
        mine = into.get(key)
        if isinstance(value, dict) and isinstance(mine, dict) and mine != before:
            merged = dict(mine)
            into[key] = merge_changes(before if isinstance(before, dict) else {}, merged, value)
        else:
            into[key] = value
    return into
