"""The cells of a decision table: the common part of S-FEEL, and ``contains("x", "y")`` of our own.

``-`` or empty, ``"text"``, ``"a","b"``, numbers, ``true``, ``false``, ``null``, ``< <= > >= n``,
``[a..b]`` with round or square brackets, ``not(…)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Test = Callable[[Any], bool]
_NUMBER = r"-?\d{1,15}(?:\.\d{1,15})?"
_RANGE = re.compile(rf"([\[(\]])\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*([\])\[])")
_COMPARISON = re.compile(rf"(<=|>=|<|>)\s*({_NUMBER})")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_CALL = re.compile(r"(not|contains)\s*\((.*)\)", re.DOTALL)
_WORDS = {
    "true": True,
    "false": False,
    "null": None,
    "True": True,
    "False": False,
    "None": None,
}


def read_cell(text: str) -> Test:
    """The test of one cell. Raises ValueError for what is not in the subset."""
    text = text.strip()
    if text in ("", "-"):
        return lambda value: True
    if match := _CALL.fullmatch(text):
        inner = match[2].strip()
        if match[1] == "contains":
            return _contains(inner)
        if inner in ("", "-"):
            raise ValueError(text)
        test = read_cell(inner)
        return lambda value: not test(value)
    tests = [_single(part) for part in _split(text)]
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


def literal(text: str) -> Any:
    """The value of a literal. Raises ValueError."""
    text = text.strip()
    if match := _TEXT.fullmatch(text):
        return re.sub(r"\\(.)", r"\1", match[1])
    if re.fullmatch(_NUMBER, text):
        return float(text) if "." in text else int(text)
    if text in _WORDS:
        return _WORDS[text]
    raise ValueError(text)


def _contains(text: str) -> Test:
    words = [literal(part) for part in _split(text)]
    if not all(isinstance(word, str) and word for word in words):
        raise ValueError(text)
    return lambda value: isinstance(value, str) and any(word in value for word in words)


def _split(text: str) -> list[str]:
    """The parts between commas that are not inside quotes."""
    parts, start, quoted, escaped = [], 0, False, False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = quoted
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def _single(text: str) -> Test:
    if match := _COMPARISON.fullmatch(text):
        return _of_number(_comparison(match[1], float(match[2])))
    if match := _RANGE.fullmatch(text):
        low, high = float(match[2]), float(match[3])
        if low > high:
            raise ValueError(text)
        above = _comparison(">" if match[1] in "(]" else ">=", low)
        below = _comparison("<" if match[4] in ")[" else "<=", high)
        return _of_number(lambda value: above(value) and below(value))
    wanted = literal(text)
    if wanted is None or isinstance(wanted, bool):
        return lambda value: value is wanted
    return lambda value: not isinstance(value, bool) and bool(value == wanted)


def _comparison(sign: str, bound: float) -> Test:
    tests: dict[str, Test] = {
        "<": lambda value: value < bound,
        "<=": lambda value: value <= bound,
        ">": lambda value: value > bound,
        ">=": lambda value: value >= bound,
    }
    return tests[sign]


def _of_number(test: Test) -> Test:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and test(value)
    )
