"""What the two engines have in common when they play a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Doing = tuple[str, str]
"""What can be done: ``task``, ``message``, ``signal`` or ``timer``, and its name."""


@dataclass(frozen=True)
class Outcome:
    """Where a case stands when nothing more can be done."""

    finished: bool
    done: Counter[str]
    """The activities that completed, by id."""
    data: Mapping[str, Any]
