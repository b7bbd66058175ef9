"""Typed values there and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.engine_rest.errors import RestError
from api.engine_rest.typed import instant, read_variables, typed_value
from engine.domain.variables import Note, SentFile


def there_and_back(sent: dict[str, Any]) -> dict[str, Any]:
    read = read_variables({"v": sent})
    return typed_value(read.values["v"], read.notes.get("v"))


SAME: list[tuple[str, Any]] = [
    ("String", "海州"),
    ("String", ""),
    ("Integer", -(2**31)),
    ("Long", 2**40),
    ("Long", 5),
    ("Short", 12),
    ("Double", 1.5),
    ("Double", 2.0),
    ("Boolean", False),
    ("Json", '{"a": [1, null]}'),
    ("Json", '"text"'),
    ("Json", "5"),
    ("Date", "2026-11-24T10:00:00.123+0000"),
    ("Null", None),
    ("Bytes", "YWJj"),
    ("Xml", "<a/>"),
]


@pytest.mark.parametrize(("kind", "value"), SAME)
def test_what_goes_in_comes_out(kind: str, value: Any) -> None:
    for written in (kind, kind.lower(), kind.upper()):
        made = there_and_back({"type": written, "value": value})
        assert (made["type"], made["value"]) == (kind, value)
        assert type(made["value"]) is type(value)


INFERRED: list[tuple[Any, str]] = [
    ("a", "String"), (1, "Integer"), (2**31, "Long"), (1.5, "Double"), (True, "Boolean"),
    (None, "Null"), ([1], "Json"), ({"a": 1}, "Json"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind"), INFERRED)
def test_a_value_without_a_type_tells_its_own(value: Any, kind: str) -> None:
    assert there_and_back({"value": value})["type"] == kind


CHANGED: list[tuple[str, Any, Any]] = [
    ("Integer", "7", 7),
    ("Integer", 7.0, 7),
    ("Double", 7, 7.0),
    ("Boolean", "TRUE", True),
    ("String", 5, "5"),
    ("Json", {"a": 1}, '{"a": 1}'),
    ("Date", "2026-11-24T12:00:00+0200", "2026-11-24T10:00:00.000+0000"),
    ("Date", "2026-11-24T10:00:00", "2026-11-24T10:00:00.000+0000"),
]


@pytest.mark.parametrize(("kind", "value", "made"), CHANGED)
def test_what_is_meant_is_understood(kind: str, value: Any, made: Any) -> None:
    assert there_and_back({"type": kind, "value": value})["value"] == made


WRONG: list[Any] = [
    5,
    {"type": "Integer", "value": "x"},
    {"type": "Integer", "value": 2**31},
    {"type": "Integer", "value": True},
    {"type": "Short", "value": 40_000},
    {"type": "Long", "value": 2**63},
    {"type": "Long", "value": "9" * 5000},
    {"type": "Double", "value": "x"},
    {"type": "Double", "value": "NaN"},
    {"type": "Boolean", "value": "yes"},
    {"type": "String", "value": {}},
    {"type": "Json", "value": "{"},
    {"type": "Json", "value": "NaN"},
    {"type": "Json", "value": "[" * 100_000},
    {"type": "Date", "value": "tomorrow"},
    {"type": "Bytes", "value": "%"},
    {"type": "File", "value": "YQ=="},
    {"type": "Tree", "value": "oak"},
    {"value": 1, "valueInfo": 5},
]


@pytest.mark.parametrize("sent", WRONG, ids=lambda sent: str(sent)[:50])
def test_what_cannot_be_read_names_its_variable(sent: Any) -> None:
    with pytest.raises(RestError, match="'v'"):
        read_variables({"v": sent})
    with pytest.raises(RestError, match="must be an object"):
        read_variables([sent])


def test_a_file_keeps_what_is_known_of_it() -> None:
    info = {"filename": "a.pdf", "mimetype": "application/pdf", "encoding": "UTF-8"}
    read = read_variables({"v": {"type": "file", "value": "YWJj", "valueInfo": info}})
    sent = read.values["v"]
    assert isinstance(sent, SentFile)
    assert (sent.name, sent.content) == ("a.pdf", b"abc")
    made = typed_value("id of the document", read.notes["v"])
    assert (made["type"], made["value"]) == ("File", None)
    assert made["valueInfo"]["filename"] == "a.pdf"
    assert made["valueInfo"]["mimeType"] == made["valueInfo"]["mimetype"] == "application/pdf"


@pytest.mark.parametrize(
    ("value", "note"),
    [("x", "date"), ("x", "long"), (2**20, "short"), (5, "bytes"), (True, "long")],
)
def test_a_note_that_no_longer_fits_is_passed_over(value: Any, note: str) -> None:
    assert typed_value(value, Note(note)) == typed_value(value)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
                    | st.integers(-(2**63), 2**63 - 1) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                    max_leaves=8))  # fmt: skip
def test_any_plain_data_goes_out_and_in_again(value: Any) -> None:
    made = json.loads(json.dumps(typed_value(value)))
    again = read_variables({"v": made}).values["v"]
    assert (again, type(again)) == (value, type(value))


def test_instants_are_written_as_camunda_does() -> None:
    assert instant(datetime(2026, 1, 2, 3, 4, 5, 678_999, UTC)) == "2026-01-02T03:04:05.678+0000"
    assert instant(None) is None
