"""Correct when a case was received: the clocks counted from there move with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.domain.access import Actor, handles_tasks, may_correct_receipt, may_see_case
from engine.kernel.errors import (
    CaseNotOpen,
    NotAllowed,
    NotFound,
    ReasonMissing,
    ReceiptDateWrong,
)
from engine.store.audit import record
from engine.store.queries.case_record import departments_of
from engine.store.tables import Case
from engine.store.uow import ReadSession, Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.clock_calendar import service_calendar
from engine.usecases.definition import definition_for
from engine.usecases.recount_case import (
    Move,
    RecountCase,
    dated_rows,
    read_recounts,
    recount_case,
    what_moves,
)

REASON = "receipt_corrected"


@dataclass(frozen=True)
class CorrectReceipt:
    """`received_at` is the instant the law counts from; a `trial` only says what would move."""

    actor: Actor
    case_id: str
    received_at: datetime
    reason: str
    trial: bool = False


def correct_receipt(work: Work, command: CorrectReceipt) -> list[Move]:
    """What moves, or would move.

    Raises NotFound, NotAllowed, ReasonMissing, CaseNotOpen, or ReceiptDateWrong for an instant
    that is yet to come.
    """
    recount = RecountCase(command.actor, command.case_id, REASON, command.received_at)
    case = lock_case(work, command.case_id)
    read_recounts(work, [recount])
    departments = departments_of(ReadSession(work.session), case.id)
    if not handles_tasks(command.actor) or not may_see_case(command.actor, "", departments):
        raise NotFound(what="case")
    if not may_correct_receipt(command.actor):
        raise NotAllowed
    if not command.reason.strip():
        raise ReasonMissing
    if case.state != "open":
        raise CaseNotOpen
    if command.received_at > work.now:
        raise ReceiptDateWrong
    made = definition_for(work, case.package_version_id)
    if command.trial:
        changed = what_moves(
            made, case, dated_rows(work, case), work.ports.calendars, work.now, REASON,
            command.received_at,
        )  # fmt: skip
        return list(changed.moves)
    record(
        work, case, REASON, command.actor,
        reason=command.reason[:500], previous=case.received_at.isoformat(),
        received=command.received_at.isoformat(),
    )  # fmt: skip
    moves = recount_case(work, recount)
    _show(work, case, command)
    return moves


def _show(work: Work, case: Case, command: CorrectReceipt) -> None:
    """Case and process data name the corrected date."""
    case.received_at = command.received_at
    row, made = state_of(work, case), definition_for(work, case.package_version_id)
    calendar = service_calendar(work.ports.calendars, made, case.service)
    day = calendar.local_date(command.received_at).isoformat()
    known = row.data.get("case")
    if isinstance(known, dict):
        step = made.process.correct(row.state, {"case": {**known, "received_on": day}})
        advance(work, made, case, step, command.actor)
