"""The catalogue: the shipped data is whole, and people find services."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.domain.catalogue import Catalogue, read_catalogue

FILE = Path(__file__).parents[3] / "processes" / "catalogue.json"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(FILE.read_bytes())


def test_the_shipped_catalogue_is_whole(catalogue: Catalogue) -> None:
    assert len(catalogue.services) == 80
    assert len(catalogue.life_events) == 20
    assert len(catalogue.relations) == 138
    for service in catalogue.services.values():
        assert set(service.audience) <= {"person", "enterprise"}
        assert service.audience
        assert set(service.life_events) <= set(catalogue.life_events)
        assert all(service.name[locale].strip() for locale in ("zh-CN", "en"))
        assert all(service.department[locale].strip() for locale in ("zh-CN", "en"))
    assert all(0 < relation.prior <= 1 for relation in catalogue.relations)


def test_a_relation_to_an_unknown_service_is_refused() -> None:
    raw = json.loads(FILE.read_bytes())
    raw["relations"].append({"source": "S001", "target": "S999", "type": "next", "prior": 0.5})
    with pytest.raises(ValueError, match="S999"):
        read_catalogue(json.dumps(raw).encode())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("S031", "S031"),
        ("s031", "S031"),
        ("食品经营许可", "S031"),
        ("食品经营", "S031"),
        ("  food  BUSINESS ", "S031"),
        ("food busness licence", "S031"),  # a letter left out
        ("食品营业许可", "S031"),  # another word for it
        ("passport", "S076"),
        ("护照", "S076"),
        ("信息公开", "F001"),
        ("complaint", "C001"),
    ],
)
def test_people_find_what_they_mean(catalogue: Catalogue, text: str, code: str) -> None:
    assert catalogue.search(text, "zh-CN")[0].code == code


def test_a_life_event_finds_its_services(catalogue: Catalogue) -> None:
    found = {service.code for service in catalogue.search("open a restaurant", "en")}
    assert {"S031", "S032", "S033"} <= found


def test_nonsense_finds_nothing_and_nothing_finds_the_first(catalogue: Catalogue) -> None:
    assert catalogue.search("qzxv", "en") == []
    assert len(catalogue.search("", "en", limit=5)) == 5
    assert len(catalogue.search("登记", "zh-CN", limit=4)) == 4
