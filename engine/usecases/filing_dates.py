"""The two dates that a case would have if it were filed at some instant."""

from __future__ import annotations

from datetime import datetime

from engine.domain import sla
from engine.domain.calendar import WorkingCalendar
from engine.domain.clock_terms import CASE_DATES
from engine.domain.connector import is_expression
from engine.domain.sla import SlaClock
from engine.kernel.errors import ClockVerbRefused
from engine.usecases.clock_elements import clock_elements
from engine.usecases.clock_limits import limit_named
from engine.usecases.definition import Definition

USUAL = ("reply", "decision")
"""What packages call the limit of their cases, where neither clock nor model names it."""


def filing_clocks(
    made: Definition, service: str, at: datetime, calendar: WorkingCalendar
) -> dict[str, SlaClock]:
    """The clocks ``legal`` and ``promised``, as far as the package says which limit they count.

    Where cases of a service have different limits it is the clock's own, that of the usual case.
    """
    clocks = {}
    for key in CASE_DATES:
        terms = made.manifest.clocks[key]
        named = terms.limit or _limit_begun(made, key)
        for name in [named] if named else USUAL:
            try:
                _, limit = limit_named(made, service, terms, name)
            except (KeyError, ClockVerbRefused):
                continue
            clocks[key] = sla.start(limit, at, calendar)[0]
            break
    return clocks


def _limit_begun(made: Definition, clock: str) -> str | None:
    """The limit with which the model starts the clock, if it says it."""
    for each in clock_elements(made):
        if each.verb == "start" and clock in each.clocks and not is_expression(each.limit):
            return each.limit
    return None
