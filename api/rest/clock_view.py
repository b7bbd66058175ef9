"""The clocks of a case as staff see them: dates, why they are so, and what may be done."""

from __future__ import annotations

from collections.abc import Iterator

from api.clock_words import ClockWords, entries_by_clock, line_of
from api.ledger_words import reason_text
from api.rest import schemas as shapes
from api.rest.words import Words, remaining_working_days
from api.sentences import say
from engine.domain import sla
from engine.domain.access import Actor
from engine.domain.clock_terms import KINDS
from engine.store.queries.case_record import CaseRecord
from engine.store.tables import ClockEntry, ClockRow
from engine.usecases.clock_buttons import buttons
from engine.usecases.clock_calendar import clock_calendar
from engine.usecases.clock_rows import terms_for
from engine.usecases.definition import Definition


class CaseClocks:
    """Puts the clocks of one case into shapes, for `actor`."""

    def __init__(self, record: CaseRecord, words: Words, made: Definition, actor: Actor) -> None:
        self.record, self.words, self.made, self.actor = record, words, made, actor
        self.says = ClockWords(made, words.locale, words.calendar(record.case))

    def views(self) -> Iterator[shapes.ClockView]:
        """Those of the case first; of the tasks' only those that still count."""
        ledger = entries_by_clock(self.record.entries)

        def place(row: ClockRow) -> tuple[int, str]:
            return KINDS.index(terms_for(self.made, row).kind), row.key

        for row in sorted(self.record.clocks, key=place):
            if terms_for(self.made, row).kind != "task" or row.state != "stopped":
                yield self._view(row, ledger.get(row.key, []))

    def _view(self, row: ClockRow, entries: list[ClockEntry]) -> shapes.ClockView:
        case, ports = self.record.case, self.words.wired.ports
        clock, terms = sla.clock_from_mapping(row.body), terms_for(self.made, row)
        calendar = clock_calendar(ports.calendars, self.made, case, clock)
        return shapes.ClockView(
            key=row.key,
            kind=terms.kind,
            name=self.says.title(row.key, clock.begun_by),
            state=row.state,
            due_at=row.due_at,
            provisional=clock.provisional,
            remaining_working_days=remaining_working_days(calendar, row.due_at, ports.clock.now()),
            why=self.says.why(entries),
            lines=[self._line(each) for each in entries],
            buttons=list(buttons(self.made, case, row, self.actor)),
            pauses={name: each.title[self.words.locale] for name, each in terms.pauses.items()},
            open_pauses=[pause.name for pause in clock.pauses],
            extensions=list(terms.extension.limits),
        )

    def _line(self, entry: ClockEntry) -> shapes.ClockLine:
        line, locale, calendar = line_of(entry), self.words.locale, self.says.calendar
        return shapes.ClockLine(
            clock=entry.clock,
            verb=entry.verb,
            at=entry.at,
            text=self.says.sentence(line),
            previous_due=calendar.local_date(line.previous_due) if line.previous_due else None,
            new_due=calendar.local_date(line.new_due) if line.new_due else None,
            working_days=line.working_days,
            basis=line.basis.get(locale, ""),
            reason=reason_text(line.reason, locale),
            actor_name=entry.actor_name or say(locale, "actor.system"),
            letter_id=entry.letter_id,
        )
