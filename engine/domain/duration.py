"""Timers as ISO 8601 writes them: a duration, or an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from engine.kernel.errors import ExecutionFailed

LONGEST = timedelta(days=36_500)
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W|(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})S)?)?)"
)


def parse_duration(text: str) -> timedelta:
    """``P2W``, ``P3D``, ``PT1H30M``. Raises ValueError; months and years vary and are refused."""
    match = _DURATION.fullmatch(text.strip())
    parts = (
        {name: int(value) for name, value in match.groupdict().items() if value} if match else {}
    )
    if not parts:
        raise ValueError(f"{text!r} is not an ISO 8601 duration of weeks, days or a time")
    duration = timedelta(**parts)
    if duration > LONGEST:
        raise ValueError("a timer may wait for at most 100 years")
    return duration


def timer_instant(value: str, now: datetime, element: str) -> datetime:
    """When a timer of `value` (duration or instant) is due. Raises ExecutionFailed."""
    try:
        if value.startswith("P"):
            return now + parse_duration(value)
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise ExecutionFailed(element=element, reason=str(error)) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
