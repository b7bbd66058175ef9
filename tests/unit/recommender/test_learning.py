"""What is learned from histories, what is not, and whether it helps."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from engine.domain.catalogue import read_catalogue
from engine.domain.ports import ServiceFacts
from recommender import Model, NextServices, prior_model, train
from recommender.dataset import Completion, histories, private
from recommender.evaluate import evaluate
from recommender.synthetic import invented_histories
from recommender.train import FEWEST_PEOPLE

CATALOGUE = read_catalogue((Path(__file__).parents[3] / "processes/catalogue.json").read_bytes())
DAY = datetime(2026, 3, 2, tzinfo=UTC)


def after(model: Model, service: str) -> list[str]:
    facts = [ServiceFacts(service, "closed", "granted")]
    return [each.service for each in NextServices(CATALOGUE, model).suggest(service, facts, None)]


def test_with_no_data_the_relations_decide() -> None:
    model = prior_model(CATALOGUE)
    assert after(model, "S073")[:2] == ["S074", "S042"]
    assert not model.observed.any()


def test_many_people_shift_the_order() -> None:
    model = train(CATALOGUE, [["S073", "S076"]] * 300 + [["S073", "S042"]] * 200)
    assert after(model, "S073") == ["S076", "S042", "S074"]
    advice = NextServices(CATALOGUE, model).suggest("S073", [], None)
    assert next(each for each in advice if each.service == "S076").reason == "often_next"


def test_a_few_people_change_nothing() -> None:
    model = train(CATALOGUE, [["S073", "S076"]] * (FEWEST_PEOPLE - 1))
    prior = prior_model(CATALOGUE)
    assert np.array_equal(model.transition, prior.transition)
    assert np.array_equal(model.similarity, prior.similarity)
    assert np.array_equal(model.popularity, prior.popularity)
    assert after(model, "S073") == after(prior, "S073")
    assert train(CATALOGUE, [["S073", "S076"]] * FEWEST_PEOPLE).observed.any()


def test_private_and_sensitive_services_are_not_learned_from() -> None:
    rows = [["S073", "S065"], ["S065", "S076"], ["C001", "S076"], ["F001", "S073"]] * 500
    model = train(CATALOGUE, rows)
    assert not model.observed.any()
    assert not model.similarity.any()
    assert {"S057", "S060", "S065", "S067", "S068"} <= private(CATALOGUE)


def test_a_model_is_kept_as_plain_data() -> None:
    model = train(CATALOGUE, invented_histories(CATALOGUE, 500))
    stored = json.loads(json.dumps(model.as_mapping()))
    again = Model.from_mapping(stored)
    assert again.version == model.version
    for service in ("S031", "S055", "S073", "C001"):
        assert after(again, service) == after(model, service)


def test_the_version_names_the_inputs() -> None:
    rows = invented_histories(CATALOGUE, 50)
    assert train(CATALOGUE, rows).version == train(CATALOGUE, rows).version
    assert train(CATALOGUE, rows).version != train(CATALOGUE, rows[:-1]).version


def test_ten_thousand_histories_take_about_a_second() -> None:
    rows = invented_histories(CATALOGUE, 10_000)
    began = time.process_time()
    train(CATALOGUE, rows)
    assert time.process_time() - began < 5


def test_it_beats_popularity_on_invented_histories() -> None:
    measured = evaluate(CATALOGUE, invented_histories(CATALOGUE, 3_000))
    assert measured.people > 200
    assert measured.hit_rate > 2 * measured.popularity_hit_rate


def test_evaluation_of_nobody_is_zero() -> None:
    assert evaluate(CATALOGUE, []).hit_rate == 0


def test_invented_histories_are_reproducible() -> None:
    first = invented_histories(CATALOGUE, 100, seed=4)
    assert first == invented_histories(CATALOGUE, 100, seed=4)
    assert first != invented_histories(CATALOGUE, 100, seed=5)
    assert all(len(set(row)) == len(row) for row in first)


def test_a_history_is_in_order_each_service_once_and_nothing_sensitive() -> None:
    rows = [
        Completion("a", "S076", DAY + timedelta(days=9)),
        Completion("a", "S073", DAY),
        Completion("a", "S073", DAY + timedelta(days=20)),
        Completion("a", "C001", DAY + timedelta(days=1)),
        Completion("b", "S001", DAY),
        Completion("b", "X999", DAY),
    ]
    assert histories(rows, CATALOGUE.services) == [["S001"], ["S073", "S076"]]
