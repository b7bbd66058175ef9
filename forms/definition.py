"""The fields and pages of a published form, read once and shared by validator and renderer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from engine.domain.ports import Form

LOCALES = ("zh-CN", "en")
ONE_PAGE = "main"
"""Id of the only page of a form that declares no pages."""

RADIO_AT_MOST = 7
"""More choices than this are offered as a drop-down list."""


class Kind(StrEnum):
    """What a person does in a field; it follows from the field's schema and widget."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    EMAIL = "email"
    DATE = "date"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    USCC = "uscc"
    NUMBER = "number"
    INTEGER = "integer"
    YES_NO = "yes_no"
    DECLARATION = "declaration"
    CHOICES = "choices"
    FIELDS = "fields"
    FILE = "file"
    FILES = "files"


FORMATS = {
    "date": Kind.DATE,
    "email": Kind.EMAIL,
    "banshi-file": Kind.FILE,
    "banshi-id-number": Kind.ID_NUMBER,
    "banshi-uscc": Kind.USCC,
    "banshi-phone": Kind.PHONE,
}

NUMERIC = frozenset({Kind.NUMBER, Kind.INTEGER})
MULTIPLE = frozenset({Kind.CHOICES, Kind.FIELDS, Kind.FILES})
TICKED = frozenset({Kind.YES_NO, Kind.DECLARATION})


@dataclass(frozen=True)
class Field:
    """One field of a form, with where it stands."""

    name: str
    kind: Kind
    schema: Mapping[str, Any]
    ui: Mapping[str, Any]
    page: str
    required: bool

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The values the form itself offers; empty for every other kind of field."""
        source = self.schema["items"] if self.kind is Kind.CHOICES else self.schema
        return tuple(source.get("enum", ()))

    @cached_property
    def condition(self) -> Mapping[str, Any] | None:
        """When the field is asked for; None means always."""
        return self.ui.get("visibleIf")

    @cached_property
    def readonly(self) -> bool:
        """Shows earlier data and is never submitted."""
        return bool(self.ui.get("readonly")) or "showData" in self.options

    @cached_property
    def options(self) -> Mapping[str, Any]:
        options: Mapping[str, Any] = self.ui.get("ui:options", {})
        return options

    @cached_property
    def wanted(self) -> bool:
        """Must be answered whenever it is visible. A declaration always must."""
        if self.readonly:
            return False
        return (
            self.required
            or self.kind is Kind.DECLARATION
            or bool(self.ui.get("requiredWhenVisible"))
        )


@dataclass(frozen=True)
class Page:
    id: str
    fields: tuple[str, ...]


def kind_of(schema: Mapping[str, Any], ui: Mapping[str, Any]) -> Kind | None:
    """The kind of a field, or None when the profile has no such field."""
    match schema.get("type"):
        case "string":
            return _kind_of_string(schema, ui)
        case "number":
            return Kind.NUMBER
        case "integer":
            return Kind.INTEGER
        case "boolean":
            return Kind.DECLARATION if schema.get("const") is True else Kind.YES_NO
        case "array":
            return _kind_of_array(schema, ui)
        case _:
            return None


def _kind_of_string(schema: Mapping[str, Any], ui: Mapping[str, Any]) -> Kind | None:
    if "enum" in schema:
        return None if "format" in schema else Kind.CHOICE
    if "format" in schema:
        named = schema["format"]
        return FORMATS.get(named) if isinstance(named, str) else None
    return Kind.LONG_TEXT if ui.get("ui:widget") == "textarea" else Kind.TEXT


def _kind_of_array(schema: Mapping[str, Any], ui: Mapping[str, Any]) -> Kind | None:
    items = schema.get("items")
    options = ui.get("ui:options")
    if isinstance(options, Mapping) and "fieldsOf" in options:
        return Kind.FIELDS
    if not isinstance(items, Mapping) or items.get("type") != "string":
        return None
    if "enum" in items:
        return Kind.CHOICES
    return Kind.FILES if items.get("format") == "banshi-file" else None


def pages_of(form: Form) -> tuple[Page, ...]:
    """The pages in order; a form without pages has one, `ONE_PAGE`."""
    declared = form["ui"].get("pages")
    if declared:
        return tuple(Page(page["id"], tuple(page["fields"])) for page in declared)
    names = form["ui"].get("ui:order") or form["schema"]["properties"]
    return (Page(ONE_PAGE, tuple(names)),)


class CheckedForm(dict[str, Any]):
    """A form that was found in order; its fields are worked out once."""

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return _fields(self)


def fields_of(form: Form) -> tuple[Field, ...]:
    """Every field of a checked form, in form order."""
    return form.fields if isinstance(form, CheckedForm) else _fields(form)


def _fields(form: Form) -> tuple[Field, ...]:
    properties = form["schema"]["properties"]
    required = set(form["schema"].get("required", ()))
    found = []
    for page in pages_of(form):
        for name in page.fields:
            ui = form["ui"].get(name, {})
            kind = kind_of(properties[name], ui)
            assert kind is not None, name  # noqa: S101 -- a published form was checked
            found.append(Field(name, kind, properties[name], ui, page.id, name in required))
    return tuple(found)


def text_of(form: Form, locale: str, key: str) -> str | None:
    """The form's own text for `key` ("title", "title.hint", "kind=road", "page:about", …)."""
    found = form["text"].get(locale, {}).get(key)
    return found if isinstance(found, str) else None


def label_of(form: Form, locale: str, name: str) -> str:
    """What the field is called, or its name when the form has no such field."""
    return text_of(form, locale, name) or name


def page_title(form: Form, page: str, locale: str) -> str:
    """The heading of a page; a page without its own text has the form's title."""
    return text_of(form, locale, f"page:{page}") or form_title(form, locale)


def form_title(form: Form, locale: str) -> str:
    return text_of(form, locale, "") or ""
