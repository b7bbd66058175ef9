"""Answer a case that follows another, as the other was answered; or let it go its own way."""

from __future__ import annotations

from engine.domain.access import SYSTEM
from engine.store.audit import record
from engine.store.tables import Case, Job
from engine.store.uow import Work
from engine.usecases.advance import advance, end_case
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.clock_rows import stop_clocks
from engine.usecases.definition import Definition, definition_for
from engine.usecases.letters import letters_since_decision, write_same_letter
from engine.usecases.merge import part


def follow(work: Work, job: Job) -> None:
    """Do for one case what was promised when its main one was decided or ended. Safe to repeat."""
    case = lock_case(work, str(job.case_id))
    main = work.rows.get(Case, job.payload["main_id"])
    if main is None or case.main_id != main.id:
        return
    if case.state != "open" or case.decided_at is not None:
        return
    # A main case that ended undecided has nothing to say to anybody.
    if job.payload["what"] == "part" or main.decided_at is None:
        part(work, case, main, SYSTEM, locked=False)
        return
    _answer(work, case, main)


def _answer(work: Work, case: Case, main: Case) -> None:
    """The same outcome and letters as the main case's; then its own rating, and its own end."""
    made = definition_for(work, case.package_version_id)
    row = state_of(work, case)
    case.outcome, case.decided_at, case.stage = main.outcome, work.now, "decided"
    record(work, case, "case_decided", SYSTEM, outcome=case.outcome, reference=main.reference)
    for letter in letters_since_decision(work, main):
        write_same_letter(work, made, case, letter, main, row.data)
    stop_clocks(work, made, case)
    rating = _rating_element(made)
    if rating is None:
        record(work, case, "case_closed", SYSTEM, outcome=case.outcome)
        end_case(work, made, case, "closed")
    else:
        advance(work, made, case, made.process.begin_at(row.state, rating), SYSTEM)


def _rating_element(made: Definition) -> str | None:
    """Where the process itself asks for a rating, if it does."""
    return next(
        (
            element.id
            for element in made.process.elements.values()
            if element.properties.get("kind") == "rating" and made.process.holds(element.id)
        ),
        None,
    )
