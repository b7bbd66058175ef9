"""Co-handlers (协办): whose answers the lead department waits for, and those it has.

All are asked at once (``parallel``), or each once the one before has answered (``sequence``). Who
has not answered when the limit passes is silent, and nobody waits for them any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Position = Literal["agree", "disagree", "answer", "silent"]
Order = Literal["parallel", "sequence"]
POSITIONS = ("agree", "disagree", "answer")
ORDERS = ("parallel", "sequence")
ANSWERS = "joint_answers"
"""Where the lead's form, and the process once the lead is done, finds the answers: a list."""


@dataclass(frozen=True)
class JointAnswer:
    """One department's answer; `on` is a date. Of a silent one `by` and `text` are empty."""

    department: str
    position: Position
    text: str = ""
    by: str = ""
    on: str = ""


@dataclass(frozen=True)
class Joint:
    """The co-handlers of a task. `waiting` are the departments that have not answered, in order."""

    order: Order = "parallel"
    waiting: tuple[str, ...] = ()
    answers: tuple[JointAnswer, ...] = ()

    @property
    def departments(self) -> frozenset[str]:
        """All that were asked."""
        return frozenset(self.waiting) | {each.department for each in self.answers}

    @property
    def asked(self) -> frozenset[str]:
        """Those whose turn it is."""
        return frozenset(self.waiting if self.order == "parallel" else self.waiting[:1])

    def with_more(self, departments: Sequence[str], order: Order) -> Joint:
        """Further departments are to answer, in this order."""
        return replace(self, order=order, waiting=(*self.waiting, *departments))

    def answered(self, answer: JointAnswer) -> Joint:
        """With the answer; the department is not waited for any more."""
        waiting = tuple(each for each in self.waiting if each != answer.department)
        return replace(self, waiting=waiting, answers=(*self.answers, answer))

    def as_mapping(self) -> dict[str, Any]:
        """The JSON-able shape that `joint_from_mapping` reads."""
        return {
            "order": self.order,
            "waiting": list(self.waiting),
            "answers": [asdict(each) for each in self.answers],
        }


def joint_from_mapping(body: Mapping[str, Any] | None) -> Joint:
    """The co-handlers as a task keeps them; none for None."""
    if body is None:
        return Joint()
    answers = tuple(JointAnswer(**each) for each in body["answers"])
    return Joint(body["order"], tuple(body["waiting"]), answers)


def departments_named(value: Any) -> tuple[str, ...]:
    """The departments a table's cell names: a list, or a text with commas; each once."""
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))
