"""What the recommender may and may not suggest, whatever it has learned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.catalogue import read_catalogue
from engine.domain.ports import Advice, Recommender, ServiceFacts
from recommender import Model, NextServices, prior_model, reason_sentence, train
from recommender.dataset import SENSITIVE, private
from recommender.synthetic import invented_histories

CATALOGUE = read_catalogue((Path(__file__).parents[3] / "processes/catalogue.json").read_bytes())
PRIOR = NextServices(CATALOGUE, prior_model(CATALOGUE))
LEARNED = NextServices(CATALOGUE, train(CATALOGUE, invented_histories(CATALOGUE, 3_000)))
EITHER = pytest.mark.parametrize("recommender", [PRIOR, LEARNED], ids=["prior", "learned"])
CODES = st.sampled_from(sorted(CATALOGUE.services))
FACTS = st.builds(
    ServiceFacts,
    CODES,
    st.sampled_from(["open", "closed", "withdrawn"]),
    st.sampled_from([None, "granted", "refused"]),
)
AUDIENCES = st.sampled_from([None, "person", "enterprise"])


def closed(*codes: str) -> list[ServiceFacts]:
    return [ServiceFacts(code, "closed", "granted") for code in codes]


def codes_of(advice: list[Advice]) -> list[str]:
    return [each.service for each in advice]


def test_it_satisfies_the_engines_port() -> None:
    port: Recommender = PRIOR
    assert port.version


@EITHER
@settings(max_examples=150, deadline=None)
@given(service=CODES, history=st.lists(FACTS, max_size=12), audience=AUDIENCES)
def test_laws(
    recommender: NextServices, service: str, history: list[ServiceFacts], audience: str | None
) -> None:
    advice = recommender.suggest(service, history, audience)
    suggested = codes_of(advice)
    assert len(suggested) <= 3
    assert len(set(suggested)) == len(suggested)
    taken = {facts.service for facts in history if facts.state in ("open", "closed")}
    assert not set(suggested) & (taken | {service} | SENSITIVE)
    own = {facts.service for facts in history} | {service}
    for each in advice:
        assert audience is None or audience in CATALOGUE.services[each.service].audience
        assert each.params.get("source", service) in own - SENSITIVE | {service}
        for locale in ("zh-CN", "en"):
            sentence = reason_sentence(each.reason, each.params, CATALOGUE, locale)
            assert sentence
            assert "{" not in sentence
            assert "“”" not in sentence


@EITHER
def test_a_food_licence_leads_to_the_rest_of_the_restaurant(recommender: NextServices) -> None:
    advice = recommender.suggest("S031", closed("S031"), "enterprise")
    assert {"S032", "S033"} <= set(codes_of(advice))
    assert advice[0].params == {"source": "S031"}
    sentence = reason_sentence(advice[0].reason, advice[0].params, CATALOGUE, "en")
    assert "Food business licence" in sentence


@EITHER
@pytest.mark.parametrize("service", sorted(SENSITIVE))
def test_nothing_follows_from_a_sensitive_case(recommender: NextServices, service: str) -> None:
    without = recommender.suggest(service, closed(service), "person")
    assert len(without) == 3
    assert {each.reason for each in without} == {"popular"}
    with_own = recommender.suggest(service, closed("S055", service), "person")
    assert with_own[0].service == "S001"
    assert with_own[0].params == {"source": "S055"}


@EITHER
def test_private_services_are_never_called_popular(recommender: NextServices) -> None:
    for audience in ("person", "enterprise"):
        advice = recommender.suggest("C001", [], audience, limit=80)
        assert not set(codes_of(advice)) & private(CATALOGUE)


@EITHER
def test_a_refused_or_withdrawn_case_is_not_built_upon(recommender: NextServices) -> None:
    for ended in (
        ServiceFacts("S031", "closed", "refused"),
        ServiceFacts("S031", "open", "refused"),
        ServiceFacts("S031", "withdrawn", None),
    ):
        advice = recommender.suggest("S031", [ended], "enterprise")
        assert all("source" not in each.params for each in advice)


def test_a_withdrawn_service_may_be_suggested_again() -> None:
    withdrawn = ServiceFacts("S032", "withdrawn", None)
    advice = PRIOR.suggest("S031", [withdrawn, *closed("S031")], "enterprise")
    assert "S032" in codes_of(advice)


def test_a_met_prerequisite_comes_before_a_bundle_before_the_rest() -> None:
    reasons = [each.reason for each in PRIOR.suggest("S055", closed("S055"), "person")]
    assert reasons[:2] == ["prerequisite_done", "same_bundle"]


def test_a_model_of_another_catalogue_gives_way_to_the_prior() -> None:
    body = train(CATALOGUE, []).as_mapping()
    body["services"] = ["X999", *body["services"][1:]]
    foreign = NextServices(CATALOGUE, Model.from_mapping(body))
    assert foreign.version == PRIOR.version
    assert foreign.suggest("S031", closed("S031"), None) == PRIOR.suggest(
        "S031", closed("S031"), None
    )


def test_an_unknown_service_is_no_reason_to_fail() -> None:
    assert PRIOR.suggest("X999", closed("X998"), "person")


def test_the_reasons_are_the_same_in_both_languages() -> None:
    folder = Path(__file__).parents[3] / "recommender/texts"
    chinese, english = (
        json.loads((folder / f"{locale}.json").read_text()) for locale in ("zh-CN", "en")
    )
    assert chinese.keys() == english.keys()
