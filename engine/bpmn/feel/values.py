"""The values of FEEL: numbers, texts, truth, lists, contexts, ranges, dates and durations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

MAX_STEPS = 100_000
MAX_ITEMS = 20_000
MAX_TEXT = 20_000
MAX_NUMBER = 10**30


class FeelFailed(ValueError):
    """The evaluation used more than it may."""


class Context:
    """The variables an expression sees, what it may still spend, and a cell's input `value`."""

    __slots__ = ("budget", "data", "value")

    def __init__(self, data: Mapping[str, Any], value: Any = None, budget: list[int] | None = None):
        self.data, self.value = data, value
        self.budget = [MAX_STEPS] if budget is None else budget

    def spend(self, steps: int = 1) -> None:
        self.budget[0] -= steps
        if self.budget[0] < 0:
            raise FeelFailed("too many steps")

    def inside(self, more: Mapping[str, Any]) -> Context:
        self.spend(1 + len(more))
        return Context({**self.data, **more}, self.value, self.budget)


@dataclass(frozen=True)
class Months:
    """A duration of years and months."""

    count: int


@dataclass(frozen=True)
class Range:
    """From `low` to `high`; None is without end. The ends belong to it if closed."""

    low: Any
    high: Any
    low_closed: bool = True
    high_closed: bool = True

    def holds(self, value: Any) -> bool | None:
        if value is None:
            return None
        if self.low is not None:
            order = compare(value, self.low)
            if order is None:
                return None
            if order < 0 or (order == 0 and not self.low_closed):
                return False
        if self.high is not None:
            order = compare(value, self.high)
            if order is None:
                return None
            if order > 0 or (order == 0 and not self.high_closed):
                return False
        return True


_DURATION = re.compile(
    r"(-)?P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"T?\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?")


def read_duration(text: str) -> timedelta | Months | None:
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    sign = -1 if match[1] else 1
    years, months, days, hours, minutes = (int(match[n] or 0) for n in range(2, 7))
    seconds = float(match[7] or 0)
    if max(years, months, days, hours, minutes, seconds) > 10**7:
        return None
    if any(match[n] for n in (4, 5, 6, 7)):
        if years or months:
            return None
        return sign * timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return Months(sign * (12 * years + months))


def read_date(text: str) -> date | None:
    return _parsed(date.fromisoformat, text) if _DATE.fullmatch(text) else None


def read_time(text: str) -> time | None:
    return _parsed(time.fromisoformat, text.lstrip("T")) if _TIME.fullmatch(text) else None


def read_date_time(text: str) -> datetime | None:
    if _DATE_TIME.fullmatch(text):
        made: datetime | None = _parsed(datetime.fromisoformat, text)
        return made
    day = read_date(text)
    return None if day is None else datetime.combine(day, time())


def _parsed(read: Any, text: str) -> Any:
    try:
        return read(text)
    except ValueError:
        return None


def read_dated(text: str) -> Any:
    """The date, time, date and time or duration that `text` is, or None."""
    for read in (read_date, read_date_time, read_time, read_duration):
        value = read(text)
        if value is not None:
            return value
    return None


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind_of(value: Any) -> str:
    """The FEEL type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    for kind, type_ in (
        ("string", str),
        ("date and time", datetime),
        ("date", date),
        ("time", time),
        ("days and time duration", timedelta),
        ("years and months duration", Months),
        ("range", Range),
        ("list", list),
        ("context", Mapping),
    ):
        if isinstance(value, type_):
            return kind
    return "any"


def _alike(left: Any, right: Any) -> tuple[str, Any, Any] | None:
    """Both values with their common type; a text beside a date is read as one (data is JSON)."""
    a, b = kind_of(left), kind_of(right)
    if a == b:
        return a, left, right
    if a == "string" and b not in ("null", "list", "context"):
        read = _as(left, b)
        return None if read is None else (b, read, right)
    if b == "string" and a not in ("null", "list", "context"):
        read = _as(right, a)
        return None if read is None else (a, left, read)
    if {a, b} == {"date", "date and time"}:
        return "date and time", _moment(left), _moment(right)
    return None


def _as(text: str, kind: str) -> Any:
    if kind == "date":
        return read_date(text[:10]) if read_date_time(text) else None
    if kind == "date and time":
        return read_date_time(text)
    if kind == "time":
        return read_time(text)
    if kind.endswith("duration"):
        made = read_duration(text)
        return made if kind_of(made) == kind else None
    return None


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _order_key(kind: str, value: Any) -> Any:
    if kind == "date and time":
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if kind == "time" and value.tzinfo:
        return value.replace(tzinfo=None)
    return value.count if kind == "years and months duration" else value


_ORDERED = frozenset(
    {
        "number",
        "string",
        "date",
        "time",
        "date and time",
        "days and time duration",
        "years and months duration",
    }
)


def compare(left: Any, right: Any) -> int | None:
    """Negative, zero or positive; None if the values cannot be ordered."""
    alike = _alike(left, right)
    if alike is None or alike[0] not in _ORDERED:
        return None
    a, b = _order_key(alike[0], alike[1]), _order_key(alike[0], alike[2])
    return -1 if a < b else int(a > b)


def equal(left: Any, right: Any) -> bool | None:
    """Whether two values are equal; None (neither) for values of different types."""
    if left is None or right is None:
        return left is right
    alike = _alike(left, right)
    if alike is None:
        return None
    kind, a, b = alike
    if kind == "list":
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    if kind == "context":
        return set(a) == set(b) and all(equal(a[key], b[key]) for key in a)
    return bool(_order_key(kind, a) == _order_key(kind, b))


def to_plain(value: Any) -> Any:
    """A value as JSON has it: dates and durations become ISO 8601 text."""
    if isinstance(value, list):
        return [to_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, date | time):
        text = value.isoformat()
        return f"{text[:-6]}Z" if text.endswith("+00:00") else text
    if isinstance(value, timedelta | Months):
        return duration_text(value)
    if isinstance(value, Range):
        left, right = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
        return f"{left}{to_plain(value.low)}..{to_plain(value.high)}{right}"
    return whole(value)


def whole(value: Any) -> Any:
    """A number without a fraction as an integer."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def duration_text(value: timedelta | Months) -> str:
    if isinstance(value, Months):
        sign, count = ("-" if value.count < 0 else ""), abs(value.count)
        years, months = divmod(count, 12)
        return f"{sign}P{f'{years}Y' if years else ''}{f'{months}M' if months or not years else ''}"
    total = abs(value)
    hours, rest = divmod(total.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = f"{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"
    fraction = f".{total.microseconds:06d}".rstrip("0") if total.microseconds else ""
    if seconds or fraction:
        parts += f"{seconds}{fraction}S"
    days = f"{total.days}D" if total.days else ""
    if not days and not parts:
        parts = "0S"
    return f"{'-' if value < timedelta(0) else ''}P{days}{f'T{parts}' if parts else ''}"


def zone(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))
