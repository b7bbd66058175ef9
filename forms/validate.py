"""Which answers are kept and what is wrong with them, in the order of the form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs

from engine.domain.field_error import FieldError
from engine.domain.ports import Form
from forms.conditions import is_blank, visible_answers
from forms.definition import NUMERIC, Field, Kind, fields_of
from forms.formats import is_document_id, is_id_number, is_phone, is_uscc

_OWN_FORMATS = {
    Kind.FILE: (is_document_id, "file_missing"),
    Kind.ID_NUMBER: (is_id_number, "id_number_wrong"),
    Kind.USCC: (is_uscc, "uscc_wrong"),
    Kind.PHONE: (is_phone, "phone_unreadable"),
}
_CODES = {
    "MinLength": ("too_short", "limit"),
    "MaxLength": ("too_long", "limit"),
    "Minimum": ("too_small", "limit"),
    "Maximum": ("too_large", "limit"),
    "MinItems": ("too_few", "limit"),
    "MaxItems": ("too_many", "limit"),
    "Enum": ("not_an_option", None),
    "Constant": ("must_agree", None),
    "Pattern": ("pattern", None),
}


def validate(
    form: Form,
    answers: Mapping[str, Any],
    start_form: Form | None = None,
    page: str | None = None,
) -> tuple[dict[str, Any], list[FieldError]]:
    """The answers to keep and the errors in form order, of one page or of the whole form.

    Answers to hidden fields are dropped. A name the form does not have is an error.
    """
    visible, kept = visible_answers(form, answers)
    fields = fields_of(form)
    errors: list[FieldError] = []
    for field in fields:
        if field.name not in visible or field.readonly or page not in (None, field.page):
            continue
        answer = kept.get(field.name)
        if is_blank(answer):
            if field.wanted:
                errors.append(FieldError(field.name, "required", {}))
        else:
            errors += _wrong(field, answer, start_form)
    if page is None:
        known = {field.name for field in fields}
        errors += [FieldError(n, "unknown_field", {}) for n in answers if n not in known]
    return kept, errors


def _wrong(field: Field, answer: Any, start_form: Form | None) -> list[FieldError]:
    """At most one error a field: the first that a person can do something about."""
    if field.kind is Kind.FIELDS:
        choices = set(start_form["schema"]["properties"]) if start_form else None
        if not isinstance(answer, list) or (choices is not None and set(answer) - choices):
            return [FieldError(field.name, "not_an_option", {})]
    if field.kind is Kind.FILES and not (
        isinstance(answer, list) and all(isinstance(x, str) and is_document_id(x) for x in answer)
    ):
        return [FieldError(field.name, "file_missing", {})]
    own = _OWN_FORMATS.get(field.kind)
    if own is not None and (not isinstance(answer, str) or not own[0](answer)):
        return [FieldError(field.name, own[1], {})]
    for error in _validator_of(field).iter_errors(answer):
        return [_translated(field, error)]
    return []


def _validator_of(field: Field) -> Any:
    # Compiling a schema takes longer than all else that is done with an answer; a field that is
    # kept, keeps its own.
    made = field.__dict__.get("validator")
    if made is None:
        made = field.__dict__["validator"] = _validator(_schema(field))
    return made


def _schema(field: Field) -> str:
    schema = dict(field.schema)
    schema.pop("title", None)
    if field.kind in _OWN_FORMATS:
        schema.pop("format", None)
    if isinstance(schema.get("items"), Mapping):
        items = {key: value for key, value in schema["items"].items() if key != "format"}
        schema["items"] = items
    return json.dumps(schema)


@lru_cache(maxsize=4096)
def _validator(schema: str) -> Any:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), validate_formats=True)


def _translated(field: Field, error: Any) -> FieldError:
    kind = type(error.kind).__name__.removeprefix("ValidationErrorKind_")
    if kind == "Format":
        code = "email_unreadable" if field.kind is Kind.EMAIL else "date_unreadable"
        return FieldError(field.name, code, {})
    if kind == "Type":
        code = "not_a_number" if field.kind in NUMERIC else "not_an_option"
        return FieldError(field.name, code, {})
    code, param = _CODES.get(kind, ("pattern", None))
    return FieldError(field.name, code, {param: getattr(error.kind, param)} if param else {})
