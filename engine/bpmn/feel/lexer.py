"""The words of FEEL: names, numbers, texts, dates and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_SOURCE = 4_000
MAX_TOKENS = 2_000


class FeelRefused(ValueError):
    """`str()` is the fragment that is not understood."""


@dataclass(frozen=True)
class Word:
    """`kind` is name, number, text, at (a dated literal), sign or end."""

    kind: str
    text: str
    at: int


_WORD = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<at>@"(?:[^"\\]|\\.)*")
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<name>[^\W\d]\w*|\?)
    |(?P<sign>\*\*|\.\.|->|<=|>=|!=|[-+*/=<>()\[\]{},:.])
    """,
    re.VERBOSE | re.DOTALL,
)


def words(source: str) -> list[Word]:
    """The words of `source`, an end word last. Raises FeelRefused."""
    if len(source) > MAX_SOURCE:
        raise FeelRefused(source.strip()[:40])
    found, at = [], 0
    while at < len(source):
        match = _WORD.match(source, at)
        if match is None:
            raise FeelRefused(source[at : at + 40].strip())
        if match.lastgroup is not None:
            found.append(Word(match.lastgroup, match.group(), at))
        at = match.end()
    if len(found) > MAX_TOKENS:
        raise FeelRefused(source.strip()[:40])
    found.append(Word("end", "", len(source)))
    return found


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


def text_value(literal: str) -> str:
    """The value of a quoted text."""

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _ESCAPES.get(match[2], "\\" + match[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", one, literal[1:-1])
