"""Repair a running case: skip or move what waits, correct its data. Each with a reason, audited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.domain.access import Actor, may_administer
from engine.domain.process import Step
from engine.kernel.errors import CaseNotOpen, NotAllowed, ReasonMissing
from engine.store.audit import record
from engine.store.tables import Case, CaseState
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.definition import Definition, definition_for
from engine.usecases.recount_case import (
    LIMIT_CHANGED,
    RecountCase,
    read_recounts,
    recount_case,
)


@dataclass(frozen=True)
class SkipPlace:
    """Go on behind what waits as `key` (of a task, timer, subscription or external job)."""

    actor: Actor
    case_id: str
    key: str
    reason: str
    revision: int | None = None


@dataclass(frozen=True)
class MoveToken:
    """End what waits as `key` and begin `element`, of the same process or subprocess, instead."""

    actor: Actor
    case_id: str
    key: str
    element: str
    reason: str
    revision: int | None = None


@dataclass(frozen=True)
class CorrectData:
    """Set variables of the case; the others stay."""

    actor: Actor
    case_id: str
    data: Mapping[str, Any]
    reason: str
    revision: int | None = None


def skip_place(work: Work, command: SkipPlace) -> Case:
    """Raises NotAllowed, NotFound, CaseNotOpen, ReasonMissing, StaleRevision, TaskNotOpen,
    ExecutionFailed."""
    case, made, row = _opened(work, command)
    step = made.process.skip(row.state, command.key)
    return _carry_out(work, command, case, made, step, "place_skipped", key=command.key)


def move_token(work: Work, command: MoveToken) -> Case:
    """Raises as `skip_place`; ExecutionFailed too when `element` is in another scope."""
    case, made, row = _opened(work, command)
    step = made.process.move(row.state, command.key, command.element)
    return _carry_out(
        work, command, case, made, step, "token_moved", key=command.key, element=command.element
    )


def correct_data(work: Work, command: CorrectData) -> Case:
    """The dates whose limits depend on the data are counted again. Raises as `skip_place`."""
    case, made, row = _opened(work, command)
    step = made.process.correct(row.state, command.data)
    names = sorted(command.data)
    _carry_out(work, command, case, made, step, "data_corrected", names=names)
    work.rows.flush()
    recount = RecountCase(command.actor, case.id, LIMIT_CHANGED)
    read_recounts(work, [recount])
    recount_case(work, recount)
    return case


def _opened(
    work: Work, command: SkipPlace | MoveToken | CorrectData
) -> tuple[Case, Definition, CaseState]:
    if not may_administer(command.actor):
        raise NotAllowed
    if not command.reason.strip():
        raise ReasonMissing
    case = lock_case(work, command.case_id, command.revision)
    if case.state != "open":
        raise CaseNotOpen
    made = definition_for(work, case.package_version_id)
    return case, made, state_of(work, case)


def _carry_out(
    work: Work,
    command: SkipPlace | MoveToken | CorrectData,
    case: Case,
    made: Definition,
    step: Step,
    kind: str,
    **details: Any,
) -> Case:
    record(work, case, kind, command.actor, reason=command.reason[:500], **details)
    advance(work, made, case, step, command.actor)
    return case
