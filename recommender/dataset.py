"""What citizens did, as the recommender sees it: who finished which service, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

SENSITIVE = frozenset({"F001", "C001", "A001"})
"""Information requests, complaints and reconsiderations: never suggested, never learned from."""


@dataclass(frozen=True)
class Completion:
    """One service that one person finished. `person` is any stable key and is not kept."""

    person: str
    service: str
    at: datetime


def histories(completions: Iterable[Completion], known: Iterable[str]) -> list[list[str]]:
    """Each person's services in the order they were finished, each once, sensitive ones left out."""
    wanted = set(known) - SENSITIVE
    of_person: dict[str, list[Completion]] = defaultdict(list)
    for completion in completions:
        if completion.service in wanted:
            of_person[completion.person].append(completion)
    ordered = []
    for rows in of_person.values():
        rows.sort(key=lambda row: row.at)
        ordered.append(list(dict.fromkeys(row.service for row in rows)))
    return sorted(ordered)
