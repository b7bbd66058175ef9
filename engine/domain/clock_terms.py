"""What a package says of its clocks: which there are, who may change them, who is told when.

A case's clock has a key: ``legal`` and ``promised`` for the two dates of every case, the name of a
clock the package declares, or ``task:<key of the task>`` and ``department:<code>``, of which a
case has many on the same terms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Text = Mapping[str, str]
Kind = Literal["legal", "promised", "stage", "department", "task", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ONLY_ONE: tuple[Kind, ...] = ("legal", "promised", "department", "task")
"""Kinds of which a package has one clock, whose key is the kind's name."""
CASE_DATES = ("legal", "promised")
"""The clocks whose dates stand on the case itself."""
SAME_LENGTH = "same"
Rule = Literal["deemed_accepted", "deemed_withdrawn", "deemed_consent"]
RULES: tuple[Rule, ...] = get_args(Rule)
_AT = re.compile(r"half|0|[1-9]\d?%|[+-][1-9]\d{0,2}wd")
_TO = re.compile(
    r"assignee|supervisor|manager|applicant|department|department:[A-Z0-9_]{1,20}|role:[a-z_]{1,20}"
)


@dataclass(frozen=True)
class ExtensionTerms:
    """By which limits a clock may be extended, how often, and up to which limit in total.

    A `cap` of `SAME_LENGTH` is the clock's own limit once more. `role` is who must agree, and
    `letter` tells the applicant.
    """

    limits: tuple[str, ...] = ()
    times: int = 1
    cap: str | None = None
    role: str | None = None
    letter: str | None = None


@dataclass(frozen=True)
class PauseTerms:
    """A reason for which time is not counted, by what rule, and the letter that goes with it."""

    title: Text
    basis: Text = field(default_factory=dict)
    letter: str | None = None


@dataclass(frozen=True)
class ClockTerms:
    """One clock as the package has it. `limit` is counted where a verb names no other.

    `buttons` gives for a verb the role that may use it on the case's page. An undeclared clock is
    one on which the package is silent: it takes verbs as the model gives them.
    """

    key: str
    kind: Kind
    title: Text = field(default_factory=dict)
    limit: str | None = None
    public: bool = False
    extension: ExtensionTerms = ExtensionTerms()
    pauses: Mapping[str, PauseTerms] = field(default_factory=dict)
    buttons: Mapping[str, str] = field(default_factory=dict)
    moved_letter: str | None = None
    """Tells the applicant that a recount has made the date later."""
    stage: str | None = None
    """The stage that a clock of kind ``stage`` counts."""
    declared: bool = True


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: who is told, when, of which clock.

    `at` is ``half``, ``75%``, ``-3wd``, ``0`` or ``+1wd``; `clock` names the terms.
    """

    clock: str
    at: str
    to: tuple[str, ...]
    letter: str | None = None
    text: Text = field(default_factory=dict)
    raises_priority: bool = False

    @property
    def is_late(self) -> bool:
        """Whether the date has passed by then."""
        return self.at == "0" or self.at.startswith("+")


@dataclass(frozen=True)
class SilenceRule:
    """What it means that nobody answered within a limit, by which rule of law.

    One of: `timer`, an event of the model that says itself what follows; `task`, which the engine
    then completes with `answers`, or whose case it ends with `outcome`; `clock`, at whose date it
    does so. With `starts` clocks are started, counted from receipt.
    """

    key: str
    rule: Rule
    basis: Text
    timer: str | None = None
    task: str | None = None
    clock: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None
    letter: str | None = None
    starts: tuple[str, ...] = ()
    limit: str | None = None
    """The limit of the clocks it starts."""


@dataclass(frozen=True)
class AnswerVerb:
    """A verb that an answer to a task's form asks for: when `name` is one of `values`."""

    task: str
    name: str
    values: tuple[str, ...]
    verb: str
    clocks: tuple[str, ...]
    limit: str | None = None
    pause: str = ""
    reason: str | None = None
    """The field in which the reason stands."""


def is_rung_time(text: Any) -> bool:
    """Whether `text` says when a rung is reached."""
    return isinstance(text, str) and bool(_AT.fullmatch(text))


def is_recipient(text: Any) -> bool:
    """Whether `text` says who is told."""
    return isinstance(text, str) and bool(_TO.fullmatch(text))


def is_of_task(key: str) -> bool:
    """Whether the clock of this key counts a task."""
    return key.startswith("task:")


UNDECLARED: Mapping[str, ClockTerms] = {
    kind: ClockTerms(kind, kind, public=kind in CASE_DATES, declared=False)
    for kind in ("legal", "promised", "task")
}
"""The clocks that a case has whatever its package says."""
USUAL_LADDER = tuple(
    rung
    for clock in CASE_DATES
    for rung in (
        Rung(clock, "-3wd", ("assignee",)),
        Rung(clock, "0", ("assignee", "supervisor")),
    )
)
"""Where a package has no ladder of its own."""


def terms_of(clocks: Mapping[str, ClockTerms], key: str) -> ClockTerms | None:
    """The terms of the clock `key` of a case, or None for one that the package does not have."""
    return clocks.get(key.partition(":")[0])
