"""Whether a field is asked for, from the answers so far. Data only: nothing here runs code.

An unanswered field equals nothing, is in nothing and is neither more nor less than anything.
A field with several answers `eq` a value when the value is among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.domain.ports import Form
from forms.definition import fields_of

Condition = Mapping[str, Any]
ALWAYS: Condition = {"all": []}
NEVER: Condition = {"any": []}

COMPARISONS = ("eq", "ne", "in", "gt", "lt", "empty")
GROUPS = ("all", "any", "not")


def holds(condition: Condition, answers: Mapping[str, Any]) -> bool:
    """Whether a checked condition is true of these answers."""
    if "all" in condition:
        return all(holds(part, answers) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, answers) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], answers)
    answer = answers.get(condition["field"])
    operator = next(name for name in COMPARISONS if name in condition)
    return _compare(operator, answer, condition[operator])


def _compare(operator: str, answer: Any, value: Any) -> bool:
    match operator:
        case "eq":
            return _equal(answer, value)
        case "ne":
            return not _equal(answer, value)
        case "in":
            return any(_equal(answer, one) for one in value)
        case "gt":
            return _ordered(answer, value, lambda a, b: a > b)
        case "lt":
            return _ordered(answer, value, lambda a, b: a < b)
        case _:
            return is_blank(answer) is bool(value)


def _equal(answer: Any, value: Any) -> bool:
    if isinstance(answer, list):
        return any(_equal(one, value) for one in answer)
    # Python says True == 1; in a form they are different answers.
    if isinstance(answer, bool) or isinstance(value, bool):
        return answer is value
    return bool(answer == value)


def _ordered(answer: Any, value: Any, compare: Callable[[Any, Any], bool]) -> bool:
    if _is_number(answer) and _is_number(value):
        return compare(answer, value)
    # ISO dates sort as text.
    return isinstance(answer, str) and isinstance(value, str) and compare(answer, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_blank(answer: Any) -> bool:
    """Whether a person has answered nothing: absent, only white space, or nothing ticked."""
    if isinstance(answer, str):
        return not answer.strip()
    return answer is None or answer == []


def leaves(condition: Condition) -> Iterator[Condition]:
    """Every comparison inside a checked condition."""
    for group in ("all", "any"):
        for part in condition.get(group, ()):
            yield from leaves(part)
    if "not" in condition:
        yield from leaves(condition["not"])
    if "field" in condition:
        yield condition


def visible_answers(form: Form, answers: Mapping[str, Any]) -> tuple[set[str], dict[str, Any]]:
    """The names of the visible fields, and the answers that count.

    Fields are looked at in form order, so what depends on a hidden field sees it unanswered.
    """
    visible: set[str] = set()
    kept: dict[str, Any] = {}
    for field in fields_of(form):
        if field.condition is not None and not holds(field.condition, kept):
            continue
        visible.add(field.name)
        answer = answers.get(field.name)
        if not field.readonly and not is_blank(answer):
            kept[field.name] = answer
    return visible, kept


def settle(condition: Condition, on_page: set[str], answers: Mapping[str, Any]) -> Condition:
    """The condition with every comparison about another page's field already decided."""
    for group in ("all", "any"):
        if group in condition:
            return {group: [settle(part, on_page, answers) for part in condition[group]]}
    if "not" in condition:
        return {"not": settle(condition["not"], on_page, answers)}
    if condition["field"] in on_page:
        return condition
    return ALWAYS if holds(condition, answers) else NEVER
