"""The cells of a decision table: FEEL's unary tests, and ``contains("x", "y")`` of our own."""

from __future__ import annotations

from engine.bpmn.decisions.table import Test
from engine.bpmn.feel import compile_unary_tests
from engine.bpmn.languages import LanguageUnknown, read_expression

_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}


def read_cell(text: str, language: str = "feel", known: frozenset[str] = frozenset()) -> Test:
    """The test of one cell. Raises ValueError for what is not understood.

    A lone word is a text without its quotes unless it is one of the `known` names.
    ``contains("a", "b")`` fits a text in which any of the words occurs.
    """
    text = _PYTHON_WORDS.get(text, text)
    if "${" in text or "#{" in text:
        condition = read_expression(text)
        return lambda value, data: condition.holds({**data, "cellInput": value})
    if "feel" not in language.lower() and language.lower() not in ("python", "juel"):
        raise LanguageUnknown(language)
    test = compile_unary_tests(text)
    if text.strip() in test.names - known:
        raise ValueError(text)
    return test
