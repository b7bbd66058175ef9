"""One line in the reader's language that says why a service is suggested."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from engine.domain.catalogue import Catalogue
from engine.domain.locales import DEFAULT_LOCALE, LOCALES


@lru_cache
def _texts(locale: str) -> dict[str, str]:
    source = files("recommender").joinpath("texts", f"{locale}.json")
    texts: dict[str, str] = json.loads(source.read_text(encoding="utf-8"))
    return texts


def reason_sentence(
    reason: str, params: Mapping[str, Any], catalogue: Catalogue, locale: str
) -> str:
    """The sentence for a reason code; names of services and life events are filled in."""
    language = locale if locale in LOCALES else DEFAULT_LOCALE
    service = catalogue.services.get(str(params.get("source", "")))
    event = catalogue.life_events.get(str(params.get("event", "")))
    return _texts(language)[reason].format(
        source=service.name[language] if service else "",
        event=event.name[language] if event else "",
    )
