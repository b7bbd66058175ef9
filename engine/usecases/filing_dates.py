"""The two dates that a case would get if it were filed at some instant."""

from __future__ import annotations

from datetime import datetime

from engine.domain.calendar import WorkingCalendar
from engine.domain.clock_terms import CASE_DATES
from engine.domain.connector import is_expression
from engine.domain.limit import due
from engine.kernel.errors import ClockVerbRefused
from engine.usecases.clock_elements import clock_elements
from engine.usecases.clock_limits import limit_named
from engine.usecases.definition import Definition


def dates_if_filed(
    made: Definition, service: str, at: datetime, calendar: WorkingCalendar
) -> dict[str, datetime]:
    """The dates by ``legal`` and ``promised``, as far as the package says which limit they count.

    Where cases of a service have different limits it is the clock's own, that of the usual case.
    """
    dates = {}
    for key in CASE_DATES:
        terms = made.manifest.clocks[key]
        try:
            _, limit = limit_named(made, service, terms, terms.limit or _limit_begun(made, key))
        except (KeyError, ClockVerbRefused):
            continue
        dates[key] = due(limit, at, calendar)
    return dates


def _limit_begun(made: Definition, clock: str) -> str | None:
    """The limit with which the model starts the clock, if it says it."""
    for each in clock_elements(made):
        if each.verb == "start" and clock in each.clocks and not is_expression(each.limit):
            return each.limit
    return None
