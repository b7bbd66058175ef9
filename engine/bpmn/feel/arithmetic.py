"""The operators of FEEL: what does not fit together is null."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.bpmn.feel.values import (
    MAX_NUMBER,
    MAX_TEXT,
    FeelFailed,
    Months,
    is_number,
    kind_of,
    read_dated,
    whole,
)

_DURATIONS = ("days and time duration", "years and months duration")
_DATED = ("date", "time", "date and time")


def bounded(value: Any) -> Any:
    """A number within bounds, or None."""
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return whole(value) if abs(value) <= MAX_NUMBER else None


def add_months(day: date, count: int) -> date | None:
    year, month = divmod(day.month - 1 + count, 12)
    year, month = day.year + year, month + 1
    if not 1 <= year <= 9999:
        return None
    return day.replace(
        year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1])
    )


def _dated(value: Any, other: Any) -> Any:
    """A text beside a date or duration, read as one."""
    if isinstance(value, str) and kind_of(other) in (*_DATED, *_DURATIONS):
        return read_dated(value)
    return value


def add(left: Any, right: Any) -> Any:
    if is_number(left) and is_number(right):
        return bounded(left + right)
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_TEXT:
            raise FeelFailed("the text becomes too long")
        return left + right
    left, right = _dated(left, right), _dated(right, left)
    if kind_of(left) in _DURATIONS and kind_of(right) not in _DURATIONS:
        left, right = right, left
    return _shift(left, right, 1)


def subtract(left: Any, right: Any) -> Any:
    if is_number(left) and is_number(right):
        return bounded(left - right)
    left, right = _dated(left, right), _dated(right, left)
    a, b = kind_of(left), kind_of(right)
    if a in _DATED and b in _DATED:
        return _between(left, right)
    return _shift(left, right, -1)


def _between(left: Any, right: Any) -> timedelta | None:
    if isinstance(left, time) or isinstance(right, time):
        if not (isinstance(left, time) and isinstance(right, time)):
            return None
        day = date(2000, 1, 1)
        left, right = datetime.combine(day, left), datetime.combine(day, right)
    left = left if isinstance(left, datetime) else datetime.combine(left, time())
    right = right if isinstance(right, datetime) else datetime.combine(right, time())
    if (left.tzinfo is None) != (right.tzinfo is None):
        return None
    made: timedelta = left - right
    return made


def _shift(value: Any, by: Any, sign: int) -> Any:
    try:
        if isinstance(by, Months):
            if isinstance(value, Months):
                return Months(value.count + sign * by.count)
            return add_months(value, sign * by.count) if isinstance(value, date) else None
        if isinstance(by, timedelta):
            if isinstance(value, timedelta | datetime):
                return value + sign * by
            if isinstance(value, date):
                return (datetime.combine(value, time()) + sign * by).date()
            if isinstance(value, time):
                moved = datetime.combine(date(2000, 1, 1), value) + sign * by
                return moved.timetz()
    except OverflowError:
        return None
    return None


def multiply(left: Any, right: Any) -> Any:
    if is_number(left) and is_number(right):
        return bounded(left * right)
    if is_number(left):
        left, right = right, left
    if is_number(right):
        try:
            if isinstance(left, timedelta):
                return left * right
            if isinstance(left, Months):
                return Months(int(left.count * right))
        except OverflowError:
            return None
    return None


def divide(left: Any, right: Any) -> Any:
    try:
        if is_number(left) and is_number(right):
            return bounded(left / right)
        if isinstance(left, timedelta) and isinstance(right, timedelta):
            return bounded(left / right)
        if isinstance(left, timedelta) and is_number(right):
            return left / right
        if isinstance(left, Months) and isinstance(right, Months):
            return bounded(left.count / right.count)
        if isinstance(left, Months) and is_number(right):
            return Months(int(left.count / right))
    except (ZeroDivisionError, OverflowError):
        return None
    return None


def power(left: Any, right: Any) -> Any:
    if not (is_number(left) and is_number(right)) or abs(right) > 1_000:
        return None
    try:
        return bounded(float(left) ** float(right))
    except (OverflowError, ZeroDivisionError):
        return None


def negate(value: Any) -> Any:
    if is_number(value):
        return -value
    if isinstance(value, timedelta):
        return -value
    return Months(-value.count) if isinstance(value, Months) else None


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
}
