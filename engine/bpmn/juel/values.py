"""How JUEL turns one kind of value into another, compares and reckons (JSR 245, chapter 1.7-1.18).

Whole numbers are those of 64 bits, as in Java.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_TEXT = 20_000
_MAX_VALUES = 2_000
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
_LESS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_REAL: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


class JuelFailed(ValueError):
    """The expression has no value over this data."""


def to_bool(value: Any) -> bool:
    """Null and empty text are false, text is true if it says ``true``."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        return value.lower() == "true"
    raise JuelFailed(f"{_named(value)} is neither true nor false")


def to_number(value: Any) -> int | float:
    """Null and empty text are 0; text is read as a number."""
    if value is None or value == "":
        return 0
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 30 and _NUMBER.match(value):
        return fits(float(value) if set(value) & set(".eE") else int(value))
    raise JuelFailed(f"{_named(value)} is not a number")


def to_text(value: Any) -> str:
    """The text Java would print; null is empty."""
    return "" if value is None else _text(value, [_MAX_VALUES])


def _text(value: Any, left: list[int]) -> str:
    left[0] -= 1
    if left[0] < 0:
        raise JuelFailed("the text becomes too long")
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        pairs = (f"{_text(key, left)}={_text(each, left)}" for key, each in value.items())
        return bounded("{" + ", ".join(pairs) + "}")
    if isinstance(value, list | tuple):
        return bounded("[" + ", ".join(_text(each, left) for each in value) + "]")
    if isinstance(value, int | float):
        return str(value)
    raise JuelFailed(f"{_named(value)} has no text")


def bounded(text: str) -> str:
    """`text`, unless it has become too long."""
    if len(text) > MAX_TEXT:
        raise JuelFailed("the text becomes too long")
    return text


def fits(value: int | float) -> int | float:
    """`value`, unless it is a whole number over 64 bits, or infinite."""
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise JuelFailed("a number too large")
    elif not math.isfinite(value):
        raise JuelFailed("not a number")
    return value


def equal(left: Any, right: Any) -> bool:
    """``==``: a number makes a number of the other side, a truth value and a text likewise."""
    if left is None or right is None:
        return left is right
    if _is_number(left) or _is_number(right):
        return to_number(left) == to_number(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return to_bool(left) is to_bool(right)
    if isinstance(left, str) or isinstance(right, str):
        return to_text(left) == to_text(right)
    return bool(left == right)


def same(left: Any, right: Any) -> bool:
    """Java's ``equals``: nothing is turned into anything."""
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def compare(op: str, left: Any, right: Any) -> bool:
    """``< <= > >=``. Null is neither more nor less than anything, and as large as itself."""
    if left is None or right is None:
        return left is right and op in ("<=", ">=")
    if _is_number(left) or _is_number(right):
        return _LESS[op](to_number(left), to_number(right))
    if isinstance(left, str) or isinstance(right, str):
        return _LESS[op](to_text(left), to_text(right))
    if isinstance(left, bool) and isinstance(right, bool):
        return _LESS[op](left, right)
    raise JuelFailed(f"{_named(left)} and {_named(right)} have no order")


def reckon(op: str, left: Any, right: Any) -> int | float:
    """``+ - * / %``; texts are read as numbers, never joined."""
    a, b = to_number(left), to_number(right)
    if op in _REAL:
        return fits(_REAL[op](a, b))
    if b == 0:
        raise JuelFailed("divided by 0")
    if op == "/":
        return fits(a / b)
    if isinstance(a, float) or isinstance(b, float):
        return fits(math.fmod(a, b))
    return abs(a) % abs(b) * (-1 if a < 0 else 1)  # Java's sign is that of the left side


def is_empty(value: Any) -> bool:
    """``empty``: null, or a text, list or map with nothing in it."""
    return value is None or (isinstance(value, str | Mapping | list | tuple) and not value)


def part(value: Any, key: Any) -> Any:
    """``value.key`` and ``value[key]``; null where there is no such thing."""
    if isinstance(value, Mapping):
        return value.get(key if isinstance(key, str) else to_text(key))
    if isinstance(value, list | tuple) and key is not None:
        at = to_number(key)
        return value[int(at)] if 0 <= at < len(value) else None
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _named(value: Any) -> str:
    if isinstance(value, str):
        return repr(value[:40])
    kind = "a list" if isinstance(value, list | tuple) else "a map"
    return str(value) if isinstance(value, int | float) else kind
