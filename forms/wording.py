"""The forms' own sentences: the form's text first, then the catalogue's."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from engine.domain.field_error import FieldError
from engine.domain.ports import Form
from forms.definition import LOCALES, TICKED, Kind, fields_of, label_of, text_of

_CHOSEN = frozenset({Kind.CHOICE, Kind.CHOICES, Kind.FIELDS, Kind.YES_NO})


@lru_cache
def _texts(locale: str) -> dict[str, str]:
    name = locale if locale in LOCALES else LOCALES[0]
    source = files("forms").joinpath("texts", f"{name}.json")
    texts: dict[str, str] = json.loads(source.read_text(encoding="utf-8"))
    return texts


def say(locale: str, key: str, **params: Any) -> str:
    """The catalogue's sentence `key`."""
    return _texts(locale)[key].format(**params)


def error_message(form: Form | None, error: FieldError, locale: str) -> str:
    """The sentence of one error; a form's own ``field!code`` comes first."""
    label = label_of(form, locale, error.field) if form else error.field
    if form is not None and (own := text_of(form, locale, f"{error.field}!{error.code}")):
        return own
    key = f"error.{error.code}"
    if error.code == "required" and form is not None:
        kinds = {field.name: field.kind for field in fields_of(form)}
        kind = kinds.get(error.field)
        if kind is Kind.DECLARATION:
            key = "error.must_agree"
        elif kind in _CHOSEN | TICKED:
            key = "error.required.choice"
        elif kind in (Kind.FILE, Kind.FILES):
            key = "error.required.file"
    known = _texts(locale)
    return known.get(key, known["error.pattern"]).format(**{"label": label, **error.params})
