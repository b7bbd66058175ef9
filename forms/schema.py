"""Whether a form file is a form of our profile; everything that is wrong in it at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine.domain.ports import Form
from engine.domain.process import Finding
from forms.conditions import COMPARISONS, GROUPS, leaves
from forms.definition import LOCALES, CheckedForm, Kind, fields_of, kind_of

MAX_BYTES = 500_000
_WIDGETS = frozenset({"textarea", "radio", "select", "checkbox", "checkboxes", "file"})
_PROPERTIES = frozenset(
    {
        "type", "enum", "const", "format", "items", "title", "description",
        "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern",
        "uniqueItems",
    }
)  # fmt: skip


def check_form(file: str, content: bytes) -> tuple[Form | None, list[Finding]]:
    """The form, or None, with what is wrong in it."""
    try:
        if len(content) > MAX_BYTES:
            raise ValueError("too large")
        form = json.loads(content.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        return None, [Finding("form_unreadable", file, line=line, params={"reason": str(error)})]
    findings = list(_shape(file, form))
    if not findings:
        findings = [*_fields(file, form)]
    if not findings:
        findings = [*_pages(file, form), *_texts(file, form), *_conditions(file, form)]
    return (None if findings else CheckedForm(form)), findings


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} is given twice")
    return made


def _shape(file: str, form: Any) -> Iterator[Finding]:
    if not isinstance(form, Mapping):
        yield Finding("form_part_missing", file, params={"part": "schema"})
        return
    for part in ("schema", "ui", "text"):
        if not isinstance(form.get(part), Mapping):
            yield Finding("form_part_missing", file, params={"part": part})
    if isinstance(form.get("schema"), Mapping) and not isinstance(
        form["schema"].get("properties"), Mapping
    ):
        yield Finding("form_part_missing", file, params={"part": "schema.properties"})
    if isinstance(form.get("text"), Mapping):
        for locale in LOCALES:
            if not isinstance(form["text"].get(locale), Mapping):
                yield Finding("form_part_missing", file, params={"part": f"text.{locale}"})


def _fields(file: str, form: Form) -> Iterator[Finding]:
    for name, schema in form["schema"]["properties"].items():
        ui = form["ui"].get(name, {})
        if not name.isidentifier() or name.startswith("_") or name in ("csrf", "typename"):
            yield Finding("field_name_wrong", file, element=name)
        if not isinstance(schema, Mapping) or not isinstance(ui, Mapping):
            yield Finding("field_kind_unknown", file, element=name)
            continue
        if kind_of(schema, ui) is None:
            yield Finding("field_kind_unknown", file, element=name)
        for key in set(schema) - _PROPERTIES:
            yield Finding("field_setting_unknown", file, element=name, params={"setting": key})
        widget = ui.get("ui:widget")
        if widget is not None and widget not in _WIDGETS:
            yield Finding("field_setting_unknown", file, element=name, params={"setting": widget})
    for name in form["schema"].get("required", []):
        if name not in form["schema"]["properties"]:
            yield Finding("field_unknown", file, element=name, params={"field": name})


def _pages(file: str, form: Form) -> Iterator[Finding]:
    declared = form["ui"].get("pages")
    if declared is None:
        return
    placed = [name for page in declared for name in page.get("fields", ())]
    for name in placed:
        if name not in form["schema"]["properties"] or placed.count(name) > 1:
            yield Finding("field_misplaced", file, element=name, params={"field": name})
    for name in form["schema"]["properties"]:
        if name not in placed:
            yield Finding("field_misplaced", file, element=name, params={"field": name})


def _texts(file: str, form: Form) -> Iterator[Finding]:
    keys = [""]
    if any(name not in form["schema"]["properties"] for name in _placed(form)):
        return
    for page in form["ui"].get("pages", ()):
        keys.append(f"page:{page['id']}")
    for field in fields_of(form):
        keys.append(field.name)
        if field.kind in (Kind.CHOICE, Kind.CHOICES):
            keys += [f"{field.name}={choice}" for choice in field.choices]
    for locale in LOCALES:
        for key in keys:
            if not str(form["text"][locale].get(key) or "").strip():
                yield Finding(
                    "text_missing",
                    file,
                    element=key.split("=")[0] or None,
                    params={"key": key, "locales": locale},
                )


def _placed(form: Form) -> list[str]:
    return [name for page in form["ui"].get("pages", ()) for name in page.get("fields", ())]


def _conditions(file: str, form: Form) -> Iterator[Finding]:
    names = list(form["schema"]["properties"])
    for name in names:
        condition = form["ui"].get(name, {}).get("visibleIf")
        if condition is None:
            continue
        if not _readable(condition):
            yield Finding("condition_unreadable", file, element=name)
            continue
        for leaf in leaves(condition):
            if leaf["field"] not in names or leaf["field"] == name:
                yield Finding("field_unknown", file, element=name, params={"field": leaf["field"]})


def _readable(condition: Any, depth: int = 0) -> bool:
    if not isinstance(condition, Mapping) or depth > 8:
        return False
    groups = [group for group in GROUPS if group in condition]
    if groups:
        inner = condition[groups[0]]
        parts = [inner] if groups[0] == "not" else inner
        return len(condition) == 1 and all(_readable(part, depth + 1) for part in parts)
    operators = [name for name in COMPARISONS if name in condition]
    return isinstance(condition.get("field"), str) and len(operators) == len(condition) - 1 == 1
