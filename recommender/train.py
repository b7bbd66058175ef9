"""Learn from what citizens did, with the catalogue's relations as a prior.

Transitions: P(t | s) = (c(s, t) + K·prior(s, t)) / (n(s) + K), where c counts t among the next
`WINDOW` services after s, weighted `DECAY`**(distance - 1), n(s) is the sum of c(s, ·), and the
relations' priors stand for K observed people. A step taken by fewer than `FEWEST_PEOPLE` people is
not learned at all, so that nobody's own path can be read from a suggestion: there the prior alone
decides. With much data it fades. Private services are not learned from, whatever the number.

A logistic regression over four signals weighs them once enough people have a next service; before
that fixed weights hold, in which the relations dominate.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.domain.catalogue import Catalogue
from recommender.dataset import SENSITIVE, private

Matrix = NDArray[np.float64]
PSEUDO_PEOPLE = 20.0
FEWEST_PEOPLE = 20
WINDOW, DECAY = 3, 0.7
ENOUGH_EXAMPLES = 200
MOST_EXAMPLES = 2_000
FIXED_WEIGHTS = (1.0, 0.15, 0.1, 0.02)
"""Of transition, similarity, common life event and popularity, while too little is known."""
LEAST_WEIGHT = 0.001


@dataclass(frozen=True)
class Model:
    """Everything scoring needs, as plain numbers. Rows and columns follow `services`."""

    services: tuple[str, ...]
    transition: Matrix
    observed: Matrix
    similarity: Matrix
    popularity: NDArray[np.float64]
    weights: tuple[float, ...]
    examples: int
    version: str

    def as_mapping(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "services": list(self.services),
            "transition": self.transition.round(6).tolist(),
            "observed": self.observed.tolist(),
            "similarity": self.similarity.round(6).tolist(),
            "popularity": self.popularity.round(6).tolist(),
            "weights": list(self.weights),
            "examples": self.examples,
            "version": self.version,
        }

    @classmethod
    def from_mapping(cls, body: Mapping[str, Any]) -> Model:
        return cls(
            services=tuple(body["services"]),
            transition=np.array(body["transition"], dtype=float),
            observed=np.array(body["observed"], dtype=float),
            similarity=np.array(body["similarity"], dtype=float),
            popularity=np.array(body["popularity"], dtype=float),
            weights=tuple(body["weights"]),
            examples=int(body["examples"]),
            version=str(body["version"]),
        )


def prior_model(catalogue: Catalogue) -> Model:
    """The model of the first day: nothing observed, the relations decide."""
    return train(catalogue, [])


def train(catalogue: Catalogue, histories: Sequence[Sequence[str]]) -> Model:
    """Fit a model to `histories` (each person's services in order, each at most once)."""
    services = tuple(sorted(catalogue.services))
    index = {code: number for number, code in enumerate(services)}
    learned = set(services) - SENSITIVE - private(catalogue)
    rows = [[index[code] for code in history if code in learned] for history in histories]
    size = len(services)
    observed = _transitions(rows, size)
    prior = _prior(catalogue, index)
    people = observed.sum(axis=1, keepdims=True)
    transition = (observed + PSEUDO_PEOPLE * prior) / (people + PSEUDO_PEOPLE)
    taken = np.zeros((max(len(rows), 1), size))
    for person, row in enumerate(rows):
        taken[person, row] = 1.0
    lengths = np.linalg.norm(taken, axis=0)
    unit = taken / np.where(lengths == 0.0, 1.0, lengths)
    similarity = np.where(taken.T @ taken >= FEWEST_PEOPLE, unit.T @ unit, 0.0)
    np.fill_diagonal(similarity, 0.0)
    people_of = taken.sum(axis=0)
    popularity = np.where(people_of >= FEWEST_PEOPLE, people_of, 0.0)
    popularity += PSEUDO_PEOPLE * prior.sum(axis=0) / max(size, 1)
    popularity = popularity / max(float(popularity.sum()), 1.0)
    examples = [row for row in rows if len(row) > 1]
    body = json.dumps([services, rows, [vars(each) for each in catalogue.relations]])
    draft = Model(
        services,
        transition,
        observed,
        similarity,
        popularity,
        FIXED_WEIGHTS,
        len(examples),
        hashlib.sha256(body.encode()).hexdigest()[:16],
    )
    return _weighed(draft, catalogue, examples)


def signals(model: Model, catalogue: Catalogue, done: Sequence[int]) -> Matrix:
    """The four signals (columns) of every service (rows) for one who has `done` these, in order."""
    recent = list(reversed(done))[:WINDOW]
    weights = np.array([DECAY**distance for distance in range(len(recent))])
    transition = (
        (weights[:, None] * model.transition[recent]).max(axis=0)
        if recent
        else np.zeros(len(model.services))
    )
    similarity = (
        model.similarity[list(done)].max(axis=0) if len(done) else np.zeros(len(model.services))
    )
    begun = {
        event for each in done for event in catalogue.services[model.services[each]].life_events
    }
    common = np.array(
        [bool(begun & set(catalogue.services[code].life_events)) for code in model.services]
    )
    return np.column_stack([transition, similarity, common.astype(float), model.popularity])


def _transitions(rows: Sequence[Sequence[int]], size: int) -> Matrix:
    counts, people = np.zeros((size, size)), np.zeros((size, size))
    for row in rows:
        for position, source in enumerate(row):
            for distance, target in enumerate(row[position + 1 : position + 1 + WINDOW]):
                counts[source, target] += DECAY**distance
                people[source, target] += 1
    return np.where(people >= FEWEST_PEOPLE, counts, 0.0)


def _prior(catalogue: Catalogue, index: Mapping[str, int]) -> Matrix:
    prior = np.zeros((len(index), len(index)))
    for relation in catalogue.relations:
        if relation.source != relation.target:
            prior[index[relation.source], index[relation.target]] = relation.prior
    return prior


def _weighed(model: Model, catalogue: Catalogue, examples: Sequence[Sequence[int]]) -> Model:
    if len(examples) < ENOUGH_EXAMPLES:
        return model
    # Loading it takes most of a second and 60 MB, which a process that only suggests can spare.
    from sklearn.linear_model import LogisticRegression

    chosen = np.random.default_rng(7).permutation(len(examples))[:MOST_EXAMPLES]
    inputs, targets = [], []
    open_to_all = np.array([code not in SENSITIVE for code in model.services])
    for number in chosen:
        *done, target = examples[number]
        possible = open_to_all.copy()
        possible[done] = False
        possible[target] = True
        inputs.append(signals(model, catalogue, done)[possible])
        targets.append(np.flatnonzero(possible) == target)
    fitted = LogisticRegression(C=1.0, max_iter=200).fit(np.vstack(inputs), np.concatenate(targets))
    # A signal can only speak for a service, never against it: reasons would be lies otherwise.
    # And each keeps a say, or somebody without a history would be offered nothing.
    weights = tuple(float(max(weight, LEAST_WEIGHT)) for weight in fitted.coef_[0])
    return Model(**{**vars(model), "weights": weights})
