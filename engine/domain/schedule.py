"""When a timer is due: ISO 8601 durations, instants and cycles, and cron lines."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from engine.kernel.errors import ExecutionFailed

LONGEST = timedelta(days=36_500)
_WORKING_DAYS = re.compile(r"([1-9]\d{0,3})wd")
ZONE = ZoneInfo("Asia/Shanghai")
"""Cron lines and instants without a zone mean this wall clock."""

_LONGEST_MONTH = timedelta(days=31)
_DURATION = re.compile(
    r"P(?=.)(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?"
    r"(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?"
    r"(?:(?P<seconds>\d{1,8}(?:\.\d{1,6})?)S)?)?"
)
_CYCLE = re.compile(
    r"R(?P<times>\d{0,5})/(?:(?P<start>\d[^/]*)/)?(?P<every>P[^/]+)(?:/(?P<end>\d[^/]*))?"
)


def after(start: datetime, text: str) -> datetime:
    """The instant a duration (``P1M``, ``P2W``, ``PT1H30M``) after `start`. Raises ValueError.

    Months and years count by the calendar: 31 January and one month is the last of February.
    """
    months, rest = _parts(text)
    at = _moved(start, months, rest)
    if at - start > LONGEST:
        raise ValueError("a timer may wait for at most 100 years")
    return at


def _parts(duration: str) -> tuple[int, timedelta]:
    """The months of a duration, and the rest of it, which is always equally long."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        raise ValueError(f"{duration!r} is not an ISO 8601 duration")
    seconds = float(match["seconds"] or 0)
    parts = {
        name: int(value or 0) for name, value in match.groupdict().items() if name != "seconds"
    }
    months = parts.pop("years") * 12 + parts.pop("months")
    return months, timedelta(**parts, seconds=seconds)


def _moved(start: datetime, months: int, rest: timedelta) -> datetime:
    at = add_months(start.astimezone(ZONE), months) if months else start
    return at.astimezone(UTC) + rest


def add_months(start: datetime, months: int) -> datetime:
    """The same day that many months later (earlier, if negative), or the last the month has.

    Raises ValueError for more than 100 years.
    """
    if abs(months) > 1_200:
        raise ValueError("a timer may wait for at most 100 years")
    year, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + year, month + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return start.replace(year=year, month=month, day=day)


def instant(text: str) -> datetime:
    """An ISO 8601 date or date-time; without a zone it is `ZONE`'s. Raises ValueError."""
    at = datetime.fromisoformat(text.strip())
    return (at.replace(tzinfo=ZONE) if at.tzinfo is None else at).astimezone(UTC)


def working_days(text: str) -> int | None:
    """How many working days a timer of ``3wd`` waits; None for one that counts otherwise."""
    match = _WORKING_DAYS.fullmatch(text.strip())
    return int(match[1]) if match is not None else None


def is_schedule(text: str) -> bool:
    """Whether `text` says when, in one of the ways of this module."""
    try:
        next_instant(text, datetime(2024, 1, 1, tzinfo=UTC))
    except (ValueError, OverflowError):
        return False
    return True


def repeats(text: str) -> int | None:
    """How often a timer of `text` fires: once, a cycle's number of times, or None for ever."""
    match = _CYCLE.fullmatch(text)
    if match is not None:
        return int(match["times"]) if match["times"] else None
    return None if _cron_fields(text) else 1


def next_instant(text: str, now: datetime) -> datetime:
    """When a timer of `text` set at `now` is due. Raises ValueError.

    A cycle gives its next occurrence: those missed while nobody counted fire once, not each.
    """
    text = text.strip()
    if text.startswith("P"):
        return after(now, text)
    match = _CYCLE.fullmatch(text)
    if match is not None:
        return _next_in_cycle(match, now)
    if fields := _cron_fields(text):
        try:
            return next(CronSim(fields, now.astimezone(ZONE))).astimezone(UTC)
        except (CronSimError, StopIteration) as error:
            raise ValueError(f"{text!r} is not a cron line") from error
    return instant(text)


def _next_in_cycle(match: re.Match[str], now: datetime) -> datetime:
    every = match["every"]
    if match["end"]:
        instant(match["end"])
    if not match["start"]:
        return after(now, every)
    start, (months, rest) = instant(match["start"]), _parts(every)
    if after(start, every) <= start:
        raise ValueError("a cycle must take some time")
    if start > now:
        return start
    # Counted from the start, so that the last day of a month stays the last day.
    times = max(1, (now - start) // (months * _LONGEST_MONTH + rest))
    while (at := _moved(start, months * times, rest * times)) <= now:
        times += 1
    return at


_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def _cron_fields(text: str) -> str:
    """A cron line of five fields, or six with seconds first as Quartz writes them; else empty."""
    fields = _NAMED.get(text, text).split()
    if len(fields) == 7 and fields[6] in ("*", "?"):
        fields = fields[:6]
    if len(fields) not in (5, 6) or not all(re.fullmatch(r"[\w*?/,#LW-]+", f) for f in fields):
        return ""
    return " ".join(
        "*" if field == "?" else field.replace("0/", "*/") if field.startswith("0/") else field
        for field in fields
    )


def timer_instant(value: str, now: datetime, element: str) -> datetime:
    """When a timer of `value` is due. Raises ExecutionFailed."""
    try:
        return next_instant(value, now)
    except (ValueError, OverflowError) as error:
        raise ExecutionFailed(element=element, reason=str(error)) from error
