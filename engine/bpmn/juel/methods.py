"""The methods of text, lists and maps that an expression may call, as Java has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.bpmn.juel.values import (
    MAX_TEXT,
    JuelFailed,
    bounded,
    fits,
    part,
    same,
    to_number,
    to_text,
)

_BLANK = "".join(map(chr, range(33)))


def _index(value: Any) -> int:
    at = to_number(value)
    if isinstance(at, float):
        raise JuelFailed("a place must be a whole number")
    return at


def _substring(text: str, start: Any, end: Any = None) -> str:
    first, last = _index(start), len(text) if end is None else _index(end)
    if not 0 <= first <= last <= len(text):
        raise JuelFailed("there is no such part of the text")
    return bounded(text[first:last])


def _char_at(text: str, at: Any) -> str:
    return _substring(text, at, _index(at) + 1)


def _replace(text: str, old: Any, new: Any) -> str:
    before, after = to_text(old), to_text(new)
    # Known before it is made: a text put between all the letters of another grows by the product.
    if len(text) + text.count(before) * (len(after) - len(before)) > MAX_TEXT:
        raise JuelFailed("the text becomes too long")
    return text.replace(before, after)


def _find(text: str, wanted: Any, start: Any = 0) -> int:
    return text.find(to_text(wanted), max(0, _index(start)))


def _place(values: list[Any], wanted: Any) -> int:
    at = values.index(wanted) if wanted in values else -1
    if at < 0 or same(values[at], wanted):
        return at
    return next((at for at, each in enumerate(values) if same(each, wanted)), -1)


def _get(values: list[Any], at: Any) -> Any:
    if not 0 <= _index(at) < len(values):
        raise JuelFailed("the list has no such place")
    return values[_index(at)]


def _compared(text: str, other: Any) -> int:
    return (text > to_text(other)) - (text < to_text(other))


_TEXT: dict[str, Callable[..., Any]] = {
    "contains": lambda text, found: found is not None and to_text(found) in text,
    "equalsIgnoreCase": lambda text, other: isinstance(other, str) and _fold(text) == _fold(other),
    "startsWith": lambda text, start: start is not None and text.startswith(to_text(start)),
    "endsWith": lambda text, end: end is not None and text.endswith(to_text(end)),
    "length": len,
    "isEmpty": lambda text: not text,
    "toLowerCase": lambda text: bounded(text.lower()),
    "toUpperCase": lambda text: bounded(text.upper()),
    "trim": lambda text: bounded(text.strip(_BLANK)),
    "substring": _substring,
    "charAt": _char_at,
    "indexOf": _find,
    "lastIndexOf": lambda text, wanted: text.rfind(to_text(wanted)),
    "concat": lambda text, more: bounded(text + to_text(more)),
    "replace": _replace,
    "compareTo": _compared,
}
_LIST: dict[str, Callable[..., Any]] = {
    "size": len,
    "isEmpty": lambda values: not values,
    "contains": lambda values, wanted: _place(values, wanted) >= 0,
    "get": _get,
    "indexOf": _place,
}
_MAP: dict[str, Callable[..., Any]] = {
    "get": part,
    "getOrDefault": lambda values, key, other: values.get(to_text(key), other),
    "containsKey": lambda values, key: to_text(key) in values,
    "containsValue": lambda values, wanted: _place(list(values.values()), wanted) >= 0,
    "size": len,
    "isEmpty": lambda values: not values,
    "keySet": list,
    "values": lambda values: list(values.values()),
}
_ANY: dict[str, Callable[..., Any]] = {"equals": same, "toString": to_text}
_NUMBER: dict[str, Callable[..., Any]] = {
    "intValue": lambda value: fits(int(value)),
    "longValue": lambda value: fits(int(value)),
    "doubleValue": float,
}
_OPTIONAL = {"substring": (1, 2), "indexOf": (1, 2)}
_NO_ARGUMENT = (
    "length", "isEmpty", "toLowerCase", "toUpperCase", "trim", "size", "keySet", "values",
    "toString", "intValue", "longValue", "doubleValue",
)  # fmt: skip
_TWO = ("replace", "getOrDefault")


def _arity(name: str) -> tuple[int, int]:
    if name in _NO_ARGUMENT:
        return 0, 0
    return _OPTIONAL.get(name, (2, 2) if name in _TWO else (1, 1))


METHODS: dict[str, tuple[int, int]] = {
    name: _arity(name) for kind in (_TEXT, _LIST, _MAP, _ANY, _NUMBER) for name in kind
}
"""Each method and the fewest and most arguments it takes."""


def call(value: Any, name: str, arguments: list[Any]) -> Any:
    """The method's answer; null for null. Raises JuelFailed where the value has no such method."""
    if value is None:
        return None
    method = _ANY.get(name) or _kind(value).get(name)
    if method is None or (name == "indexOf" and len(arguments) == 2 and method is _place):
        raise JuelFailed(f"no {name}() here")
    return method(value, *arguments)


def _kind(value: Any) -> dict[str, Callable[..., Any]]:
    if isinstance(value, str):
        return _TEXT
    if isinstance(value, Mapping):
        return _MAP
    if isinstance(value, list | tuple):
        return _LIST
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _NUMBER
    return {}


def _fold(text: str) -> str:
    return text.upper().lower()
