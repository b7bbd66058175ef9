"""Rank the services that could come next, and say which evidence speaks for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.domain.catalogue import Catalogue, Relation
from engine.domain.ports import Advice, ServiceFacts
from recommender.dataset import NOT_OBTAINED, SENSITIVE, private
from recommender.train import Model, prior_model, signals

_CLASSES = {"prerequisite": 3.0, "bundle": 2.0}


class NextServices:
    """Satisfies `engine.domain.ports.Recommender`."""

    def __init__(self, catalogue: Catalogue, model: Model) -> None:
        if set(model.services) != set(catalogue.services):
            # Learned on another catalogue: its rows and columns name other services.
            model = prior_model(catalogue)
        self._catalogue, self._model = catalogue, model
        self._private = private(catalogue)
        self._index = {code: number for number, code in enumerate(model.services)}
        self._relations: dict[tuple[str, str], Relation] = {
            (relation.source, relation.target): relation for relation in catalogue.relations
        }
        self.version = model.version

    def suggest(
        self, service: str, history: list[ServiceFacts], audience: str | None, limit: int = 3
    ) -> list[Advice]:
        """At most `limit` services after `service`, best first; none that is open or done.

        `history` are all the person's cases, oldest first. Order of evidence: a prerequisite met,
        the same bundle begun, then what others did; within a class by learned score.
        """
        taken = {facts.service for facts in history if facts.state != "withdrawn"} | {service}
        done = self._done(service, history)
        values = signals(self._model, self._catalogue, done)
        scores = values @ np.array(self._model.weights)
        advice = []
        for number, code in enumerate(self._model.services):
            if not self._allowed(code, taken, audience):
                continue
            reason, params, rank = self._evidence(code, number, done)
            if reason == "popular" and code in self._private:
                continue
            advice.append((rank, float(scores[number]), code, reason, params))
        advice.sort(key=lambda row: (-row[0], -row[1], row[2]))
        return [
            Advice(code, round(score, 6), reason, params)
            for rank, score, code, reason, params in advice[:limit]
            if score > 0
        ]

    def _done(self, service: str, history: list[ServiceFacts]) -> list[int]:
        """What the person has obtained, oldest first, `service` last."""
        codes = [facts.service for facts in history if facts.state == "closed" and _obtained(facts)]
        own = [facts for facts in history if facts.service == service]
        if not own or _obtained(own[-1]):
            codes.append(service)
        ordered = list(dict.fromkeys(reversed(codes)))[::-1]
        return [
            self._index[code] for code in ordered if code in self._index and code not in SENSITIVE
        ]

    def _allowed(self, code: str, taken: set[str], audience: str | None) -> bool:
        service = self._catalogue.services[code]
        fits = audience is None or audience in service.audience
        return fits and code not in taken and code not in SENSITIVE

    def _evidence(
        self, code: str, number: int, done: Sequence[int]
    ) -> tuple[str, dict[str, Any], float]:
        """The strongest reason with what its sentence needs, and its class."""
        sources = [self._model.services[each] for each in reversed(done)]
        best: tuple[float, Relation] | None = None
        for source in sources:
            relation = self._relations.get((source, code))
            if relation is not None:
                rank = _CLASSES.get(relation.type, 1.0)
                if best is None or rank > best[0]:
                    best = (rank, relation)
        if best is not None and best[0] > 1:
            reason = "prerequisite_done" if best[0] == 3 else "same_bundle"
            return reason, {"source": best[1].source}, best[0]
        for source, each in zip(sources, reversed(done), strict=True):
            if self._model.observed[each, number] > 0:
                return "often_next", {"source": source}, 1.0
        if best is not None:
            return "related", {"source": best[1].source}, 1.0
        for source in sources:
            common = set(self._catalogue.services[source].life_events) & set(
                self._catalogue.services[code].life_events
            )
            if common:
                return "same_life_event", {"event": min(common)}, 0.5
        return "popular", {}, 0.0


def _obtained(facts: ServiceFacts) -> bool:
    return facts.state != "withdrawn" and facts.outcome not in NOT_OBTAINED
