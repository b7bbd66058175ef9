"""The catalogue: services, the life events they belong to, and how one leads to another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.domain.locales import Locale


@dataclass(frozen=True)
class Service:
    """One service (事项). `statutory` is as written (``10wd``, ``60d``); `promise_wd` in working
    days, 0 for at once."""

    code: str
    name: Mapping[str, str]
    department: Mapping[str, str]
    audience: tuple[str, ...]
    statutory: str | None
    promise_wd: int
    life_events: tuple[str, ...]


@dataclass(frozen=True)
class LifeEvent:
    code: str
    name: Mapping[str, str]
    lead: Mapping[str, str]


@dataclass(frozen=True)
class Relation:
    """From `source` to `target`, with the share of people a priori expected to go on (0 to 1)."""

    source: str
    target: str
    type: str
    prior: float


@dataclass(frozen=True)
class Catalogue:
    services: Mapping[str, Service]
    life_events: Mapping[str, LifeEvent]
    relations: tuple[Relation, ...]

    def search(self, text: str, locale: Locale, limit: int = 30) -> list[Service]:
        """The services that fit `text` best, in either language; small slips are forgiven."""
        wanted = _normal(text)
        if not wanted:
            return list(self.services.values())[:limit]
        scored = [
            (score, code)
            for code, service in self.services.items()
            if (score := _score(wanted, service, self.life_events)) > 0.34
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        return [self.services[code] for _, code in scored[:limit]]


def read_catalogue(content: bytes) -> Catalogue:
    """The catalogue from its JSON file. Raises ValueError for a relation to an unknown service."""
    raw: dict[str, Any] = json.loads(content)
    services = {
        row["code"]: Service(
            code=row["code"],
            name={"zh-CN": row["zh"], "en": row["en"]},
            department={"zh-CN": row["dept_zh"], "en": row["dept_en"]},
            audience=tuple(row["audience"]),
            statutory=row["statutory"],
            promise_wd=int(row["promise_wd"]),
            life_events=tuple(row["life_events"]),
        )
        for row in raw["services"]
    }
    events = {}
    for row in raw["life_events"]:
        chinese, _, english = str(row.get("lead", "")).partition(" / ")
        events[row["code"]] = LifeEvent(
            row["code"],
            {"zh-CN": row["zh"], "en": row["en"]},
            {"zh-CN": chinese, "en": english or chinese},
        )
    relations = tuple(
        Relation(row["source"], row["target"], row["type"], float(row["prior"]))
        for row in raw["relations"]
    )
    for relation in relations:
        if relation.source not in services or relation.target not in services:
            raise ValueError(f"{relation.source} → {relation.target}: no such service")
    return Catalogue(services, events, relations)


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", text.strip().lower())


def _pairs(text: str) -> set[str]:
    compact = text.replace(" ", "")
    return {compact[i : i + 2] for i in range(len(compact) - 1)} or {compact}


def _score(wanted: str, service: Service, events: Mapping[str, LifeEvent]) -> float:
    """1 and more for what contains the text; else the share of its letter pairs that is found."""
    names = [service.code, *service.name.values()]
    others = [*service.department.values()]
    others += [name for code in service.life_events for name in events[code].name.values()]
    best = 0.0
    for weight, texts in ((1.0, names), (0.6, others)):
        for text in map(_normal, texts):
            if wanted in text:
                best = max(best, weight * (1 + len(wanted) / len(text)))
            pairs = _pairs(wanted)
            best = max(best, weight * 0.9 * len(pairs & _pairs(text)) / len(pairs))
    return best
