"""The dates a case of a service would have if it were filed at an instant."""

from __future__ import annotations

from datetime import datetime

from engine.domain import sla
from engine.domain.calendar import WorkingCalendar
from engine.domain.package import Manifest
from engine.domain.sla import SlaClock

LIMITS = {
    "promised": ("reply_promise", "decision_promise"),
    "legal": ("reply", "decision"),
}
"""The limits of a package that its cases are promised and bound by, the first that it has."""


def filing_clocks(
    manifest: Manifest, service: str, at: datetime, calendar: WorkingCalendar
) -> dict[str, SlaClock]:
    """The clocks ``promised`` and ``legal``, as far as the package has their limits."""
    made = {}
    for key, names in LIMITS.items():
        for name in names:
            try:
                limit = manifest.limit(service, name)
            except KeyError:
                continue
            made[key] = sla.start(limit, at, calendar)[0]
            break
    return made
