"""What people, job workers and the world outside do in a simulation.

A JSON object, every part optional::

    {"data": {...},                          what the process begins with
     "start": "element id",                  the start event to begin at
     "now": "2026-01-05T09:00:00+08:00",     where the clock begins
     "tasks": {"element id": {...answers, "$after": "P2D"}},
     "jobs": {"element id or topic": {...results}},
     "messages": [{"name": "...", "data": {...}, "correlation": "...", "after": "PT1H"}],
     "signals": [{"name": "...", "data": {...}, "after": "PT1H"}]}

The answers of a task or job may be a list: one for each time it comes, the last from then on. With
``$after`` it takes that long, with ``$never`` it is not done, ``$error`` ends it with that BPMN
error and ``$escalation`` raises that escalation before it is completed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from engine.domain.schedule import after, instant

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
"""A Monday, nine in the morning in Beijing."""


class AnswersWrong(ValueError):
    """The answers are not as they should be; `str()` says where."""


@dataclass(frozen=True)
class Answer:
    """What is done with one task or job. `error` and `escalation` are codes."""

    data: Mapping[str, Any]
    after: str | None = None
    never: bool = False
    error: str | None = None
    escalation: str | None = None


@dataclass(frozen=True)
class Sent:
    """A message or signal from outside, `after` the beginning."""

    kind: str
    name: str
    data: Mapping[str, Any]
    correlation: str | None = None
    after: str | None = None


@dataclass
class Answers:
    data: Mapping[str, Any] = field(default_factory=dict)
    start: str | None = None
    now: datetime = START
    tasks: Mapping[str, list[Answer]] = field(default_factory=dict)
    jobs: Mapping[str, list[Answer]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)

    def of_task(self, element: str, time: int) -> Answer | None:
        return _nth(self.tasks.get(element), time)

    def of_job(self, element: str, topic: str, time: int) -> Answer | None:
        return _nth(self.jobs.get(element) or self.jobs.get(topic), time)


def _nth(answers: list[Answer] | None, time: int) -> Answer | None:
    return answers[min(time, len(answers) - 1)] if answers else None


def read_answers(raw: Any) -> Answers:
    """The answers of a JSON document. Raises AnswersWrong."""
    if not isinstance(raw, Mapping):
        raise AnswersWrong("an object is expected")
    known = {"data", "start", "now", "tasks", "jobs", "messages", "signals"}
    if unknown := sorted(set(raw) - known):
        raise AnswersWrong(f"{unknown[0]}: not one of {', '.join(sorted(known))}")
    sent = [_sent("message", each, n) for n, each in enumerate(_list(raw, "messages"))]
    sent += [_sent("signal", each, n) for n, each in enumerate(_list(raw, "signals"))]
    try:
        now = instant(str(raw["now"])) if raw.get("now") else START
    except (ValueError, TypeError) as error:
        raise AnswersWrong("now: not a date-time") from error
    start = raw.get("start")
    if start is not None and not isinstance(start, str):
        raise AnswersWrong("start: the id of a start event is expected")
    return Answers(
        _object(raw.get("data") or {}, "data"),
        start,
        now,
        _answers(raw, "tasks"),
        _answers(raw, "jobs"),
        sent,
    )


def _list(raw: Mapping[str, Any], name: str) -> list[Any]:
    value = raw.get(name) or []
    if not isinstance(value, list):
        raise AnswersWrong(f"{name}: a list is expected")
    return value


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnswersWrong(f"{where}: an object is expected")
    return value


def _answers(raw: Mapping[str, Any], name: str) -> dict[str, list[Answer]]:
    made = {}
    for element, value in _object(raw.get(name) or {}, name).items():
        values = value if isinstance(value, list) else [value]
        made[element] = [_answer(each, f"{name}.{element}") for each in values]
    return made


def _answer(value: Any, where: str) -> Answer:
    fields = _object(value, where)
    wait = fields.get("$after")
    if wait is not None:
        _duration(wait, where)
    return Answer(
        {name: each for name, each in fields.items() if not name.startswith("$")},
        wait,
        bool(fields.get("$never")),
        _text(fields.get("$error")),
        _text(fields.get("$escalation")),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _sent(kind: str, value: Any, number: int) -> Sent:
    where = f"{kind}s[{number}]"
    fields = _object(value, where)
    if not isinstance(fields.get("name"), str):
        raise AnswersWrong(f"{where}.name: text is expected")
    wait = fields.get("after")
    if wait is not None:
        _duration(wait, where)
    return Sent(
        kind,
        fields["name"],
        _object(fields.get("data") or {}, where),
        _text(fields.get("correlation")),
        wait,
    )


def _duration(text: Any, where: str) -> None:
    try:
        after(START, str(text))
    except ValueError as error:
        raise AnswersWrong(f"{where}: {error}") from error
