"""Working calendars in words: what is wrong with one, and why a date is what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from api.sentences import say
from engine.domain.explain import Run
from engine.domain.field_error import FieldError

MOST_ERRORS = 20
"""A file that is wrong throughout is not listed line by line."""


def calendar_errors(wrong: Iterable[FieldError], locale: str) -> list[dict[str, Any]]:
    """What is wrong, by field; with the line for what came in a file."""
    return [
        {"field": each.field, "code": each.code, "message": _message(each, locale)}
        for each in list(wrong)[:MOST_ERRORS]
    ]


def _message(wrong: FieldError, locale: str) -> str:
    what = say(locale, f"calendar.{wrong.code}", **wrong.params)
    line = wrong.params.get("line")
    return say(locale, "calendar.line", line=line, what=what) if line else what


def in_locale(text: Mapping[str, str], locale: str) -> str:
    """The text in the reader's language, or in the one it has; empty without any."""
    return text.get(locale) or next(iter(text.values()), "")


def run_sentence(run: Run, locale: str) -> str:
    """One line of an explanation, without its days: ``days 5–8 counted``."""
    name = in_locale(run.name, locale)
    key = f"explain.{run.kind}"
    params: dict[str, Any] = {"name": name}
    if run.hours is not None:
        key, params["hours"] = f"{key}.hours", f"{run.hours:.2f}".rstrip("0").rstrip(".")
    elif run.numbers is not None and run.numbers[0] != run.numbers[1]:
        key, params["first"], params["last"] = f"{key}.days", *run.numbers
    elif run.numbers is not None:
        params["number"] = run.numbers[0]
    elif run.kind == "holiday" and not name:
        key = f"{key}.unnamed"
    sentence = say(locale, key, **params)
    return sentence + (say(locale, "explain.provisional") if run.provisional else "")


def run_view(run: Run, locale: str) -> dict[str, Any]:
    """One line of an explanation as plain data, with its sentence."""
    return {
        "first": run.first,
        "last": run.last,
        "kind": run.kind,
        "numbers": list(run.numbers) if run.numbers else None,
        "hours": run.hours,
        "name": in_locale(run.name, locale) or None,
        "provisional": run.provisional,
        "text": run_sentence(run, locale),
    }


def dated(day: date, locale: str) -> str:
    """``2026-03-16 Mon``."""
    return f"{day} {say(locale, f'weekday.{day.weekday()}')}"
