"""What is done to a case's clocks: by the process, by an answer, by a button, by the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.domain import sla
from engine.domain.access import SYSTEM, Actor, may_administer
from engine.domain.clock_terms import CASE_DATES, SAME_LENGTH, AnswerVerb, ClockTerms
from engine.domain.ledger import LedgerLine
from engine.domain.limit import Limit
from engine.domain.process import Effect
from engine.domain.sla import Cap, SlaClock
from engine.kernel.errors import ClockVerbRefused, ExecutionFailed
from engine.store.tables import Case, ClockEntry
from engine.store.uow import Work
from engine.usecases.clock_calendar import clock_calendar
from engine.usecases.clock_limits import limit_changed, limit_named
from engine.usecases.clock_rows import clocks_of, keep_clock, with_basis
from engine.usecases.definition import Definition
from engine.usecases.moved_letter import tell_later


@dataclass(frozen=True)
class ClockChange:
    """A verb for one clock. `limit` names the limit, `pause` the interval; `basis` the rule.

    `element` is what asked for it; with `from_receipt` the count begins when the case was received.
    """

    verb: str
    clock: str
    limit: str | None = None
    pause: str = ""
    reason: str = ""
    basis: Mapping[str, str] | None = None
    from_receipt: bool = False
    element: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What a recount looks at: the data of the case as they are now."""


def change_clock(
    work: Work, made: Definition, case: Case, change: ClockChange, actor: Actor
) -> ClockEntry | None:
    """Carry the change out; its line of the ledger, or None if nothing had to be done.

    Raises ClockVerbRefused(why, possible, clock); KeyError for a limit that does not exist.
    """
    terms = made.manifest.terms(change.clock)
    if terms is None:
        raise ClockVerbRefused(why="unknown", clock=change.clock, possible=())
    row = clocks_of(work, case).get(change.clock)
    before = sla.clock_from_mapping(row.body) if row is not None else None
    change = _as_before(change, before) if not terms.declared else change
    if change.verb == "":
        return None
    try:
        sla.must_fit(change.verb, before)
        clock, line = _changed(work, made, case, terms, change, before, actor)
    except ClockVerbRefused as refused:
        raise ClockVerbRefused(**{**refused.params, "clock": change.clock}) from refused
    if line is None:
        return None
    line = with_basis(line, change.basis or _basis_of_pause(terms, line))
    return keep_clock(work, made, case, terms, change.clock, clock, line, actor)


def _basis_of_pause(terms: ClockTerms, line: LedgerLine) -> Mapping[str, str] | None:
    """A pause has a rule of its own, where the package names it."""
    if line.verb not in ("pause", "resume"):
        return None
    known = terms.pauses.get(line.pause)
    if known is not None:
        return known.basis
    return None if terms.kind in CASE_DATES else {}


def _as_before(change: ClockChange, before: SlaClock | None) -> ClockChange:
    """Of a clock the package does not declare, models may ask what they always might."""
    state = before.state if before is not None else None
    if change.verb == "start" and state in ("running", "paused"):
        return replace(change, verb="restart")
    if change.verb == "reset" and before is None:
        return replace(change, verb="start")
    paused = change.verb == "pause" and before is not None and change.pause in _open(before)
    if paused or (change.verb == "stop" and state == "stopped"):
        return replace(change, verb="")
    return change


def _open(clock: SlaClock) -> list[str]:
    return [pause.name for pause in clock.pauses]


def _changed(
    work: Work,
    made: Definition,
    case: Case,
    terms: ClockTerms,
    change: ClockChange,
    before: SlaClock | None,
    actor: Actor,
) -> tuple[SlaClock, LedgerLine | None]:
    department = before.department if before is not None else _department_of(change.clock)
    calendar = clock_calendar(work.ports.calendars, made, case, department)
    now, verb, reason = work.now, change.verb, change.reason
    if before is None or verb in ("start", "restart"):
        if verb not in ("start", "restart"):
            raise ClockVerbRefused(why="not_started", possible=sla.possible(before))
        name, limit = limit_named(made, case.service, terms, change.limit)
        received = case.received_at if change.from_receipt else None
        return sla.start(
            limit, now, calendar, reason,
            received=received, limit_name=name, begun_by=change.element, department=department,
        )  # fmt: skip
    if verb == "reset":
        name, limit = limit_named(made, case.service, terms, change.limit or before.limit_name)
        # Whoever resets by hand names the limit; no element is asked for it again.
        begun_by = change.element or (before.begun_by if terms.kind == "task" else "")
        return sla.reset(before, limit, now, calendar, reason, limit_name=name, begun_by=begun_by)
    if verb == "extend":
        by = extension(made, case, terms, change.limit, actor)
        return sla.extend(before, by, now, calendar, reason, cap_of(made, case, terms, before))
    if verb == "pause":
        _must_be_known(terms, change.pause, before)
        return sla.pause(before, now, reason, change.pause)
    if verb == "resume":
        return sla.resume(before, now, calendar, reason, change.pause)
    if verb == "recount":
        changed = limit_changed(made, case, terms, before, change.limit, change.data)
        return sla.recount(before, now, calendar, reason, **changed)
    return sla.stop(before, now, calendar, reason)


