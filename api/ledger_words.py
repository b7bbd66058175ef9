"""A line of a clock's ledger as a plain sentence; it needs neither a case nor a package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from api.dates import long_date
from api.sentences import say, texts
from engine.domain.calendar import WorkingCalendar
from engine.domain.ledger import LedgerLine
from engine.domain.limit import Limit
from engine.domain.manifest_reading import Text


@dataclass(frozen=True)
class LedgerWords:
    """Says lines in `locale`; `pauses` are the titles of those that have a name of their own."""

    locale: str
    calendar: WorkingCalendar
    pauses: Mapping[str, Text] = field(default_factory=dict)

    def sentence(self, line: LedgerLine) -> str:
        """One line of the ledger."""
        basis = line.basis.get(self.locale, "")
        reason = reason_text(line.reason, self.locale)
        spread = {
            "basis": say(self.locale, "why.basis", basis=basis) if basis else "",
            "reason": say(self.locale, "why.reason", reason=reason) if reason else "",
            "amount": self._amount(line),
            "due": self._day(line.new_due),
            "previous": self._day(line.previous_due),
            "at": self._day(line.at),
            "received": self._day(line.received or line.at),
            "since": self._day(line.since),
            "left_out": self._days(line.working_days),
            "pause": self._pause(line),
        }
        key = f"why.{line.verb}"
        if line.verb == "resume" and line.working_days is None:
            key += ".plain"
        return say(self.locale, key, **spread)

    def _amount(self, line: LedgerLine) -> str:
        limit = line.limit
        if limit is None and line.working_days is not None:
            limit = Limit("working_days", line.working_days)
        if limit is None:
            return say(self.locale, "why.amount.limit")
        one = ".one" if limit.value == 1 else ""
        return say(self.locale, f"why.amount.{limit.unit}{one}", value=limit.value)

    def _days(self, count: int | None) -> str:
        one = ".one" if count == 1 else ""
        return say(self.locale, f"why.amount.working_days{one}", value=count or 0)

    def _pause(self, line: LedgerLine) -> str:
        if line.pause in self.pauses:
            return self.pauses[line.pause][self.locale]
        known = f"clock.pause.{line.pause}"
        if line.pause and known in texts(self.locale):
            return say(self.locale, known)
        return reason_text(line.reason, self.locale) or say(self.locale, "clock.pause")

    def _day(self, at: datetime | None) -> str:
        return long_date(self.calendar.local_date(at), self.locale) if at is not None else ""


def reason_text(reason: str, locale: str) -> str:
    """A reason the engine gives by its code, or one of a model, which says it in both languages."""
    key = f"clock.reason.{reason}"
    if reason and key in texts(locale):
        return say(locale, key)
    chinese, slash, english = reason.partition(" / ")
    return english if slash and locale == "en" else chinese
