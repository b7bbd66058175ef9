"""Sentences in both languages, from `api/texts/<locale>.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from engine.domain.locales import LOCALES
from engine.domain.process import Finding

if TYPE_CHECKING:
    from engine.usecases.retry_incidents import Prospect


@lru_cache
def texts(locale: str) -> dict[str, str]:
    """The catalogue of the JSON interface in `locale`."""
    source = files("api").joinpath("texts", f"{locale}.json")
    catalogue: dict[str, str] = json.loads(source.read_text(encoding="utf-8"))
    return catalogue


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def say(locale: str, key: str, /, **params: Any) -> str:
    """The sentence `key` in `locale`; the key itself when it is missing, which tests refuse."""
    return (
        texts(locale if locale in LOCALES else LOCALES[0]).get(key, key).format_map(_Known(params))
    )


def clock_refusal(locale: str, params: Mapping[str, Any]) -> str:
    """Why a clock does not take a verb, and what it would take now."""
    verbs = [say(locale, f"clock.verb.{verb}") for verb in params.get("possible", ())]
    between = say(locale, "list.between")
    possible = say(locale, "clock.possible", verbs=between.join(verbs)) if verbs else ""
    why = say(locale, f"clock.refused.{params.get('why')}", **params)
    return say(locale, "problem.clock_verb_refused", why=why, possible=possible)


def finding_view(finding: Finding, locale: str) -> dict[str, Any]:
    """A finding with its sentence."""
    key = f"finding.{finding.code}"
    message = say(locale, key, **finding.params)
    return {
        "severity": finding.severity,
        "code": finding.code,
        "file": finding.file,
        "element": finding.element,
        "line": finding.line,
        "message": finding.code if message == key else message,
    }


def failure_view(error: Mapping[str, Any], locale: str) -> str:
    """Why a process could not go on, in one sentence; `error` holds reason, element and detail."""
    key = f"failure.{error.get('reason')}"
    known = say(locale, key, **error)
    if known == key:
        known = say(locale, "failure.unexpected", **error)
    return known


def prospect_view(prospect: Prospect, locale: str) -> str:
    """What taking up an incident would do, or has done, in one sentence."""
    if prospect.error is not None:
        error = {"reason": "", "element": prospect.element or "", "detail": "", **prospect.error}
        return failure_view(error, locale)
    key = f"retry.{prospect.result}"
    known = say(locale, key)
    return say(locale, f"problem.{prospect.result}") if known == key else known
