"""Why a date is what it is: the ledger of a clock in plain sentences.

The portal and the staff interface say the same, as they ask the same functions here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from api.ledger_words import LedgerWords
from api.sentences import say, texts
from engine.domain.calendar import WorkingCalendar
from engine.domain.ledger import LedgerLine, Verb, line_from_mapping
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
        return self._ledger.sentence(line)

    @cached_property
    def _ledger(self) -> LedgerWords:
        clocks = self.made.manifest.clocks.values()
        pauses = {name: pause.title for each in clocks for name, pause in each.pauses.items()}
        return LedgerWords(self.locale, self.calendar, pauses)


def line_of(entry: ClockEntry) -> LedgerLine:
    """A row of the ledger as its line."""
    return line_from_mapping(cast("Verb", entry.verb), entry.at, entry.line)


def entries_by_clock(entries: Iterable[ClockEntry]) -> Mapping[str, list[ClockEntry]]:
    """The lines of each clock, in their order."""
    found: dict[str, list[ClockEntry]] = {}
    for entry in entries:
        found.setdefault(entry.clock, []).append(entry)
    return found


def _is_over(pause: LedgerLine, later: Iterable[LedgerLine]) -> bool:
    """Whether the pause was ended by its own verb; a reset makes it matter no more."""
    return any(
        line.verb == "reset" or (line.verb == "resume" and line.pause == pause.pause)
        for line in later
    )
