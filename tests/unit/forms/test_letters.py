"""Letters: rendered apart, bounded, and unable to reach anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from forms import JailedLetters, LetterFailed


@pytest.fixture(scope="module")
def letters() -> Iterator[JailedLetters]:
    made = JailedLetters()
    yield made
    made.close()


def test_the_first_line_is_the_subject_and_dates_are_in_words(letters: JailedLetters) -> None:
    context = {"case": {"due": date(2026, 2, 10)}, "applicant": {"name": "张伟"}}
    template = "回执\n\n{{ applicant.name }}：{{ case.due | date }}"
    made = letters.render(template, context, "zh-CN", {})
    assert (made.subject, made.body) == ("回执", "张伟：2026年2月10日")
    assert letters.render(template, context, "en", {}).body == "张伟：10 February 2026"


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10000000000 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ missing }}",
        "{% for i in 'abcdefghij' * 20000 %}{% for j in 'abcdefghij' * 20000 %}{% endfor %}{% endfor %}",  # noqa: E501
        "{{ 'x' | center(1000000000) }}",
    ],
)
def test_a_hostile_letter_fails_and_the_next_one_does_not(
    letters: JailedLetters, template: str
) -> None:
    with pytest.raises(LetterFailed):
        letters.render(template, {}, "en", {})
    assert letters.render("Fine", {}, "en", {}).subject == "Fine"


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{% include 'x' %}", "letter_part_refused"),
        ("{% macro a() %}{% endmacro %}", "letter_part_refused"),
        ("{{ 1 | tojson }}", "letter_filter_unknown"),
        ("{{ secret }}", "letter_name_unknown"),
        ("{% if %}", "letter_unreadable"),
        ("", "letter_unreadable"),
    ],
)
def test_a_wrong_letter_is_refused(letters: JailedLetters, template: str, code: str) -> None:
    assert [finding.code for finding in letters.check_letter("l", template.encode())] == [code]
