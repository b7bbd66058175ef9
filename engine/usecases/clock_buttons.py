"""Verbs that members of staff use on a case's clock, as far as the package gives them a button."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from engine.domain import sla
from engine.domain.access import Actor, handles_tasks, may_see_case
from engine.domain.ledger import VERBS
from engine.domain.locales import LOCALES
from engine.domain.process import Effect
from engine.kernel.errors import (
    CaseNotOpen,
    ClockVerbRefused,
    NotAllowed,
    NotFound,
    ReasonMissing,
)
from engine.store.tables import Case, ClockEntry, ClockRow, Task
from engine.store.uow import Work
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.clock_letters import letter_for
from engine.usecases.clocks import ClockChange, cap_of, change_clock
from engine.usecases.definition import Definition, definition_for
from engine.usecases.letters import write_letter


@dataclass(frozen=True)
class PressButton:
    """`limit` is what an extension adds or a reset counts; `pause` names the interval.

    `basis` is the rule if it is another than the package's. `revision` refuses to act on a case
    that has changed meanwhile.
    """

    actor: Actor
    case_id: str
    clock: str
    verb: str
    reason: str
    basis: str = ""
    pause: str = ""
    limit: str | None = None
    also: tuple[str, ...] = ()
    """Other clocks of the case that the same is done to: one decision, one letter."""
    revision: int | None = None


def press_button(work: Work, command: PressButton) -> ClockEntry:
    """Carry out the verb; its line of the ledger. Where the package has a letter it is sent.

    Raises NotFound, NotAllowed, ReasonMissing, CaseNotOpen, StaleRevision, ClockVerbRefused.
    """
    case = lock_case(work, command.case_id, command.revision)
    _must_see(work, command.actor, case)
    made = definition_for(work, case.package_version_id)
    keys = dict.fromkeys((command.clock, *command.also))
    for key in keys:
        _must_have_button(made, command, key)
    if not command.reason.strip():
        raise ReasonMissing
    if case.state != "open":
        raise CaseNotOpen
    entries = [_press(work, made, case, command, key) for key in keys]
    terms = made.manifest.terms(command.clock)
    letter = letter_for(terms, command.verb, command.pause) if terms is not None else None
    if letter is not None:
        asked = {"reason": command.reason, "basis": command.basis, "pause": command.pause}
        data = {**state_of(work, case).data, "clock": asked}
        effect = Effect(letter, "letter.send", {"letter": letter}, data)
        write_letter(work, made, case, effect, command.actor)
    case.revision += 1
    return entries[0]


def _must_have_button(made: Definition, command: PressButton, key: str) -> None:
    terms = made.manifest.terms(key)
    if terms is None or command.verb not in VERBS:
        raise NotFound(what="clock")
    if not may_press(command.actor, terms.buttons.get(command.verb)):
        raise NotAllowed


def _press(work: Work, made: Definition, case: Case, command: PressButton, key: str) -> ClockEntry:
    change = ClockChange(
        command.verb,
        key,
        command.limit,
        command.pause,
        command.reason.strip()[:500],
        {locale: command.basis.strip() for locale in LOCALES} if command.basis.strip() else None,
    )
    try:
        entry = change_clock(work, made, case, change, command.actor)
    except KeyError as error:
        raise ClockVerbRefused(why="limit_missing", clock=key, possible=()) from error
    if entry is None:
        raise ClockVerbRefused(why="unknown", clock=key, possible=())
    return entry


def _must_see(work: Work, actor: Actor, case: Case) -> None:
    departments = work.session.scalars(
        select(Task.department).where(Task.case_id == case.id).distinct()
    )
    known = frozenset(code for code in departments if code)
    if not handles_tasks(actor) or not may_see_case(actor, "", known):
        raise NotFound(what="case")


def may_press(actor: Actor, role: str | None) -> bool:
    """Whether the actor has the role that a button asks for; a manager may what caseworkers may."""
    return role is not None and (
        role in actor.roles or (role == "caseworker" and "manager" in actor.roles)
    )


def buttons(made: Definition, case: Case, row: ClockRow, actor: Actor) -> Iterator[str]:
    """The verbs that the actor may use on the clock as it stands."""
    terms = made.manifest.terms(row.key)
    if terms is None or case.state != "open":
        return
    clock = sla.clock_from_mapping(row.body)
    for verb in sla.possible(clock, cap_of(made, case, terms, clock)):
        if may_press(actor, terms.buttons.get(verb)):
            yield verb
