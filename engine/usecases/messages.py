"""Messages from outside: kept in an inbox, delivered exactly once to whoever waits or will wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine.domain.access import SYSTEM, Actor
from engine.kernel.errors import MessageRefused
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import Message, OfferedServiceRow, Subscription, User
from engine.store.uow import Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.definition import definition_for
from engine.usecases.people import actor_of
from engine.usecases.start_case import StartByMessage, start_by_message

LONGEST_LIFE = timedelta(days=366)
MAX_NAME = 160


@dataclass(frozen=True)
class ReceiveMessage:
    """`unique_key` makes sending twice harmless; `life` is how long it waits for a receiver.

    A message with a `correlation` reaches only an event that waits for it, or for any. One that
    names an `applicant` (a user name) and that nobody waits for begins a case of the service whose
    process starts with it.
    """

    actor: Actor
    name: str
    data: Mapping[str, Any]
    correlation: str | None = None
    unique_key: str | None = None
    life: timedelta = timedelta(0)
    applicant: str | None = None


def receive_message(work: Work, command: ReceiveMessage) -> Message:
    """Keep the message, and deliver it at once if somebody waits. Raises MessageRefused."""
    if not 0 < len(command.name) <= MAX_NAME or not timedelta(0) <= command.life <= LONGEST_LIFE:
        raise MessageRefused
    key = command.unique_key or new_id()
    if len(key) > 100 or (command.correlation is not None and len(command.correlation) > 200):
        raise MessageRefused
    known = work.rows.first(Message, "unique_key = %s", f"sent:{key}")
    if known is not None:
        return known
    message = Message(
        id=new_id(),
        name=command.name,
        correlation=command.correlation,
        unique_key=f"sent:{key}",
        data=dict(command.data),
        state="waiting",
        sender=command.actor.user_id,
        received_at=work.now,
        expires_at=work.now + command.life,
    )
    work.rows.add(message)
    if deliver(work, message, command.actor) or _start(work, message, command.applicant):
        return message
    if command.life == timedelta(0):
        message.state = "expired"
    return message


def _start(work: Work, message: Message, applicant: str | None) -> bool:
    """Begin the case whose start event waits for the message; whether there is one."""
    user = applicant and work.rows.first(User, "user_name = %s", applicant)
    if not user:
        return False
    for offered in work.rows.select(OfferedServiceRow, "1 = 1 ORDER BY service"):
        made = definition_for(work, offered.package_version_id)
        for trigger in made.process.triggers:
            if (trigger.kind, trigger.name) == ("message", message.name):
                command = StartByMessage(
                    actor_of(user), offered.service, trigger.element, message.data
                )
                case = start_by_message(work, command)
                message.state, message.case_id = "delivered", case.id
                message.delivered_at = work.now
                return True
    return False


def deliver_waiting(work: Work, message_id: str) -> None:
    """Deliver a message of the inbox if it still waits. Safe to run twice."""
    message = work.rows.first(Message, "id = %s", message_id, lock=True)
    if message is None or message.state != "waiting":
        return
    if message.expires_at <= work.now:
        message.state = "expired"
        return
    deliver(work, message, SYSTEM)


def deliver(work: Work, message: Message, actor: Actor) -> bool:
    """Let the event that has waited longest for the message happen; whether one did."""
    where, params = "kind = 'message' AND name = %s", [message.name]
    if message.correlation is not None:
        where += " AND (correlation = %s OR correlation IS NULL)"
        params.append(message.correlation)
    for waiting in work.rows.select(
        Subscription, f"{where} ORDER BY opened_at, id LIMIT 20", *params
    ):
        case = lock_case(work, waiting.case_id)
        if case.state != "open":
            continue
        made = definition_for(work, case.package_version_id)
        step = made.process.fire(state_of(work, case).state, waiting.key, message.data)
        if step is None:
            continue  # it has happened meanwhile
        message.state, message.case_id = "delivered", case.id
        message.delivered_at = work.now
        advance(work, made, case, step, actor)
        return True
    return False


def deliver_signal(work: Work, case_id: str, name: str, data: Mapping[str, Any]) -> None:
    """Let a signal reach one case. Safe to run twice: an event that happened listens no more."""
    case = lock_case(work, case_id)
    if case.state != "open":
        return
    made = definition_for(work, case.package_version_id)
    step = made.process.signal(state_of(work, case).state, name, data)
    if step is not None:
        advance(work, made, case, step, SYSTEM)


@dataclass(frozen=True)
class SendSignal:
    actor: Actor
    name: str
    data: Mapping[str, Any]


def send_signal(work: Work, command: SendSignal) -> int:
    """Have a signal delivered to every case that listens for it; how many."""
    listening = work.rows.values(
        "SELECT DISTINCT case_id FROM subscriptions WHERE kind = 'signal' AND name = %s",
        command.name,
    )
    id_, count = new_id(), 0
    for (case_id,) in listening:
        payload = {"name": command.name, "data": dict(command.data)}
        jobs.promise(work, "signal", f"signal:{id_}:{case_id}", payload, case_id=case_id)
        count += 1
    return count
