"""Variables as programs hand them in and take them out: values, and what their types say more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

START_ANSWERS = "start_answers"
RESERVED = frozenset({"case", START_ANSWERS})
"""What the engine itself keeps in a case's data."""


@dataclass(frozen=True)
class Note:
    """The declared type of a variable, lower case, and more about it, such as a file's name."""

    type: str
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SentFile:
    """A file that was sent as the value of a variable."""

    name: str
    content: bytes
    info: Mapping[str, Any]


@dataclass(frozen=True)
class Variables:
    """`values` are plain data or `SentFile`; `notes` only where a value does not tell its type.

    Those that are `transient` are not to be kept.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    transient: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.values)


NONE = Variables()
