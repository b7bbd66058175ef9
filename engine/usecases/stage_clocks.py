"""The clock of a stage: begun when the case reaches the stage, stopped when it reaches another."""

from __future__ import annotations

from engine.domain.access import Actor
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.clock_rows import clocks_of
from engine.usecases.clocks import ClockChange, change_clock
from engine.usecases.definition import Definition


def follow_stage(work: Work, made: Definition, case: Case, actor: Actor) -> None:
    """Let exactly the clocks run that the package has for the stage the case is in now."""
    declared = [terms for terms in made.manifest.clocks.values() if terms.kind == "stage"]
    if not declared:
        return
    clocks = clocks_of(work, case)
    for terms in declared:
        row = clocks.get(terms.key)
        runs = row is not None and row.state != "stopped"
        if runs and terms.stage != case.stage:
            change_clock(work, made, case, ClockChange("stop", terms.key), actor)
        elif not runs and terms.stage == case.stage:
            change_clock(work, made, case, ClockChange("start", terms.key), actor)
