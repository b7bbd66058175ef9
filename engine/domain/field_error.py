"""What is wrong with one field of what somebody sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One wrong answer: the field's name, a catalogue code and what its sentence needs."""

    field: str
    code: str
    params: Mapping[str, Any]
