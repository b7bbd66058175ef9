"""Why a date is what it is: the ledger of a clock in plain sentences.

The portal and the staff interface say the same, as they ask the same functions here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from api.dates import long_date
from api.sentences import say, texts
from engine.domain.calendar import WorkingCalendar
from engine.domain.ledger import LedgerLine, Verb, line_from_mapping
from engine.domain.limit import Limit
from engine.store.tables import ClockEntry
from engine.usecases.definition import Definition


@dataclass(frozen=True)
class ClockWords:
    """Puts the clocks of cases of `made` into words of `locale`."""

    made: Definition
    locale: str
    calendar: WorkingCalendar

    def title(self, key: str, task: str | None = None) -> str:
        """What the clock is called; that of a task by the name of its element."""
        terms = self.made.manifest.terms(key)
        kind, _, name = key.partition(":")
        title = terms.title[self.locale] if terms is not None and terms.title else ""
        if not title:
            known = f"clock.{kind}" in texts(self.locale)
            title = say(self.locale, f"clock.{kind}") if known else key
        if kind == "task":
            return f"{title} · {self.made.label(task, self.locale)}" if task else title
        return f"{title} · {name}" if name else title

    def why(self, entries: Sequence[ClockEntry]) -> list[str]:
        """The sentences that lead to a clock's date, from its lines of the ledger in order.

        A pause that is over is told where it ends.
        """
        told = []
        lines = [line_of(entry) for entry in entries]
        for number, line in enumerate(lines):
            unmoved = line.new_due == line.previous_due
            if unmoved and line.verb in ("stop", "resume", "recount"):
                continue
            if line.verb == "pause" and _is_over(line, lines[number + 1 :]):
                continue
            told.append(self.sentence(line))
        if lines and lines[-1].provisional:
            told.append(say(self.locale, "why.provisional"))
        return told

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
        terms = [
            each.pauses[line.pause]
            for each in self.made.manifest.clocks.values()
            if line.pause in each.pauses
        ]
        if terms:
            return terms[0].title[self.locale]
        known = f"clock.pause.{line.pause}"
        if line.pause and known in texts(self.locale):
            return say(self.locale, known)
        return reason_text(line.reason, self.locale) or say(self.locale, "clock.pause")

    def _day(self, at: datetime | None) -> str:
        return long_date(self.calendar.local_date(at), self.locale) if at is not None else ""


def line_of(entry: ClockEntry) -> LedgerLine:
    """A row of the ledger as its line."""
    return line_from_mapping(cast("Verb", entry.verb), entry.at, entry.line)


def entries_by_clock(entries: Iterable[ClockEntry]) -> Mapping[str, list[ClockEntry]]:
    """The lines of each clock, in their order."""
    found: dict[str, list[ClockEntry]] = {}
    for entry in entries:
        found.setdefault(entry.clock, []).append(entry)
    return found


def reason_text(reason: str, locale: str) -> str:
    """A reason the engine gives by its code, or one of a model, which says it in both languages."""
    key = f"clock.reason.{reason}"
    if reason and key in texts(locale):
        return say(locale, key)
    chinese, slash, english = reason.partition(" / ")
    return english if slash and locale == "en" else chinese


def _is_over(pause: LedgerLine, later: Iterable[LedgerLine]) -> bool:
    """Whether the pause was ended by its own verb; a reset makes it matter no more."""
    return any(
        line.verb == "reset" or (line.verb == "resume" and line.pause == pause.pause)
        for line in later
    )
