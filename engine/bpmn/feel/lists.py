"""The functions of FEEL on lists."""

from __future__ import annotations

from typing import Any

from engine.bpmn.feel.values import MAX_ITEMS, FeelFailed, equal, is_number, kind_of


def as_list(value: Any) -> list[Any] | None:
    """The list; a single value is a list of one."""
    if isinstance(value, list):
        return value
    return None if value is None else [value]


def contains(values: Any, item: Any) -> Any:
    items = as_list(values)
    return None if items is None else any(equal(each, item) is True for each in items)


def sublist(values: Any, start: Any, length: Any = None) -> Any:
    items = as_list(values)
    if items is None or not is_number(start) or start == 0:
        return None
    begin = int(start) - 1 if start > 0 else len(items) + int(start)
    if begin < 0:
        return None
    return items[begin:] if length is None else items[begin : begin + int(length)]


def bound(items: list[Any]) -> list[Any]:
    if len(items) > MAX_ITEMS:
        raise FeelFailed("the list becomes too long")
    return items


def concatenate(*lists: Any) -> Any:
    return bound([each for items in lists for each in as_list(items) or []])


def insert(values: Any, position: Any, item: Any) -> Any:
    items = as_list(values)
    if items is None or not is_number(position) or position == 0:
        return None
    at = int(position) - 1 if position > 0 else len(items) + int(position)
    return bound([*items[:at], item, *items[at:]])


def remove(values: Any, position: Any) -> Any:
    items = as_list(values)
    if items is None or not is_number(position) or not 0 < abs(position) <= len(items):
        return None
    at = int(position) - 1 if position > 0 else len(items) + int(position)
    return items[:at] + items[at + 1 :]


def index_of(values: Any, item: Any) -> Any:
    items = as_list(values)
    if items is None:
        return None
    return [n for n, each in enumerate(items, 1) if equal(each, item) is True]


def distinct(values: Any) -> Any:
    found: list[Any] = []
    for each in (as_list(values) or [])[:2_000]:
        if not any(equal(each, other) is True for other in found):
            found.append(each)
    return found


def union(*lists: Any) -> Any:
    return distinct(concatenate(*lists))


def flatten(values: Any) -> Any:
    flat: list[Any] = []
    pending = list(reversed(as_list(values) or []))
    while pending:
        each = pending.pop()
        if isinstance(each, list):
            pending += reversed(each)
        else:
            flat.append(each)
    return bound(flat)


def sort(values: Any) -> Any:
    items = as_list(values)
    if items is None or len({kind_of(each) for each in items}) > 1:
        return None
    try:
        return sorted(items)
    except TypeError:
        return None
