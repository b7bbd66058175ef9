"""What a case waits for: tasks, jobs, timers and subscriptions, and the keys they go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from engine.bpmn.languages import Expression
from engine.bpmn.model import FOR_PEOPLE
from engine.bpmn.running.events import SHOTS, WAITS
from engine.bpmn.running.workflow import Token
from engine.domain.process import OpenSubscription, OpenTimer, Waits

REACHED_BEFORE = frozenset(
    {"userTask", "manualTask", "sendTask", "serviceTask", "subProcess", "callActivity"}
)
"""The kinds of which the stage is reached before they are done."""


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


@dataclass
class Standing:
    """What a case waits for: the tokens of its tasks and jobs, its timers and subscriptions."""

    tasks: list[Token] = field(default_factory=list)
    jobs: list[Token] = field(default_factory=list)
    timers: list[OpenTimer] = field(default_factory=list)
    subscriptions: list[OpenSubscription] = field(default_factory=list)

    @property
    def waits(self) -> Waits:
        """The keys of it all."""
        return Waits(
            frozenset([token.id for token in self.tasks]),
            frozenset([timer.key for timer in self.timers]),
            frozenset([each.key for each in self.subscriptions]),
            frozenset([token.id for token in self.jobs]),
        )


def standing(tokens: Iterable[Token]) -> Standing:
    """What the tokens wait for, each in their order; all are looked at once."""
    found = Standing()
    for token in tokens:
        if not token.waits():
            continue
        if not is_body(token):
            if token.node.kind in FOR_PEOPLE:
                found.tasks.append(token)
            if token.node.topic is not None:
                found.jobs.append(token)
        for key in keys_of(token):
            wait = token.internal_data[WAITS][index_of(key) or 0]
            if wait[0] == "timer":
                found.timers.append(OpenTimer(key, token.node.id, wait[1]))
            elif wait[0] in ("message", "signal"):
                found.subscriptions.append(
                    OpenSubscription(key, token.node.id, wait[0], str(wait[1]), wait[2])
                )
    return found


def stuck_at(tokens: list[Token]) -> str | None:
    return next((token.node.id for token in tokens if token.waits()), None)


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
