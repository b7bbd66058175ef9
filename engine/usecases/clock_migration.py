"""The clocks of a case that goes on with another version of its package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.domain import sla
from engine.domain.access import Actor
from engine.domain.ledger import LedgerLine
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.clock_rows import clocks_of, keep_clock, terms_for
from engine.usecases.definition import Definition
from engine.usecases.rungs import promise_rung

REASON = "case_migrated"


def follow_migration(
    work: Work, made: Definition, case: Case, names: Mapping[str, str], actor: Actor
) -> None:
    """Let clocks know their elements by the new `names`, and climb the ladder of `made`.

    Dates stay: another limit is a recount of its own.
    """
    for row in list(clocks_of(work, case).values()):
        clock = sla.clock_from_mapping(row.body)
        if clock.state == "stopped":
            continue
        begun_by = names.get(clock.begun_by) or clock.begun_by
        if begun_by == clock.begun_by:
            promise_rung(work, made, case, row, clock)
            continue
        line = LedgerLine(
            "recount", work.now, None, clock.limit.basis, REASON, clock.due_at, clock.due_at,
            begun_by=begun_by, provisional=clock.provisional,
        )  # fmt: skip
        named = replace(clock, begun_by=begun_by)
        keep_clock(work, made, case, terms_for(made, row), row.key, named, line, actor)
