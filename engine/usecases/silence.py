"""What silence means by law, carried out by the engine and named in ledger and audit.

Sources: Administrative Licensing Law, article 32 (not told in time: accepted from receipt);
Regulation on Open Government Information, article 30 (not corrected: withdrawn) and article 34
(no answer of a joint maker: consent).
"""

from __future__ import annotations

from typing import Any

from engine.domain.access import SYSTEM
from engine.domain.clock_terms import SilenceRule, is_of_task
from engine.domain.process import Effect
from engine.kernel.errors import ExecutionFailed
from engine.store.audit import record
from engine.store.tables import Case, ClockEntry, Task
from engine.store.uow import Work
from engine.usecases.advance import end_case
from engine.usecases.case_lock import state_of
from engine.usecases.clocks import ClockChange, change_clock
from engine.usecases.complete import finish_task
from engine.usecases.definition import Definition
from engine.usecases.letters import write_letter


def apply_silence(work: Work, made: Definition, case: Case, rule: SilenceRule) -> None:
    """Do what the rule says: start clocks, decide, write, complete its task or end the case.

    The case is locked by the caller. Raises ExecutionFailed.
    """
    note_silence(work, case, rule)
    for key in rule.starts:
        change = ClockChange(
            "start", key, rule.limit, reason=rule.rule, basis=rule.basis,
            from_receipt=True, element=rule.task or "",
        )  # fmt: skip
        change_clock(work, made, case, change, SYSTEM)
    if rule.outcome:
        case.outcome, case.decided_at = rule.outcome, work.now
        record(work, case, "case_decided", SYSTEM, outcome=rule.outcome)
    if rule.letter:
        data: dict[str, Any] = state_of(work, case).data
        effect = Effect(rule.letter, "letter.send", {"letter": rule.letter}, data)
        write_letter(work, made, case, effect, SYSTEM)
    if rule.answers and rule.task:
        _answer(work, made, case, rule)
    elif rule.rule == "deemed_withdrawn":
        record(work, case, "case_closed", SYSTEM, outcome=case.outcome)
        end_case(work, made, case, "closed")


def note_silence(work: Work, case: Case, rule: SilenceRule) -> None:
    """Name the rule in the audit."""
    element = rule.timer or rule.task or ""
    record(work, case, "silence_applied", SYSTEM, rule=rule.rule, name=rule.key, element=element)


def rule_of_timer(made: Definition, element: str) -> SilenceRule | None:
    """What it means that this timer of the model fires, if the package says so."""
    return next((rule for rule in made.manifest.silence if rule.timer == element), None)


def name_in_ledger(work: Work, case: Case, rule: SilenceRule) -> None:
    """Name the rule in the lines of this step that give no reason of their own."""
    for entry in work.rows.known_of_case(ClockEntry, case.id):
        own = entry.line.get("reason") or is_of_task(entry.clock)
        if not own and entry.verb != "stop":
            entry.line = {**entry.line, "reason": rule.rule, "basis": dict(rule.basis)}


def _answer(work: Work, made: Definition, case: Case, rule: SilenceRule) -> None:
    where = "case_id = %s AND element = %s AND state = 'open'"
    for task in work.rows.select(Task, where, case.id, rule.task):
        saves_as = task.saves_as or task.form or task.element
        try:
            finish_task(work, made, case, task, SYSTEM, dict(rule.answers), saves_as)
        except ExecutionFailed as failed:
            # Nobody completed a task: what is done again is the job that found the silence.
            failed.attempt = None
            raise