def _department_of(key: str) -> str:
    """The department whose clock the key names; empty for another's."""
    kind, _, code = key.partition(":")
    return code if kind == "department" else ""


def _must_be_known(terms: ClockTerms, pause: str, before: SlaClock) -> None:
    # A department's clock pauses while others have the case, whatever the package says.
    if terms.pauses and pause not in terms.pauses and terms.kind != "department":
        raise ClockVerbRefused(why="pause_unknown", pause=pause, possible=sla.possible(before))


def cap_of(made: Definition, case: Case, terms: ClockTerms, clock: SlaClock) -> Cap:
    """How far the package lets the clock be extended."""
    cap = terms.extension.cap
    if cap is None:
        return Cap(terms.extension.times)
    total = clock.limit if cap == SAME_LENGTH else limit_named(made, case.service, terms, cap)[1]
    return Cap(terms.extension.times, total)


def extension(
    made: Definition, case: Case, terms: ClockTerms, name: str | None, actor: Actor
) -> Limit:
    """The limit by which `actor` may extend.

    Raises ClockVerbRefused for one the package does not allow, or for want of the role it asks for.
    """
    allowed = terms.extension.limits
    name = name or (allowed[0] if allowed else "")
    if allowed and name not in allowed:
        raise ClockVerbRefused(why="extension_unknown", limit=name, possible=())
    role = terms.extension.role
    # The engine acts for whoever agreed before; an administrator repairs.
    agreed = role is None or role in actor.roles or actor is SYSTEM or may_administer(actor)
    if not agreed:
        raise ClockVerbRefused(why="role_missing", role=role, possible=())
    return limit_named(made, case.service, terms, name)[1]


def apply_clock_verb(
    work: Work, made: Definition, case: Case, effect: Effect, actor: Actor
) -> None:
    """Carry out a ``clock.…`` action on each clock it names.

    Raises ClockVerbRefused, or ExecutionFailed for a limit that does not exist.
    """
    promised = case.promised_due_at
    try:
        for change in _of_effect(made, case, effect):
            change_clock(work, made, case, change, actor)
    except KeyError as error:
        raise ExecutionFailed(element=effect.element, reason=f"limit {error}") from error
    if effect.action == "clock.recount":
        tell_later(work, made, case, promised, effect.data, actor)


def _of_effect(made: Definition, case: Case, effect: Effect) -> Iterator[ClockChange]:
    asked: Mapping[str, Any] = effect.properties
    for key in str(asked.get("clock", "")).split():
        yield ClockChange(
            verb=effect.action.removeprefix("clock."),
            clock=key,
            limit=str(asked["limit"]) if asked.get("limit") else None,
            pause=str(asked.get("name") or ""),
            reason=str(asked.get("reason") or ""),
            basis=_basis(made, case, asked.get("basis_limit")),
            from_receipt=asked.get("from") == "received",
            element=effect.element,
            data=effect.data,
        )


def _basis(made: Definition, case: Case, limit: Any) -> Mapping[str, str] | None:
    """The rule that the limit of this name rests on."""
    return made.manifest.limit(case.service, str(limit)).basis if limit else None


def apply_answers(
    work: Work, made: Definition, case: Case, element: str, answers: Mapping[str, Any], actor: Actor
) -> None:
    """Carry out the verbs that these answers to the task `element` ask for."""
    for rule in made.manifest.on_answer:
        if rule.task == element and _is_given(rule, answers.get(rule.name)):
            for clock in rule.clocks:
                change = ClockChange(
                    verb=rule.verb,
                    clock=clock,
                    limit=rule.limit,
                    pause=rule.pause,
                    reason=str(answers.get(rule.reason or "") or "")[:500],
                    element=element,
                )
                try:
                    change_clock(work, made, case, change, actor)
                except KeyError as error:
                    raise ExecutionFailed(element=element, reason=f"limit {error}") from error


def _is_given(rule: AnswerVerb, value: Any) -> bool:
    if not rule.values:
        return value not in (None, "", [], False)
    given = value if isinstance(value, list) else [value]
    texts = {str(each).lower() if isinstance(each, bool) else str(each) for each in given}
    return bool(texts & set(rule.values))
