"""Messages from outside: kept in an inbox, delivered exactly once to whoever waits or will wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from engine.domain.access import SYSTEM, Actor
from engine.kernel.errors import ExecutionFailed, MessageRefused
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import Message, OfferedServiceRow, Subscription, User
from engine.store.uow import UnitOfWork, Work
from engine.usecases.advance import advance
from engine.usecases.case_lock import lock_case, state_of
from engine.usecases.definition import definition_for
from engine.usecases.incidents import HELD, MESSAGE, held_subscriptions
from engine.usecases.people import actor_of
from engine.usecases.start_case import StartByMessage, start_by_message

AT_ONCE = 20
"""How many of those who wait are looked at before more are read."""
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


def take_message(uow: UnitOfWork, command: ReceiveMessage) -> Message:
    """As `receive_message`, but whoever sends is not told that the receiver fails.

    The message is then kept for that case, behind its incident.
    """
    try:
        return uow.run(receive_message, command)
    except ExecutionFailed as failed:
        if failed.attempt is None or failed.attempt[1] != MESSAGE:
            raise
        return uow.run(_keep_for, (command, *failed.attempt))


def receive_message(work: Work, command: ReceiveMessage) -> Message:
    """Keep the message, and deliver it at once if somebody waits.

    Raises MessageRefused, or ExecutionFailed if the receiver's step fails.
    """
    if not 0 < len(command.name) <= MAX_NAME or not timedelta(0) <= command.life <= LONGEST_LIFE:
        raise MessageRefused
    key = command.unique_key or new_id()
    if len(key) > 100 or (command.correlation is not None and len(command.correlation) > 200):
        raise MessageRefused
    known = work.rows.first(Message, "unique_key = %s", f"sent:{key}")
    if known is not None:
        return known
    message = _kept(work, command, new_id(), f"sent:{key}")
    if deliver(work, message, command.actor) or _start(work, message, command.applicant):
        return message
    if command.life == timedelta(0):
        message.state = "expired"
    return message


def _kept(work: Work, command: ReceiveMessage, id_: str, unique_key: str) -> Message:
    message = Message(
        id=id_,
        name=command.name,
        correlation=command.correlation,
        unique_key=unique_key,
        data=dict(command.data),
        state="waiting",
        sender=command.actor.user_id,
        received_at=work.now,
        expires_at=work.now + command.life,
    )
    work.rows.add(message)
    return message


def _keep_for(
    work: Work, command: tuple[ReceiveMessage, str, str, Mapping[str, object]]
) -> Message:
    """Keep a message whose receiver failed, for when the incident is dealt with."""
    received, case_id, _, attempt = command
    id_ = str(attempt["message_id"])
    message = _kept(work, received, id_, f"sent:{received.unique_key or id_}")
    message.state, message.case_id = HELD, case_id
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
    for waiting in _receivers(work, message):
        case = lock_case(work, waiting.case_id)
        if case.state != "open":
            continue
        made = definition_for(work, case.package_version_id)
        try:
            step = made.process.fire(state_of(work, case).state, waiting.key, message.data)
            if step is None:
                continue  # it has happened meanwhile
            message.state, message.case_id = "delivered", case.id
            message.delivered_at = work.now
            advance(work, made, case, step, actor)
        except ExecutionFailed as failed:
            attempt: dict[str, object] = {"key": waiting.key, "message_id": message.id}
            failed.attempt = (case.id, MESSAGE, attempt)
            raise
        return True
    return False


def _receivers(work: Work, message: Message) -> Iterator[Subscription]:
    """Who waits for the message, the longest first, but those who wait for an operator."""
    where, params = "kind = 'message' AND name = %s", [message.name]
    if message.correlation is not None:
        where += " AND (correlation = %s OR correlation IS NULL)"
        params.append(message.correlation)
    for start in count(step=AT_ONCE):
        page = f"{where} ORDER BY opened_at, id LIMIT {AT_ONCE} OFFSET {start}"
        rows = work.rows.select(Subscription, page, *params)
        held = held_subscriptions(work, [row.case_id for row in rows])
        yield from (row for row in rows if (row.case_id, row.key) not in held)
        if len(rows) < AT_ONCE:
            return


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
    id_ = new_id()
    for (case_id,) in listening:
        payload = {"name": command.name, "data": dict(command.data)}
        jobs.promise(work, "signal", f"signal:{id_}:{case_id}", payload, case_id=case_id)
    return len(listening)
