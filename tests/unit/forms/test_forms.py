"""Forms: what is read, what is refused in form order, and how it is drawn."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.field_error import FieldError
from forms import (
    FormLibrary,
    answer_rows,
    error_message,
    read_submission,
    render_error_summary,
    render_fields,
)
from forms.formats import id_number_check, is_id_number, is_uscc, uscc_check

TEXT = {
    "": "表单", "title": "标题", "kind": "类别", "kind=road": "道路", "kind=water": "供水",
    "lamp": "路灯", "day": "日期", "agree": "我保证", "paper": "材料",
}  # fmt: skip
FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "properties": {
            "title": {"type": "string", "maxLength": 10},
            "kind": {"type": "string", "enum": ["road", "water"]},
            "lamp": {"type": "integer", "minimum": 1},
            "day": {"type": "string", "format": "date"},
            "paper": {"type": "string", "format": "banshi-file"},
            "agree": {"type": "boolean", "const": True},
        },
        "required": ["title", "kind"],
    },
    "ui": {"lamp": {"visibleIf": {"field": "kind", "eq": "road"}, "requiredWhenVisible": True}},
    "text": {"zh-CN": TEXT, "en": TEXT},
}
LIBRARY = FormLibrary()


def errors(answers: dict[str, Any]) -> list[tuple[str, str]]:
    return [(e.field, e.code) for e in LIBRARY.validate(FORM, answers)[1]]


def test_a_good_form_has_no_findings() -> None:
    form, findings = LIBRARY.check_form("forms/a.json", json.dumps(FORM).encode())
    assert form == FORM
    assert findings == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ui": {"lamp": {"visibleIf": {"field": "nowhere", "eq": 1}}}}, "field_unknown"),
        ({"ui": {"lamp": {"visibleIf": {"field": "kind", "like": "x"}}}}, "condition_unreadable"),
        ({"ui": {"pages": [{"id": "a", "fields": ["title"]}]}}, "field_misplaced"),
        ({"text": {"zh-CN": TEXT, "en": {}}}, "text_missing"),
        ({"text": {"zh-CN": TEXT}}, "form_part_missing"),
        ({"schema": {"properties": {"x": {"type": "object"}}}}, "field_kind_unknown"),
    ],
)
def test_a_wrong_form_is_refused(change: dict[str, Any], code: str) -> None:
    form, findings = LIBRARY.check_form("forms/a.json", json.dumps(FORM | change).encode())
    assert form is None
    assert code in {finding.code for finding in findings}


def test_errors_come_in_form_order() -> None:
    wrong = {"day": "2026-02-31", "kind": "road", "title": "x" * 11}
    assert errors(wrong) == [
        ("title", "too_long"),
        ("lamp", "required"),
        ("day", "date_unreadable"),
        ("agree", "required"),
    ]


def test_a_name_the_form_does_not_have_is_an_error() -> None:
    good = {"title": "a", "kind": "water", "agree": True}
    assert errors(good | {"admin": True}) == [("admin", "unknown_field")]


@given(st.integers(min_value=-5, max_value=5) | st.text(max_size=5))
def test_a_hidden_answer_is_never_kept(lamp: Any) -> None:
    answers = {"title": "a", "kind": "water", "agree": True, "lamp": lamp}
    kept, wrong = LIBRARY.validate(FORM, answers)
    assert "lamp" not in kept
    assert not wrong


def test_what_a_browser_sends_becomes_answers() -> None:
    pairs = [
        ("title", " 路灯\r\n坏了 "), ("kind", "road"), ("lamp", "３"), ("agree", "yes"),
        ("day-year", "2026"), ("day-month", "2"), ("day-day", "9"), ("foreign", "x"),
    ]  # fmt: skip
    assert read_submission(FORM, pairs) == {
        "title": "路灯\n坏了", "kind": "road", "lamp": 3, "day": "2026-02-09", "agree": True,
    }  # fmt: skip


def test_what_cannot_be_read_is_kept_as_typed() -> None:
    answers = read_submission(FORM, [("kind", "road"), ("lamp", "three")])
    assert answers["lamp"] == "three"
    assert ("lamp", "not_a_number") in errors(answers)


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.labels: set[str] = set()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "label" and values.get("for"):
            self.labels.add(str(values["for"]))


def test_every_input_has_a_label_and_every_error_leads_to_its_field() -> None:
    wrong = LIBRARY.validate(FORM, {"kind": "road"})[1]
    html = render_error_summary(FORM, wrong, "zh-CN") + render_fields(
        FORM, {"kind": "road", "paper": "d1"}, wrong, "zh-CN", files={"d1": "<b>.pdf"}
    )
    page = Page(str(html))
    ids = {str(values["id"]) for _, values in page.tags if values.get("id")}
    for tag, values in page.tags:
        if tag in ("input", "select", "textarea") and values.get("type") != "hidden":
            assert values["id"] in page.labels
        if tag == "a":
            assert str(values["href"]).removeprefix("#") in ids
        assert "style" not in values
        assert not any(name.startswith("on") for name in values)
    assert "&lt;b&gt;.pdf" in html
    assert ("input", {"type": "hidden", "name": "paper", "value": "d1"}) in page.tags


def test_answers_are_shown_in_words() -> None:
    rows = answer_rows(FORM, {"title": "a", "kind": "road", "agree": True}, "zh-CN")
    assert [(row.label, row.value) for row in rows][:2] == [("标题", "a"), ("类别", "道路")]
    assert rows[-1].value == "是"


def test_a_forms_own_words_for_an_error_come_first() -> None:
    own = {"zh-CN": TEXT | {"title!required": "标题是什么？"}, "en": TEXT}
    wrong = FieldError("title", "required", {})
    assert error_message(FORM | {"text": own}, wrong, "zh-CN") == "标题是什么？"
    assert error_message(FORM, wrong, "en") == "Enter “标题”"


@given(st.dates(min_value=__import__("datetime").date(1900, 1, 1)), st.integers(0, 999))
def test_identity_numbers_prove_themselves(born: Any, serial: int) -> None:
    if born.year > 2100:
        return
    first = f"110105{born:%Y%m%d}{serial:03d}"
    right = first + id_number_check(first)
    assert is_id_number(right)
    other = "0" if right[-1] != "0" else "1"
    assert not is_id_number(right[:-1] + other)


def test_organisation_codes_prove_themselves() -> None:
    code = "91350100M000100Y4"
    assert is_uscc(code + uscc_check(code))
    assert not is_uscc("91350100M000100Y44")
