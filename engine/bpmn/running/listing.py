"""What a case waits for: tasks, jobs, timers and subscriptions, and the keys they go by."""

from __future__ import annotations

from collections.abc import Iterator

from engine.bpmn.model import FOR_PEOPLE
from engine.bpmn.running.events import SHOTS, WAITS
from engine.bpmn.running.workflow import Token
from engine.domain.process import OpenSubscription, OpenTimer


def is_task(token: Token) -> bool:
    return token.node.kind in FOR_PEOPLE and token.waits() and not is_body(token)


def is_job(token: Token) -> bool:
    return token.node.topic is not None and token.waits() and not is_body(token)


def is_body(token: Token) -> bool:
    return token.node.loop is not None and "round" not in token.internal_data


def key_of(token: Token, index: int) -> str:
    shots = token.internal_data.get(SHOTS, 0)
    return f"{token.id.hex}.{index}.{shots}" if index or shots else token.id.hex


def index_of(key: str) -> int | None:
    parts = key.split(".")
    if len(parts) == 1:
        return 0
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else None


def keys_of(token: Token) -> list[str]:
    if not token.waits():
        return []
    fired = token.internal_data.get("fired", ())
    return [
        key_of(token, index)
        for index in range(len(token.internal_data.get(WAITS, ())))
        if index not in fired
    ]


def timers_of(token: Token) -> Iterator[OpenTimer]:
    for key in keys_of(token):
        wait = token.internal_data[WAITS][index_of(key) or 0]
        if wait[0] == "timer":
            yield OpenTimer(key, token.node.id, wait[1])


def subscriptions_of(token: Token) -> Iterator[OpenSubscription]:
    for key in keys_of(token):
        wait = token.internal_data[WAITS][index_of(key) or 0]
        if wait[0] in ("message", "signal"):
            yield OpenSubscription(key, token.node.id, wait[0], str(wait[1]), wait[2])


def stuck_at(tokens: list[Token]) -> str | None:
    return next((token.node.id for token in tokens if token.waits()), None)
