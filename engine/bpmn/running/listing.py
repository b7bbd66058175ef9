"""What a case waits for: tasks, jobs, timers and subscriptions, and the keys they go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from engine.bpmn.languages import Expression
from engine.bpmn.model import FOR_PEOPLE
from engine.bpmn.running.events import SHOTS, WAITS
from engine.bpmn.running.workflow import Token
from engine.domain.process import OpenSubscription, OpenTimer, Waits


def is_task(token: Token) -> bool:
    return token.node.kind in FOR_PEOPLE and token.waits() and not is_body(token)


def is_job(token: Token) -> bool:
    return token.node.topic is not None and token.waits() and not is_body(token)


def is_body(token: Token) -> bool:
    return token.node.loop is not None and "round" not in token.internal_data


def key_of(token: Token, index: int) -> str:
    shots = token.internal_data.get(SHOTS, 0)
    return f"{token.id}.{index}.{shots}" if index or shots else token.id


def index_of(key: str) -> int | None:
    parts = key.split(".")
    if len(parts) == 1:
        return 0
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else None


def keys_of(token: Token) -> list[str]:
    waits = token.internal_data.get(WAITS)
    if not waits or not token.waits():
        return []
    fired = token.internal_data.get("fired", ())
    return [key_of(token, index) for index in range(len(waits)) if index not in fired]


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


def waits_of(tokens: Iterable[Token]) -> Waits:
    """The keys of what the tokens wait for."""
    tasks, timers, subscriptions, jobs = set(), set(), set(), set()
    for token in tokens:
        if is_task(token):
            tasks.add(token.id)
        if is_job(token):
            jobs.add(token.id)
        for key in keys_of(token):
            kind = token.internal_data[WAITS][index_of(key) or 0][0]
            if kind == "timer":
                timers.add(key)
            elif kind in ("message", "signal"):
                subscriptions.add(key)
    return Waits(frozenset(tasks), frozenset(timers), frozenset(subscriptions), frozenset(jobs))


class Settings(Mapping[str, Any]):
    """The settings of an element; each expression is evaluated once, when it is looked at."""

    def __init__(
        self,
        written: Mapping[str, str],
        expressions: Mapping[str, Expression],
        data: Mapping[str, Any],
        blame: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._values: dict[str, Any] = dict(written)
        self._open = dict(expressions)
        self._data, self._blame = data, blame

    def __getitem__(self, name: str) -> Any:
        expression = self._open.pop(name, None)
        if expression is not None:
            with self._blame():
                self._values[name] = expression.evaluate(self._data)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
