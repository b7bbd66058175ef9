"""Send a signal with variables to the cases that listen for it, or to one of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from engine.domain.access import Actor, may_administer
from engine.domain.variables import NONE, Variables
from engine.kernel.errors import NotAllowed, NotFound
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import Case, Subscription
from engine.store.uow import Work
from engine.usecases.messages import SendSignal, send_signal
from engine.usecases.variables import plain_values, remember


@dataclass(frozen=True)
class SignalCases:
    """`case_id` None means every case that listens."""

    actor: Actor
    name: str
    case_id: str | None = None
    variables: Variables = NONE


def signal_cases(work: Work, command: SignalCases) -> int:
    """Have the signal delivered; to how many cases.

    Raises NotAllowed, VariableRefused, or NotFound when the one case does not listen for it.
    """
    if not may_administer(command.actor):
        raise NotAllowed
    kept = plain_values(work, command.actor, command.variables)
    listening = select(Subscription.case_id).where(
        Subscription.kind == "signal", Subscription.name == command.name
    )
    if command.case_id is not None:
        listening = listening.where(Subscription.case_id == command.case_id)
    reached = set(work.session.scalars(listening))
    for case in work.session.scalars(select(Case).where(Case.id.in_(reached))):
        remember(work, case, command.variables, kept)
    if command.case_id is None:
        return send_signal(work, SendSignal(command.actor, command.name, kept))
    if not reached:
        raise NotFound(what="case")
    payload = {"name": command.name, "data": kept}
    key = f"signal:{new_id()}:{command.case_id}"
    jobs.promise(work, "signal", key, payload, case_id=command.case_id)
    return 1
