"""Whether the rules of a table leave a gap or overlap, for cells that are values or ranges.

Each column is cut into pieces at every value and bound that occurs in it. A rule is the set of
pieces it covers in each column; a combination of pieces without a rule is a gap, one with two an
overlap. Tables with other cells, or too many combinations, are left unsaid.
"""

from __future__ import annotations

import re
from itertools import product

from engine.domain.schedule import instant

MAX_COMBINATIONS = 20_000
_NUMBER = r"-?\d+(?:\.\d+)?"
_DATE = r'date\("\d{4}-\d\d-\d\d"\)'
_POINT = rf"(?:{_NUMBER}|{_DATE})"
_RANGE = re.compile(rf"([\[(\]])\s*({_POINT})\s*\.\.\s*({_POINT})\s*([\])\[])")
_COMPARISON = re.compile(rf"(<=|>=|<|>)\s*({_POINT})")
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|true|false|True|False')
_SINGLE = re.compile(_POINT)
OTHER = "*"


def check_rules(rows: list[list[str]], policy: str) -> list[tuple[str, int | None]]:
    """``decision_table_gap`` and ``decision_table_overlap``, with the rule of an overlap."""
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        return []
    columns = [_pieces([row[n] for row in rows]) for n in range(len(rows[0]))]
    size = 1
    for column in columns:
        if column is None:
            return []
        size *= max(len(column[0]), 1)
        if size > MAX_COMBINATIONS:
            return []
    known = [column for column in columns if column is not None]
    found: list[tuple[str, int | None]] = []
    gap = overlap = False
    for place in product(*(pieces for pieces, _ in known)):
        hits = [
            n
            for n in range(len(rows))
            if all(place[c] in known[c][1][n] for c in range(len(known)))
        ]
        if not hits and not gap:
            gap = True
            found.append(("decision_table_gap", None))
        if len(hits) > 1 and policy in ("UNIQUE", "ANY") and not overlap:
            overlap = True
            found.append(("decision_table_overlap", hits[1]))
    return found


Piece = object


def _pieces(cells: list[str]) -> tuple[list[Piece], list[set[Piece]]] | None:
    """The pieces of a column, and those each cell covers; None for cells of other kinds."""
    parsed = [_parse(cell) for cell in cells]
    if any(each is None for each in parsed):
        return None
    used = [part for each in parsed for part in each or []]
    if all(part[0] in ("word", "all", "not") for part in used):
        words = {word for part in used if part[0] != "all" for word in part[1]}
        if words <= {"true", "false"} and words:
            pieces: list[Piece] = ["true", "false"]
        else:
            pieces = [*sorted(words), OTHER]
        return pieces, [_words_covered(each or [], pieces) for each in parsed]
    if any(part[0] in ("word", "not") for part in used):
        return None
    points = sorted({p for part in used if part[0] == "span" for p in part[1] if p is not None})
    places: list[Piece] = []
    for n, point in enumerate(points):
        before = points[n - 1] if n else None
        places += [(before, point), point]
    places.append((points[-1] if points else None, None))
    return places, [
        {place for place in places if any(_spans(part, place) for part in each or [])}
        for each in parsed
    ]


def _words_covered(parts: list[tuple[str, tuple]], pieces: list[Piece]) -> set[Piece]:  # type: ignore[type-arg]
    covered: set[Piece] = set()
    for kind, values in parts:
        if kind == "all":
            covered |= set(pieces)
        elif kind == "word":
            covered |= set(values)
        else:
            covered |= set(pieces) - set(values)
    return covered


def _spans(part: tuple, place: Piece) -> bool:  # type: ignore[type-arg]
    if part[0] == "all":
        return True
    low, high = part[1]
    low_closed, high_closed = part[2], part[3]
    if isinstance(place, tuple):
        start, end = place
        return (low is None or (start is not None and start >= low)) and (
            high is None or (end is not None and end <= high)
        )
    above = low is None or place > low or (low_closed and place == low)
    below = high is None or place < high or (high_closed and place == high)
    return above and below


def _point(text: str) -> float:
    if text.startswith("date"):
        return instant(text[6:-2]).timestamp()
    return float(text)


def _parse(cell: str) -> list[tuple] | None:  # type: ignore[type-arg]
    """The parts of a cell; None if it is of another kind."""
    cell = cell.strip()
    if cell in ("", "-"):
        return [("all", ())]
    if cell.startswith("not(") and cell.endswith(")"):
        words = _WORD.findall(cell[4:-1])
        return [("not", tuple(words))] if _only_words(cell[4:-1]) else None
    if _only_words(cell):
        return [
            (
                "word",
                tuple(
                    word.lower() if word in ("True", "False") else word
                    for word in _WORD.findall(cell)
                ),
            )
        ]
    parts: list[tuple] = []  # type: ignore[type-arg]
    for part in (each.strip() for each in re.split(r",(?![^(\[]*[)\]])", cell)):
        if match := _RANGE.fullmatch(part):
            bounds = (_point(match[2]), _point(match[3]))
            parts.append(("span", bounds, match[1] == "[", match[4] == "]"))
        elif match := _COMPARISON.fullmatch(part):
            at, closed = _point(match[2]), "=" in match[1]
            if match[1].startswith("<"):
                parts.append(("span", (None, at), False, closed))
            else:
                parts.append(("span", (at, None), closed, False))
        elif _SINGLE.fullmatch(part):
            at = _point(part)
            parts.append(("span", (at, at), True, True))
        else:
            return None
    return parts


def _only_words(text: str) -> bool:
    return bool(text.strip()) and not re.sub(r"[\s,]", "", _WORD.sub("", text))
