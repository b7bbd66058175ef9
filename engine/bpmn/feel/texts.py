"""The functions of FEEL on texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.bpmn.feel.lists import as_list
from engine.bpmn.feel.values import MAX_TEXT, FeelFailed, is_number, to_plain, whole


def string(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | Mapping):
        return shown(to_plain(value))
    return str(to_plain(value))


def shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str):
        return f'"{value}"'
    return "null" if value is None else string(value) or ""


def number(value: Any, grouping: Any = None, point: Any = None) -> Any:
    if is_number(value):
        return value
    if not isinstance(value, str):
        return None
    text = value
    if isinstance(grouping, str) and grouping:
        text = text.replace(grouping, "")
    if isinstance(point, str) and point:
        text = text.replace(point, ".")
    if not re.fullmatch(r"-?(?:\d{1,40}(?:\.\d{1,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?", text):
        return None
    return whole(float(text) if set(text) & set(".eE") else int(text))


def substring(value: Any, start: Any, length: Any = None) -> Any:
    if not isinstance(value, str) or not is_number(start) or start == 0:
        return None
    begin = int(start) - 1 if start > 0 else len(value) + int(start)
    end = len(value) if length is None else begin + int(length)
    return value[max(begin, 0) : max(end, 0)]


def around(value: Any, match: Any, after: bool) -> Any:
    if not isinstance(value, str) or not isinstance(match, str):
        return None
    before, found, rest = value.partition(match)
    if not found:
        return "" if match else (value if after else "")
    return rest if after else before


_NESTED = re.compile(r"\([^()]*[+*}][^()]*\)[+*{]|\\[1-9]")


def bounded_pattern(pattern: Any, flags: Any) -> re.Pattern[str] | None:
    """A pattern that cannot take for ever: short, and no repetition of a repetition."""
    if not isinstance(pattern, str) or len(pattern) > 200 or _NESTED.search(pattern):
        return None
    known = {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE, "x": re.VERBOSE}
    chosen = re.RegexFlag(0)
    for flag in flags or "":
        if flag not in known:
            return None
        chosen |= known[flag]
    try:
        return re.compile(pattern, chosen)
    except (re.error, RecursionError, OverflowError):
        return None


def matches(value: Any, pattern: Any, flags: Any = "") -> Any:
    made = bounded_pattern(pattern, flags)
    if made is None or not isinstance(value, str) or len(value) > 1_000:
        return None
    return made.search(value) is not None


def replace(value: Any, pattern: Any, by: Any, flags: Any = "") -> Any:
    made = bounded_pattern(pattern, flags)
    if made is None or not isinstance(value, str) or not isinstance(by, str) or len(value) > 1_000:
        return None
    try:
        return made.sub(re.sub(r"\$(\d)", r"\\\1", by), value)[:MAX_TEXT]
    except (re.error, IndexError):
        return None


def split(value: Any, delimiter: Any) -> Any:
    made = bounded_pattern(delimiter, "")
    if made is None or not isinstance(value, str) or len(value) > 1_000:
        return None
    return made.split(value)


def join(values: Any, delimiter: Any = "") -> Any:
    items = as_list(values)
    if items is None or not all(each is None or isinstance(each, str) for each in items):
        return None
    text = str(delimiter or "").join(each for each in items if each is not None)
    if len(text) > MAX_TEXT:
        raise FeelFailed("the text becomes too long")
    return text
