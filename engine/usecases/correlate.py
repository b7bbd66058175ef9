"""Correlate a message as programs do: at once, to one waiting event or start event, or not at all.

A message that may wait for its receiver is `messages.receive_message`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select

from engine.domain.access import Actor, may_administer
from engine.domain.variables import NONE, Variables
from engine.kernel.errors import CorrelationFailed, NotAllowed
from engine.kernel.ids import new_id
from engine.store.tables import Case, CaseState, Message, OfferedServiceRow, Subscription
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.definition import definition_for
from engine.usecases.start_case import StartByMessage, start_by_message
from engine.usecases.start_instance import CHANNEL, applicant_named
from engine.usecases.variables import plain_values, remember

MOST_RECEIVERS = 500


@dataclass(frozen=True)
class CorrelateMessage:
    """`business_key` (or reference), `case_id` and `equal` (variables and their values) choose the
    case. With `all` every event that fits receives it, else exactly one must."""

    actor: Actor
    name: str
    business_key: str | None = None
    case_id: str | None = None
    equal: Mapping[str, Any] = field(default_factory=dict)
    variables: Variables = NONE
    all: bool = False


@dataclass(frozen=True)
class Correlated:
    """`element` is the event; `began` whether the message began the case."""

    case: Case
    element: str
    began: bool


def correlate(work: Work, command: CorrelateMessage) -> list[Correlated]:
    """Let the message happen. Raises NotAllowed, CorrelationFailed(name, count),
    VariableRefused, ExecutionFailed."""
    if not may_administer(command.actor):
        raise NotAllowed
    waiting = _waiting(work, command)
    if len(waiting) > 1 and not command.all:
        raise CorrelationFailed(name=command.name, count=len(waiting))
    made = [each for row in waiting if (each := _deliver(work, command, row)) is not None]
    if made:
        return made
    if command.case_id is None:
        begun = _begin(work, command)
        if begun is not None:
            return [begun]
    if command.all:
        return []
    raise CorrelationFailed(name=command.name, count=0)


def _waiting(work: Work, command: CorrelateMessage) -> list[Subscription]:
    statement = (
        select(Subscription)
        .join(Case, Case.id == Subscription.case_id)
        .where(
            Subscription.kind == "message",
            Subscription.name == command.name,
            Case.state == "open",
        )
    )
    if command.case_id is not None:
        statement = statement.where(Case.id == command.case_id)
    if command.business_key is not None:
        statement = statement.where(
            or_(
                Case.business_key == command.business_key,
                Case.reference == command.business_key,
            )
        )
    statement = statement.order_by(Subscription.opened_at, Subscription.id)
    rows = list(work.session.scalars(statement.limit(MOST_RECEIVERS)))
    if not command.equal:
        return rows
    states = select(CaseState).where(CaseState.case_id.in_({row.case_id for row in rows}))
    data = {each.case_id: each.data for each in work.session.scalars(states)}
    return [row for row in rows if _fits(data[row.case_id], command.equal)]


def _fits(data: Mapping[str, Any], equal: Mapping[str, Any]) -> bool:
    return all(name in data and data[name] == value for name, value in equal.items())


def _deliver(work: Work, command: CorrelateMessage, row: Subscription) -> Correlated | None:
    key, element = row.key, row.element
    case = lock_case(work, row.case_id)
    if case.state != "open":
        return None
    made = definition_for(work, case.package_version_id)
    state = state_of(work, case)
    kept = plain_values(work, command.actor, command.variables)
    step = made.process.fire(state.state, key, kept)
    if step is None:
        return None  # it has happened meanwhile
    remember(work, case, command.variables, kept)
    _keep(work, command, case, kept)
    advance(work, made, case, step, command.actor)
    return Correlated(case, element, False)


def _begin(work: Work, command: CorrelateMessage) -> Correlated | None:
    offers = work.session.scalars(select(OfferedServiceRow).order_by(OfferedServiceRow.service))
    for offered in list(offers):
        made = definition_for(work, offered.package_version_id)
        for trigger in made.process.triggers:
            if (trigger.kind, trigger.name) != ("message", command.name):
                continue
            applicant = applicant_named(work, command.actor, command.variables)
            kept = plain_values(work, command.actor, command.variables)
            begin = StartByMessage(applicant, offered.service, trigger.element, kept)
            case = start_by_message(work, begin)
            case.channel, case.business_key = CHANNEL, command.business_key
            remember(work, case, command.variables, kept)
            _keep(work, command, case, kept)
            return Correlated(case, trigger.element, True)
    return None


def _keep(work: Work, command: CorrelateMessage, case: Case, kept: Mapping[str, Any]) -> None:
    """Enter the message in the inbox, as delivered."""
    id_ = new_id()
    work.session.add(
        Message(
            id=id_,
            name=command.name[:160],
            correlation=(command.business_key or "")[:200] or None,
            unique_key=f"correlated:{id_}",
            data=dict(kept),
            state="delivered",
            sender=command.actor.user_id,
            received_at=work.now,
            expires_at=work.now,
            case_id=case.id,
            delivered_at=work.now,
        )
    )
