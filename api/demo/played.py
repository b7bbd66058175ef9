"""What came of a scenario, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class PlayedStep:
    """What happened in one step. `at` is the scenario's own time."""

    at: datetime
    element: str
    label: str
    by: str
    letters: list[str]
    stage: str
    promised_due: str | None
    legal_due: str | None
    notices: list[str] = field(default_factory=list)
    """Who was told of a date: day, clock, rung and recipient."""


@dataclass
class Played:
    """A scenario's outcome. `problem` is None when everything was as expected."""

    scenario: str
    title: str
    service: str
    reference: str = ""
    state: str = ""
    outcome: str | None = None
    legal_due: str | None = None
    promised_due: str | None = None
    steps: list[PlayedStep] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    problem: str | None = None
