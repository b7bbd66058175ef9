"""Telling the applicant that a recount has made the promised date later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.domain.access import Actor
from engine.domain.process import Effect
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.definition import Definition
from engine.usecases.letters import write_letter


def tell_later(
    work: Work,
    made: Definition,
    case: Case,
    before: datetime | None,
    data: Mapping[str, Any],
    actor: Actor,
) -> None:
    """Write the package's letter if the promise was `before` and is later now."""
    terms, now = made.manifest.terms("promised"), case.promised_due_at
    letter = terms.moved_letter if terms is not None else None
    if letter is None or before is None or now is None or now <= before:
        return
    if case.decided_at is None:
        asked = {"letter": letter, "previous_promised": before}
        write_letter(work, made, case, Effect(letter, "letter.send", asked, data), actor)
