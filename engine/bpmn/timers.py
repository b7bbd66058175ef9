"""The texts of timers: ``PT1H``, ``P3D``, an ISO date-time, ``limit:<name>`` or ``=expression``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.bpmn.expressions import EXPRESSIONS
from engine.domain.duration import parse_duration
from engine.kernel.errors import ExecutionFailed

_LIMIT = re.compile(r"limit:[a-z][a-z0-9_]*")
MAX_LENGTH = 64


def is_timer_value(text: str) -> bool:
    """Whether `text` says when, without an expression."""
    if len(text) > MAX_LENGTH:
        return False
    if _LIMIT.fullmatch(text):
        return True
    try:
        return bool(parse_duration(text) if text.startswith("P") else datetime.fromisoformat(text))
    except ValueError:
        return False


def is_timer_text(text: str) -> bool:
    """Whether a diagram may say so: a value, or an expression that gives one."""
    if text.startswith("="):
        return EXPRESSIONS.check(text[1:]) is None
    return is_timer_value(text)


def timer_value(text: str, data: Mapping[str, Any], element: str) -> str:
    """The value of a timer reached with `data`.

    Raises ExecutionFailed if an expression gives none, and ExpressionFailed.
    """
    if text.startswith("="):
        text = str(EXPRESSIONS.evaluate(text[1:], data)).strip()
    if not is_timer_value(text):
        raise ExecutionFailed(element=element, reason="timer_unreadable", detail=text[:MAX_LENGTH])
    return text
