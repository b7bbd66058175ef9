"""Invented histories for trying things out. They follow the catalogue's priors and say nothing
about real citizens."""

from __future__ import annotations

import random
from collections import defaultdict

from engine.domain.catalogue import Catalogue
from recommender.dataset import SENSITIVE


def invented_histories(catalogue: Catalogue, people: int, seed: int = 1) -> list[list[str]]:
    """`people` histories: a random first service, then onwards along the relations."""
    rng = random.Random(seed)  # noqa: S311
    onward: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for relation in catalogue.relations:
        if relation.source != relation.target:
            onward[relation.source].append((relation.target, relation.prior))
    starts = sorted(code for code in onward if code not in SENSITIVE)
    made = []
    for _ in range(people):
        history = [rng.choice(starts)]
        while len(history) < 6:
            ahead = [
                (target, prior)
                for target, prior in onward[history[-1]]
                if target not in history and target not in SENSITIVE
            ]
            if not ahead or rng.random() > max(prior for _, prior in ahead):
                break
            targets, weights = zip(*ahead, strict=True)
            history.append(rng.choices(targets, weights)[0])
        made.append(history)
    return made
