"""From what a browser sends to answers; what cannot be read is kept as it was typed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from engine.domain.ports import Form
from forms.definition import MULTIPLE, NUMERIC, Field, Kind, fields_of
from forms.formats import half_width

DATE_PARTS = ("year", "month", "day")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,6})?")
_NARROW = frozenset({Kind.EMAIL, Kind.PHONE, Kind.ID_NUMBER, Kind.USCC, *NUMERIC})


def read_submission(form: Form, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The answers in `pairs` of name and text. Empty ones are absent; foreign names are ignored."""
    given: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        given[name].append(_clean(value))
    answers = {}
    for field in fields_of(form):
        if field.readonly:
            continue
        answer = _answer(field, given)
        if answer not in (None, "", []):
            answers[field.name] = answer
    return answers


def _clean(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


def _answer(field: Field, given: dict[str, list[str]]) -> Any:
    values = [value for value in given.get(field.name, []) if value]
    if field.kind in MULTIPLE:
        return list(dict.fromkeys(values))
    if field.kind is Kind.DATE:
        return values[0] if values else _date(field.name, given)
    text = values[-1] if values else ""
    if field.kind in _NARROW:
        text = half_width(text)
    if field.kind is Kind.USCC:
        return text.upper()
    if field.kind is Kind.INTEGER and _INTEGER.fullmatch(text):
        return int(text)
    if field.kind is Kind.NUMBER and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if field.kind in (Kind.YES_NO, Kind.DECLARATION):
        return {"yes": True, "true": True, "on": True, "no": False, "false": False}.get(text)
    return text


def _date(name: str, given: dict[str, list[str]]) -> str:
    parts = [half_width((given.get(f"{name}-{part}") or [""])[-1]) for part in DATE_PARTS]
    if not any(parts):
        return ""
    year, month, day = parts
    return f"{year}-{month.zfill(2)}-{day.zfill(2)}"
