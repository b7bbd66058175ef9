"""A scenario file: a whole case as a story, with what must be true after each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import yaml


class ScenarioWrong(Exception):
    """The scenario file cannot be read; the message says where."""


@dataclass(frozen=True)
class ScenarioStep:
    """One thing that happens: a task completed or returned, time passing, a withdrawal, or a verb
    on a clock.

    The tasks that the engine opens beside a task go by their kind: ``redispatch``,
    ``adjudicate``, ``joint``.
    """

    expect: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    task: str | None = None
    by: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    wait_until: datetime | None = None
    withdraw: str | None = None
    returned: str | None = None
    clock: Mapping[str, Any] | None = None
    merge: Mapping[str, Any] | None = None
    """The `applicant` and `answers` of another case that follows this one from then on."""


@dataclass(frozen=True)
class Scenario:
    """`applicant` and each step's `by` are user names of the invented office."""

    name: str
    title: Mapping[str, str]
    service: str
    applicant: str
    at: datetime
    demo: bool
    answers: Mapping[str, Any]
    steps: tuple[ScenarioStep, ...]
    expect: Mapping[str, Any]


def read_scenario(name: str, content: bytes) -> Scenario:
    """Read ``scenarios/*.yaml``. Raises ScenarioWrong."""
    try:
        raw = yaml.safe_load(content)
        return Scenario(
            name=name,
            title=raw["title"],
            service=raw["service"],
            applicant=raw["applicant"],
            at=_instant(raw["at"]),
            demo=bool(raw.get("demo", False)),
            answers=_plain(raw["answers"]),
            steps=tuple(_step(row) for row in raw["steps"]),
            expect=raw["expect"],
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ScenarioWrong(f"{name}: {error!r}") from error


def _step(row: Mapping[str, Any]) -> ScenarioStep:
    known = {
        "task", "at", "as", "answers", "expect", "wait_until", "withdraw", "return", "clock",
        "merge",
    }  # fmt: skip
    unknown = set(row) - known
    if unknown:
        raise ValueError(f"a step has no setting {sorted(unknown)[0]!r}")
    withdraw = row.get("withdraw")
    return ScenarioStep(
        expect=row.get("expect") or {},
        at=_instant(row["at"]) if row.get("at") else None,
        task=row.get("task"),
        by=row.get("as"),
        answers=_plain(row.get("answers") or {}),
        wait_until=_instant(row["wait_until"]) if row.get("wait_until") else None,
        withdraw=withdraw["reason"] if isinstance(withdraw, Mapping) else withdraw,
        returned=row.get("return"),
        clock=row.get("clock"),
        merge=_plain(row["merge"]) if row.get("merge") else None,
    )


def _instant(value: Any) -> datetime:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(at, datetime):
        raise ValueError(f"{value!r} is not a date with a time")
    # YAML gives a time with a zone as naive UTC in some writings and as aware in others.
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _plain(value: Any) -> Any:
    """YAML turns 2026-02-10 into a date; answers hold it as text, as a form would."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
