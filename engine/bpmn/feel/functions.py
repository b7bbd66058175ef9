"""The built-in functions of FEEL. An argument of the wrong kind gives null."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from engine.bpmn.feel import arithmetic, lists, texts
from engine.bpmn.feel.lists import as_list
from engine.bpmn.feel.values import (
    Months,
    Range,
    compare,
    equal,
    is_number,
    kind_of,
    read_date,
    read_date_time,
    read_duration,
    read_time,
    whole,
    zone,
)

Function = Callable[..., Any]


def _spread(arguments: tuple[Any, ...]) -> list[Any] | None:
    """Several arguments, or one list, as a list."""
    if len(arguments) == 1:
        return as_list(arguments[0])
    return list(arguments)


def _numbers(arguments: tuple[Any, ...]) -> list[Any] | None:
    items = _spread(arguments)
    if not items or not all(is_number(each) for each in items):
        return None
    return items


def _extreme(sign: int) -> Function:
    def find(*arguments: Any) -> Any:
        items = _spread(arguments)
        if not items:
            return None
        best = items[0]
        for each in items[1:]:
            order = compare(each, best)
            if order is None:
                return None
            if order * sign > 0:
                best = each
        return best

    return find


def _sum(*arguments: Any) -> Any:
    items = _numbers(arguments)
    return None if items is None else arithmetic.bounded(sum(items))


def _mean(*arguments: Any) -> Any:
    items = _numbers(arguments)
    return None if items is None else arithmetic.bounded(sum(items) / len(items))


def _median(*arguments: Any) -> Any:
    items = _numbers(arguments)
    if items is None:
        return None
    items = sorted(items)
    half = len(items) // 2
    return whole(items[half] if len(items) % 2 else (items[half - 1] + items[half]) / 2)


def _product(*arguments: Any) -> Any:
    items = _numbers(arguments)
    result: Any = 1
    for each in items or ():
        result = arithmetic.multiply(result, each)
        if result is None:
            return None
    return None if items is None else result


def _all(*arguments: Any) -> Any:
    items = _spread(arguments)
    if items is None or any(each is False for each in items):
        return None if items is None else False
    return True if all(each is True for each in items) else None


def _any(*arguments: Any) -> Any:
    items = _spread(arguments)
    if items is None or any(each is True for each in items):
        return None if items is None else True
    return False if all(each is False for each in items) else None


def _rounded(rounding: str) -> Function:
    def round_(value: Any, scale: Any = 0) -> Any:
        if not is_number(value) or not is_number(scale) or abs(scale) > 30:
            return None
        step = Decimal(1).scaleb(-int(scale))
        return whole(float((Decimal(str(value)) / step).to_integral_value(rounding) * step))

    return round_


def _modulo(value: Any, by: Any) -> Any:
    if not is_number(value) or not is_number(by) or by == 0:
        return None
    return whole(value - by * math.floor(value / by))


def _date(*parts: Any) -> Any:
    if len(parts) == 1:
        value = parts[0]
        if isinstance(value, datetime):
            return value.date()
        return read_date(value) if isinstance(value, str) else _kept(value, date)
    return _made(date, parts)


def _time(*parts: Any) -> Any:
    if len(parts) == 1:
        value = parts[0]
        if isinstance(value, datetime):
            return value.timetz()
        return read_time(value) if isinstance(value, str) else _kept(value, time)
    made = _made(time, parts[:3])
    if made is not None and len(parts) == 4 and isinstance(parts[3], timedelta):
        return made.replace(tzinfo=zone(parts[3] / timedelta(hours=1)))
    return made


def _date_time(*parts: Any) -> Any:
    if len(parts) == 1:
        value = parts[0]
        return read_date_time(value) if isinstance(value, str) else _kept(value, datetime)
    if len(parts) == 2 and isinstance(parts[0], date) and isinstance(parts[1], time):
        return datetime.combine(date(*parts[0].timetuple()[:3]), parts[1])
    return _made(datetime, parts)


def _kept(value: Any, type_: type) -> Any:
    return value if isinstance(value, type_) else None


def _made(type_: Callable[..., Any], parts: tuple[Any, ...]) -> Any:
    try:
        return type_(*(int(each) for each in parts))
    except (TypeError, ValueError, OverflowError):
        return None


def _duration(text: Any) -> Any:
    if isinstance(text, timedelta | Months):
        return text
    return read_duration(text) if isinstance(text, str) else None


def _months_between(start: Any, end: Any) -> Any:
    if not isinstance(start, date) or not isinstance(end, date):
        return None
    count = (end.year - start.year) * 12 + end.month - start.month
    if count > 0 and end.day < start.day:
        count -= 1
    elif count < 0 and end.day > start.day:
        count += 1
    return Months(count)


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def _get_value(context: Any, key: Any) -> Any:
    return context.get(key) if isinstance(context, Mapping) else None


def _get_entries(context: Any) -> Any:
    if not isinstance(context, Mapping):
        return None
    return [{"key": key, "value": value} for key, value in context.items()]


def _context_put(context: Any, key: Any, value: Any) -> Any:
    if not isinstance(context, Mapping) or not isinstance(key, str):
        return None
    return {**context, key: value}


def _on_text(function: Callable[[str], Any]) -> Function:
    return lambda value: function(value) if isinstance(value, str) else None


def _on_texts(function: Callable[[str, str], Any]) -> Function:
    return lambda a, b: function(a, b) if isinstance(a, str) and isinstance(b, str) else None


def _on_number(function: Callable[[Any], Any]) -> Function:
    return lambda value: function(value) if is_number(value) else None


def _includes(range_: Any, value: Any) -> Any:
    return range_.holds(value) if isinstance(range_, Range) else None


FUNCTIONS: dict[str, tuple[Function, tuple[str, ...], int]] = {
    # name: (function, parameter names, how many are required)
    "not": (lambda v: (not v) if isinstance(v, bool) else None, ("negand",), 1),
    "string": (texts.string, ("from",), 1),
    "number": (texts.number, ("from", "grouping separator", "decimal separator"), 1),
    "substring": (texts.substring, ("string", "start position", "length"), 2),
    "string length": (_on_text(len), ("string",), 1),
    "upper case": (_on_text(str.upper), ("string",), 1),
    "lower case": (_on_text(str.lower), ("string",), 1),
    "trim": (_on_text(str.strip), ("string",), 1),
    "substring before": (lambda s, m: texts.around(s, m, False), ("string", "match"), 2),
    "substring after": (lambda s, m: texts.around(s, m, True), ("string", "match"), 2),
    "contains": (_on_texts(lambda a, b: b in a), ("string", "match"), 2),
    "starts with": (_on_texts(str.startswith), ("string", "match"), 2),
    "ends with": (_on_texts(str.endswith), ("string", "match"), 2),
    "matches": (texts.matches, ("input", "pattern", "flags"), 2),
    "replace": (texts.replace, ("input", "pattern", "replacement", "flags"), 3),
    "split": (texts.split, ("string", "delimiter"), 2),
    "string join": (texts.join, ("list", "delimiter"), 1),
    "list contains": (lists.contains, ("list", "element"), 2),
    "count": (lambda v: None if as_list(v) is None else len(as_list(v) or []), ("list",), 1),
    "sublist": (lists.sublist, ("list", "start position", "length"), 2),
    "append": (lambda v, *more: lists.bound([*(as_list(v) or []), *more]), (), 1),
    "concatenate": (lists.concatenate, (), 1),
    "insert before": (lists.insert, ("list", "position", "newItem"), 3),
    "remove": (lists.remove, ("list", "position"), 2),
    "reverse": (lambda v: list(reversed(as_list(v) or [])), ("list",), 1),
    "index of": (lists.index_of, ("list", "match"), 2),
    "union": (lists.union, (), 1),
    "distinct values": (lists.distinct, ("list",), 1),
    "flatten": (lists.flatten, ("list",), 1),
    "sort": (lists.sort, ("list",), 1),
    "min": (_extreme(-1), (), 1),
    "max": (_extreme(1), (), 1),
    "sum": (_sum, (), 1),
    "mean": (_mean, (), 1),
    "median": (_median, (), 1),
    "product": (_product, (), 1),
    "all": (_all, (), 1),
    "and": (_all, (), 1),
    "any": (_any, (), 1),
    "or": (_any, (), 1),
    "floor": (_rounded("ROUND_FLOOR"), ("n", "scale"), 1),
    "ceiling": (_rounded("ROUND_CEILING"), ("n", "scale"), 1),
    "round up": (_rounded("ROUND_UP"), ("n", "scale"), 2),
    "round down": (_rounded("ROUND_DOWN"), ("n", "scale"), 2),
    "round half up": (_rounded(ROUND_HALF_UP), ("n", "scale"), 2),
    "round half down": (_rounded("ROUND_HALF_DOWN"), ("n", "scale"), 2),
    "decimal": (_rounded(ROUND_HALF_EVEN), ("n", "scale"), 2),
    "abs": (lambda v: arithmetic.negate(v) if compare(v, 0) == -1 else v, ("n",), 1),
    "modulo": (_modulo, ("dividend", "divisor"), 2),
    "sqrt": (_on_number(lambda v: None if v < 0 else whole(math.sqrt(v))), ("number",), 1),
    "exp": (_on_number(lambda v: None if v > 700 else math.exp(v)), ("number",), 1),
    "log": (_on_number(lambda v: None if v <= 0 else math.log(v)), ("number",), 1),
    "odd": (_on_number(lambda v: v % 2 == 1), ("number",), 1),
    "even": (_on_number(lambda v: v % 2 == 0), ("number",), 1),
    "date": (_date, ("from",), 1),
    "time": (_time, ("from",), 1),
    "date and time": (_date_time, ("from",), 1),
    "duration": (_duration, ("from",), 1),
    "years and months duration": (_months_between, ("from", "to"), 2),
    "day of week": (
        lambda v: _DAYS[v.weekday()] if isinstance(v, date) else None,
        ("date",),
        1,
    ),
    "month of year": (
        lambda v: _MONTHS[v.month - 1] if isinstance(v, date) else None,
        ("date",),
        1,
    ),
    "day of year": (
        lambda v: v.timetuple().tm_yday if isinstance(v, date) else None,
        ("date",),
        1,
    ),
    "week of year": (lambda v: v.isocalendar()[1] if isinstance(v, date) else None, ("date",), 1),
    "get value": (_get_value, ("m", "key"), 2),
    "get entries": (_get_entries, ("m",), 1),
    "context put": (_context_put, ("context", "key", "value"), 3),
    "is defined": (lambda v: v is not None, ("value",), 1),
    "includes": (_includes, ("range", "point"), 2),
    "is": (lambda a, b: kind_of(a) == kind_of(b) and equal(a, b) is True, ("a", "b"), 2),
}
