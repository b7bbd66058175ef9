"""What citizens did, as the recommender sees it: who finished which service, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from engine.domain.catalogue import Catalogue

SENSITIVE = frozenset({"F001", "C001", "A001"})
"""Information requests, complaints and reconsiderations: never suggested, never learned from."""
PRIVATE_LIFE_EVENTS = frozenset({"LE-SICK", "LE-HARDSHIP", "LE-DISABLED"})
"""Health, relief and disability: nothing learned from such cases reaches other people's screens."""
NOT_OBTAINED = frozenset(
    {"refused", "not_accepted", "not_our_remit", "no_licence_needed", "not_corrected"}
)
"""Outcomes after which the applicant does not have what was applied for."""


@dataclass(frozen=True)
class Completion:
    """One service that one person finished. `person` is any stable key and is not kept."""

    person: str
    service: str
    at: datetime


def histories(completions: Iterable[Completion], known: Iterable[str]) -> list[list[str]]:
    """Each person's services in the order of finishing, each once, sensitive ones left out."""
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


def private(catalogue: Catalogue) -> frozenset[str]:
    """Services that tell of somebody's health, need or disability.

    A person's own cases may lead to them through the catalogue's relations, but they are not
    learned from and never called popular.
    """
    return frozenset(
        code
        for code, service in catalogue.services.items()
        if PRIVATE_LIFE_EVENTS.intersection(service.life_events)
    )
