"""The parts of an expression as closures over its context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.bpmn.feel.arithmetic import OPERATORS, negate
from engine.bpmn.feel.values import (
    MAX_ITEMS,
    Context,
    FeelFailed,
    Months,
    Range,
    compare,
    equal,
    is_number,
    kind_of,
    whole,
)

Value = Callable[[Context], Any]


def constant(value: Any) -> Value:
    return lambda context: value


def given(context: Context) -> Any:
    return context.value


def variable(name: str) -> Value:
    def read(context: Context) -> Any:
        context.spend()
        return context.data.get(name)

    return read


def choice(test: Value, then: Value, otherwise: Value) -> Value:
    return lambda c: then(c) if test(c) is True else otherwise(c)


def both(left: Value, right: Value) -> Value:
    def value(context: Context) -> bool | None:
        a = left(context)
        if a is False:
            return False
        b = right(context)
        if b is False:
            return False
        return True if a is True and b is True else None

    return value


def either(left: Value, right: Value) -> Value:
    def value(context: Context) -> bool | None:
        a = left(context)
        if a is True:
            return True
        b = right(context)
        if b is True:
            return True
        return False if a is False and b is False else None

    return value


def comparison(sign: str, left: Value, right: Value) -> Value:
    if sign == "=":
        return lambda c: equal(left(c), right(c))
    if sign == "!=":

        def differs(context: Context) -> bool | None:
            same = equal(left(context), right(context))
            return None if same is None else not same

        return differs
    tests: dict[str, Callable[[int], bool]] = {
        "<": lambda order: order < 0,
        "<=": lambda order: order <= 0,
        ">": lambda order: order > 0,
        ">=": lambda order: order >= 0,
    }
    test = tests[sign]

    def ordered(context: Context) -> bool | None:
        context.spend()
        order = compare(left(context), right(context))
        return None if order is None else test(order)

    return ordered


def between(value: Value, low: Value, high: Value) -> Value:
    return lambda c: (
        Range(low(c), high(c)).holds(value(c)) if None not in (low(c), high(c)) else None
    )


def inside(value: Value, tests: list[Value]) -> Value:
    test = any_of(tests)

    def holds(context: Context) -> Any:
        return test(Context(context.data, value(context), context.budget))

    return holds


def instance_of(value: Value, kind: str) -> Value:
    if kind == "Any":
        return lambda c: value(c) is not None
    return lambda c: kind_of(value(c)) == kind


def operation(sign: str, left: Value, right: Value) -> Value:
    operate = OPERATORS[sign]

    def value(context: Context) -> Any:
        context.spend()
        return operate(left(context), right(context))

    return value


def negation(value: Value) -> Value:
    return lambda c: negate(value(c))


def member(value: Value, name: str) -> Value:
    return lambda c: _member(value(c), name)


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list):
        return [_member(each, name) for each in value]
    return _part(value, name)


def _part(value: Any, name: str) -> Any:
    if isinstance(value, date | time):
        if name == "weekday":
            return value.isoweekday() if isinstance(value, date) else None
        if name == "time offset":
            return value.utcoffset() if isinstance(value, datetime | time) else None
        known = ("year", "month", "day", "hour", "minute", "second")
        return getattr(value, name, None) if name in known else None
    if isinstance(value, Months):
        years, months = divmod(abs(value.count), 12)
        sign = -1 if value.count < 0 else 1
        return {"years": sign * years, "months": sign * months}.get(name)
    if isinstance(value, timedelta):
        total, sign = abs(value), -1 if value < timedelta(0) else 1
        parts = {
            "days": total.days,
            "hours": total.seconds // 3600,
            "minutes": total.seconds // 60 % 60,
            "seconds": total.seconds % 60,
        }
        return sign * parts[name] if name in parts else None
    if isinstance(value, Range):
        return {"start": value.low, "end": value.high}.get(name)
    return None


def filtered(value: Value, test: Value) -> Value:
    """``list[2]`` is an item, ``list[price > 5]`` those for which it holds."""

    def find(context: Context) -> Any:
        found = value(context)
        items = found if isinstance(found, list) else [] if found is None else [found]
        place = test(context)
        if is_number(place):
            at = int(place) - 1 if place > 0 else len(items) + int(place)
            return items[at] if place != 0 and 0 <= at < len(items) else None
        kept = []
        for each in items:
            inner = dict(each) if isinstance(each, Mapping) else {}
            if test(context.inside({"item": each, **inner})) is True:
                kept.append(each)
        return kept

    return find


def span(start: Value, end: Value) -> Value:
    """The whole numbers or days of ``start..end`` in a loop, downward too."""

    def values(context: Context) -> Any:
        low, high = start(context), end(context)
        if isinstance(low, date) and isinstance(high, date):
            count = (high - low).days
            step = 1 if count >= 0 else -1
            return [low + timedelta(days=n) for n in _steps(0, count, step)]
        if not is_number(low) or not is_number(high):
            return None
        return list(_steps(int(low), int(high), 1 if high >= low else -1))

    return values


def _steps(low: int, high: int, step: int) -> range:
    if abs(high - low) >= MAX_ITEMS:
        raise FeelFailed("the list becomes too long")
    return range(low, high + step, step)


def _items(value: Any) -> list[Any]:
    if isinstance(value, Range):
        if not is_number(value.low) or not is_number(value.high):
            return []
        low = int(value.low) + (not value.low_closed)
        high = int(value.high) - (not value.high_closed)
        return list(_steps(low, high, 1)) if high >= low else []
    return value if isinstance(value, list) else [] if value is None else [value]


def loop(iterators: list[tuple[str, Value]], result: Value) -> Value:
    def values(context: Context) -> list[Any]:
        made: list[Any] = []
        _each(
            iterators,
            context,
            lambda c: made.append(result(c.inside({"partial": list(made[-50:])}))),
        )
        return made

    return values


def _each(
    iterators: list[tuple[str, Value]], context: Context, act: Callable[[Context], Any]
) -> None:
    if not iterators:
        act(context)
        return
    (name, domain), rest = iterators[0], iterators[1:]
    for item in _items(domain(context)):
        _each(rest, context.inside({name: item}), act)


def quantified(iterators: list[tuple[str, Value]], test: Value, every: bool) -> Value:
    def value(context: Context) -> bool | None:
        results: list[Any] = []
        _each(iterators, context, lambda c: results.append(test(c)))
        decisive = not every
        if any(each is decisive for each in results):
            return decisive
        return None if any(each is not every for each in results) else every

    return value


def ranged(low: Value, high: Value, low_closed: bool, high_closed: bool) -> Value:
    def made(context: Context) -> Range | None:
        a, b = low(context), high(context)
        if a is not None and b is not None and compare(a, b) is None:
            return None
        return Range(a, b, low_closed, high_closed)

    return made


def listed(items: list[Value]) -> Value:
    return lambda c: [item(c) for item in items]


def context(entries: list[tuple[str, Value]]) -> Value:
    """A context; each entry sees those before it."""

    def made(outer: Context) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in entries:
            found[name] = value(outer.inside(found))
        return found

    return made


def call(function: Callable[..., Any], arguments: list[Value]) -> Value:
    def value(c: Context) -> Any:
        c.spend(5)
        try:
            return whole(function(*(argument(c) for argument in arguments)))
        except (TypeError, ValueError, OverflowError, ArithmeticError) as error:
            if isinstance(error, FeelFailed):
                raise
            return None

    return value


# Cells


def fits(value: Value) -> Value:
    """Whether the input is the value, is among it, or lies in it."""

    def test(context: Context) -> bool | None:
        context.spend()
        wanted, found = value(context), context.value
        if isinstance(wanted, Range):
            return wanted.holds(found)
        if isinstance(wanted, list):
            if isinstance(found, list) and equal(found, wanted) is True:
                return True
            return any(_is(found, each) for each in wanted)
        if isinstance(found, list) and not isinstance(wanted, list):
            return any(_is(each, wanted) for each in found)
        return _is(found, wanted)

    return test


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Range):
        return wanted.holds(value) is True
    return equal(value, wanted) is True


def any_of(tests: list[Value]) -> Value:
    def test(context: Context) -> bool | None:
        unknown = False
        for each in tests:
            found = each(context)
            if found is True:
                return True
            unknown = unknown or found is None
        return None if unknown else False

    return test


def negated(tests: list[Value]) -> Value:
    inner = any_of(tests)

    def test(context: Context) -> bool:
        # A cell says yes or no: what cannot be compared is not among those excluded.
        return inner(context) is not True

    return test


def containing(words: list[Value]) -> Value:
    def test(context: Context) -> bool:
        value = context.value
        return isinstance(value, str) and any(word(context) in value for word in words)

    return test
