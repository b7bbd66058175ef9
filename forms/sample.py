"""Answers made up for a form, so that a model can be tried without typing."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from engine.domain.ports import Form
from engine.domain.process import FormField
from forms.definition import Kind, fields_of


def sample_answers(form: Form, chance: random.Random) -> dict[str, Any]:
    """Answers for every field that needs no file, drawn from its choices and kind."""
    answers = {}
    for field in fields_of(form):
        value = _value(field.kind, tuple(field.choices), chance)
        if value is not None:
            answers[field.name] = value
    return answers


def sample_of_fields(fields: tuple[FormField, ...], chance: random.Random) -> dict[str, Any]:
    """Answers for the fields of a form drawn inside a model: defaults first."""
    return {field.name: _of_field(field, chance) for field in fields}


def _of_field(field: FormField, chance: random.Random) -> Any:
    if field.kind == "long":
        digits = (field.default or "").lstrip("-").isdigit()
        return int(field.default or 0) if digits else chance.randint(1, 100)
    if field.kind == "boolean":
        return field.default == "true" if field.default else chance.random() < 0.5
    if field.default:
        return field.default
    if field.choices:
        return chance.choice(field.choices)
    return _value(Kind.DATE if field.kind == "date" else Kind.TEXT, (), chance)


def _value(kind: Kind, choices: tuple[str, ...], chance: random.Random) -> Any:
    if choices:
        picked = chance.choice(choices)
        return [picked] if kind is Kind.CHOICES else picked
    if kind in (Kind.FILE, Kind.FILES, Kind.CHOICES, Kind.FIELDS):
        return None if kind is Kind.FILE else []
    made = {
        Kind.YES_NO: chance.random() < 0.5,
        Kind.DECLARATION: True,
        Kind.INTEGER: chance.randint(1, 100),
        Kind.NUMBER: round(chance.uniform(1, 100), 2),
        Kind.DATE: (date(2026, 1, 5) + timedelta(days=chance.randint(0, 365))).isoformat(),
        Kind.EMAIL: "citizen@example.com",
        Kind.PHONE: "13800138000",
    }
    return made.get(kind, "…")
