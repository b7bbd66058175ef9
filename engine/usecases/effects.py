"""What service and send tasks ask for, carried out in the same transaction as the step."""

from __future__ import annotations

from collections.abc import Callable

from engine.domain.access import Actor
from engine.domain.lifecycle import STAGES
from engine.domain.process import Effect
from engine.kernel.errors import ExecutionFailed
from engine.store import jobs
from engine.store.audit import record
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.clocks import apply_clock_verb
from engine.usecases.definition import Definition
from engine.usecases.letters import write_letter
from engine.usecases.stage_clocks import follow_stage

Handler = Callable[[Work, Definition, Case, Effect, Actor], object]


def apply_effect(work: Work, made: Definition, case: Case, effect: Effect, actor: Actor) -> None:
    """Carry out one effect. Raises ExecutionFailed for one the engine does not know."""
    if effect.action.startswith("clock."):
        apply_clock_verb(work, made, case, effect, actor)
        return
    handler = _HANDLERS.get(effect.action)
    if handler is None:
        raise ExecutionFailed(element=effect.element, reason="action_unknown")
    handler(work, made, case, effect, actor)


def _stage(work: Work, made: Definition, case: Case, effect: Effect, actor: Actor) -> None:
    stage = str(effect.properties.get("stage"))
    if stage not in STAGES:
        raise ExecutionFailed(element=effect.element, reason="stage_unknown")
    if case.stage != stage:
        case.stage = stage
        record(work, case, "stage_reached", actor, stage=stage)
        follow_stage(work, made, case, actor)


def _decide(work: Work, made: Definition, case: Case, effect: Effect, actor: Actor) -> None:
    outcome = str(effect.properties.get("outcome"))
    if outcome not in made.manifest.outcomes:
        raise ExecutionFailed(element=effect.element, reason="outcome_unknown", outcome=outcome)
    case.outcome = outcome
    case.decided_at = work.now
    record(work, case, "case_decided", actor, outcome=outcome)


def _recommend(work: Work, made: Definition, case: Case, effect: Effect, actor: Actor) -> None:
    jobs.promise(work, "advice", f"advice:{case.id}", {}, case_id=case.id)


def _returned(work: Work, made: Definition, case: Case, effect: Effect, actor: Actor) -> None:
    reason = str(effect.properties.get("reason") or "")[:500]
    case.returns += 1
    record(work, case, "task_returned", actor, element=effect.element, reason=reason)


_HANDLERS: dict[str, Handler] = {
    "stage": _stage,
    "case.decide": _decide,
    "recommend": _recommend,
    "task.returned": _returned,
    "letter.send": write_letter,
}
