"""The texts of timers: duration, date, cycle, cron line, ``limit:<name>``, ``3wd``, or an
expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.bpmn.languages import Expression, LanguageUnknown, NotAllowed, read_expression
from engine.domain.schedule import is_schedule, repeats, working_days
from engine.kernel.errors import ExecutionFailed

_LIMIT = re.compile(r"limit:[a-z][a-z0-9_]*")
MAX_LENGTH = 64


def is_timer_value(text: str) -> bool:
    """Whether `text` says when, without an expression."""
    return len(text) <= MAX_LENGTH and bool(
        _LIMIT.fullmatch(text) or working_days(text) or is_schedule(text)
    )


def read_timer(text: str, leading: str) -> Expression:
    """A timer's text as the model has it. Raises LanguageUnknown, NotAllowed."""
    text = text.strip()
    if is_timer_value(text):
        return Expression(text, "text")
    if not text or len(text) > 2_000:
        raise NotAllowed(text[:MAX_LENGTH])
    if re.match(r"(R\d*/|-?P|\d{4}-)", text):
        # Meant to be plain: say that it is unreadable, not that an expression is.
        raise NotAllowed(text[:MAX_LENGTH])
    try:
        return read_expression(text, None, leading)
    except LanguageUnknown as error:
        raise NotAllowed(str(error)) from error


def timer_value(timer: Expression, kind: str, data: Mapping[str, Any], element: str) -> str:
    """The value of a timer reached with `data`.

    Raises ExecutionFailed if an expression gives none, and ExpressionFailed.
    """
    text = str(timer.evaluate(data)).strip()
    if not is_timer_value(text):
        raise ExecutionFailed(element=element, reason="timer_unreadable", detail=text[:MAX_LENGTH])
    return text


def rounds_of(value: str) -> int | None:
    """How often the timer may fire: None without end."""
    return 1 if working_days(value) else repeats(value)
