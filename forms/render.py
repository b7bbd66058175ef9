"""The one renderer: forms as accessible HTML for the portal and for staff tasks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from engine.domain.field_error import FieldError
from engine.domain.ports import Form
from forms.conditions import holds, settle, visible_answers
from forms.definition import (
    RADIO_AT_MOST,
    Field,
    Kind,
    fields_of,
    label_of,
    text_of,
)
from forms.submission import DATE_PARTS
from forms.wording import error_message, say


@dataclass(frozen=True)
class AnswerRow:
    """One answered field for reading: its label, its value in words, and its page."""

    field: str
    label: str
    value: str
    page: str


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("forms", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_fields(
    form: Form,
    answers: Mapping[str, Any],
    errors: Iterable[FieldError],
    locale: str,
    page: str | None = None,
    only: Iterable[str] | None = None,
    start_form: Form | None = None,
    data: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> Markup:
    """The fields of a page (or all, or `only` these) with what was answered so far.

    `files` names uploaded documents by id; `data` is what read-only fields show.
    """
    messages = {error.field: error_message(form, error, locale) for error in reversed([*errors])}
    wanted = None if only is None else set(only)
    shown = [
        field
        for field in fields_of(form)
        if page in (None, field.page) and (wanted is None or field.name in wanted)
    ]
    names = {field.name for field in shown}
    context = _Context(form, answers, messages, locale, start_form, data or {}, files or {}, names)
    views = [context.view(field) for field in shown if context.possible(field)]
    template = _environment().get_template("fields.html.j2")
    return Markup(template.render(fields=views, say=context.say))  # noqa: S704 - autoescaped


def render_error_summary(form: Form, errors: Iterable[FieldError], locale: str) -> Markup:
    """The summary at the top: each line says what to do and leads to its field."""
    rows = [(error.field, error_message(form, error, locale)) for error in errors]
    template = _environment().get_template("error_summary.html.j2")
    html = template.render(rows=rows, title=say(locale, "summary.title"))
    return Markup(html)  # noqa: S704 - autoescaped


def answer_rows(
    form: Form,
    answers: Mapping[str, Any],
    locale: str,
    page: str | None = None,
    start_form: Form | None = None,
    files: Mapping[str, str] | None = None,
) -> list[AnswerRow]:
    """The visible fields with their answers in words, for checking and for the record."""
    visible, _ = visible_answers(form, answers)
    return [
        AnswerRow(
            field.name,
            label_of(form, locale, field.name),
            display(form, field, answers.get(field.name), locale, start_form, files or {}),
            field.page,
        )
        for field in fields_of(form)
        if field.name in visible and not field.readonly and page in (None, field.page)
    ]


def display(
    form: Form,
    field: Field,
    answer: Any,
    locale: str,
    start_form: Form | None,
    files: Mapping[str, str],
) -> str:
    """One answer in words."""
    if answer in (None, "", []):
        return say(locale, "not_provided")
    if isinstance(answer, bool):
        return say(locale, "yes" if answer else "no")
    joined = "、" if locale == "zh-CN" else ", "
    values = answer if isinstance(answer, list) else [answer]
    if field.kind is Kind.FIELDS:
        source = start_form or form
        return joined.join(label_of(source, locale, str(value)) for value in values)
    if field.kind in (Kind.FILE, Kind.FILES):
        return joined.join(files.get(str(value), str(value)) for value in values)
    texts = [text_of(form, locale, f"{field.name}={value}") or str(value) for value in values]
    return joined.join(texts)


@dataclass(frozen=True)
class _Context:
    form: Form
    answers: Mapping[str, Any]
    messages: Mapping[str, str]
    locale: str
    start_form: Form | None
    data: Mapping[str, Any]
    files: Mapping[str, str]
    names: set[str]

    def say(self, key: str, **params: Any) -> str:
        return say(self.locale, key, **params)

    def possible(self, field: Field) -> bool:
        """Whether the field could still be asked for; decided by pages already answered."""
        if field.condition is None:
            return True
        settled = settle(field.condition, self.names, self.answers)
        return bool(_open_ended(settled) or holds(settled, self.answers))

    def view(self, field: Field) -> dict[str, Any]:
        answer = self.answers.get(field.name)
        view = {
            "name": field.name,
            "id": f"f-{field.name}",
            "kind": str(field.kind),
            "label": label_of(self.form, self.locale, field.name),
            "hint": text_of(self.form, self.locale, f"{field.name}.hint") or self._own_hint(field),
            "error": self.messages.get(field.name),
            "required": field.wanted,
            "readonly": field.readonly,
            "answer": answer,
            "value": "" if answer is None or isinstance(answer, list) else str(answer),
            "condition": self._condition(field),
            "options": self._options(field, answer),
            "select": self._is_select(field),
            "rows": field.options.get("rows", 5),
            "maxlength": field.schema.get("maxLength"),
            "parts": self._date_parts(field, answer),
            "kept": self._kept(field, answer),
            "shown": self._shown(field),
        }
        return view

    def _own_hint(self, field: Field) -> str | None:
        return self.say("file.hint") if field.kind in (Kind.FILE, Kind.FILES) else None

    def _condition(self, field: Field) -> str | None:
        if field.condition is None:
            return None
        settled = settle(field.condition, self.names, self.answers)
        return json.dumps(settled, ensure_ascii=False) if _open_ended(settled) else None

    def _is_select(self, field: Field) -> bool:
        widget = field.ui.get("ui:widget")
        return widget == "select" or (widget != "radio" and len(field.choices) > RADIO_AT_MOST)

    def _options(self, field: Field, answer: Any) -> list[dict[str, Any]]:
        chosen = answer if isinstance(answer, list) else [answer]
        if field.kind is Kind.FIELDS:
            source = self.start_form or self.form
            pairs = [
                (each.name, label_of(source, self.locale, each.name))
                for each in fields_of(source)
                if not each.readonly and each.kind is not Kind.DECLARATION
            ]
        elif field.kind is Kind.YES_NO:
            chosen = {True: ["yes"], False: ["no"]}.get(answer, []) if answer is not None else []
            pairs = [("yes", self.say("yes")), ("no", self.say("no"))]
        else:
            pairs = [
                (str(value), text_of(self.form, self.locale, f"{field.name}={value}") or str(value))
                for value in field.choices
            ]
        texts = [str(each) for each in chosen if each is not None]
        return [
            {"value": value, "label": label, "chosen": value in texts} for value, label in pairs
        ]

    def _date_parts(self, field: Field, answer: Any) -> list[dict[str, str]]:
        if field.kind is not Kind.DATE:
            return []
        pieces = [*str(answer or "").split("-"), "", "", ""][:3]
        return [
            {"name": f"{field.name}-{part}", "label": self.say(part), "value": piece.lstrip("0")}
            for part, piece in zip(DATE_PARTS, pieces, strict=True)
        ]

    def _kept(self, field: Field, answer: Any) -> list[dict[str, str]]:
        if field.kind not in (Kind.FILE, Kind.FILES) or not answer:
            return []
        values = answer if isinstance(answer, list) else [answer]
        return [{"id": str(v), "name": self.files.get(str(v), str(v))} for v in values]

    def _shown(self, field: Field) -> str:
        path = field.options.get("showData")
        if not path:
            return ""
        value: Any = self.data
        for part in str(path).split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return "" if value is None else str(value)


def _open_ended(condition: Mapping[str, Any]) -> bool:
    """Whether a settled condition still depends on a field of the page."""
    if "field" in condition:
        return True
    parts = [*condition.get("all", ()), *condition.get("any", ())]
    if "not" in condition:
        parts.append(condition["not"])
    return any(_open_ended(part) for part in parts)
