"""Withdraw: the applicant takes the case back before it is decided."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor
from engine.kernel.errors import CaseNotOpen, NotFound
from engine.store.audit import record
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.advance import end_case
from engine.usecases.case_lock import lock_case
from engine.usecases.definition import definition_for
from engine.usecases.follow_jobs import promise_parting


@dataclass(frozen=True)
class WithdrawCase:
    actor: Actor
    case_id: str
    reason: str = ""


def withdraw(work: Work, command: WithdrawCase) -> Case:
    """End the case at the applicant's wish; cases that follow it go their own way again.

    Raises NotFound, or CaseNotOpen once it is decided.
    """
    case = lock_case(work, command.case_id)
    if case.applicant_id != command.actor.user_id:
        raise NotFound(what="case")
    if case.state != "open" or case.decided_at is not None:
        raise CaseNotOpen
    record(work, case, "case_withdrawn", command.actor, reason=command.reason[:500])
    if case.followers:
        promise_parting(work, case)
    made = definition_for(work, case.package_version_id)
    end_case(work, made, case, "withdrawn")
    return case
