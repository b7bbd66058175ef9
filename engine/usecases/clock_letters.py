"""Which letter tells of what was done to a clock: found where both happen in one step."""

from __future__ import annotations

from engine.domain.clock_terms import ClockTerms
from engine.store.tables import Case, ClockEntry, Letter
from engine.store.uow import Work
from engine.usecases.definition import Definition


def letter_for(terms: ClockTerms, verb: str, pause: str) -> str | None:
    """The letter that by the package's terms tells of the verb."""
    if verb == "extend":
        return terms.extension.letter
    if verb == "pause" and pause in terms.pauses:
        return terms.pauses[pause].letter
    return None


def told_by(work: Work, case: Case, terms: ClockTerms, entry: ClockEntry) -> None:
    """Name in `entry` the letter that was written before it in the same step."""
    expected = letter_for(terms, entry.verb, entry.line.get("pause", ""))
    if expected is None:
        return
    for letter in work.rows.known_of_case(Letter, case.id):
        if (letter.letter, letter.created_at) == (expected, work.now):
            entry.letter_id = letter.id


def tells_of(work: Work, made: Definition, case: Case, letter: Letter) -> None:
    """Name `letter` in the lines of the ledger that were written before it in the same step."""
    for entry in work.rows.known_of_case(ClockEntry, case.id):
        if entry.letter_id is not None:
            continue
        terms = made.manifest.terms(entry.clock)
        pause = entry.line.get("pause", "")
        if terms is not None and letter_for(terms, entry.verb, pause) == letter.letter:
            entry.letter_id = letter.id
