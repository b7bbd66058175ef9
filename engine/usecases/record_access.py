"""The access log: who looked at whose case. Written apart from any change to the case."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor
from engine.kernel.ids import new_id
from engine.store.tables import AccessRecord
from engine.store.uow import Work


@dataclass(frozen=True)
class RecordAccess:
    """`what` names the page or operation."""

    actor: Actor
    case_id: str
    what: str


def record_access(work: Work, command: RecordAccess) -> None:
    work.session.add(
        AccessRecord(
            id=new_id(),
            case_id=command.case_id,
            user_id=command.actor.user_id,
            at=work.now,
            what=command.what,
        )
    )
