"""FEEL: values, null, built-in functions, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bpmn.feel import (
    FeelFailed,
    FeelRefused,
    compile_expression,
    compile_unary_tests,
    to_plain,
)


def value_of(source: str, **data: Any) -> Any:
    return to_plain(compile_expression(source)(data))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1+2*3", 7),
        ("2**3", 8),
        ('"a"+"b"', "ab"),
        ('if 1>2 then "x" else "y"', "y"),
        ("for x in [1,2,3] return x*2", [2, 4, 6]),
        ("some x in [1,2] satisfies x>1", True),
        ("every x in [1,2] satisfies x>1", False),
        ("[1,2,3][2]", 2),
        ("[1,2,3][item>1]", [2, 3]),
        ("[1,2,3][-1]", 3),
        ("{a:1,b:a+1}.b", 2),
        ("5 in [1..5]", True),
        ("5 in (1..5)", False),
        ("5 between 1 and 5", True),
        ("5 in (<3, >4)", True),
        ('date("2024-01-31") + duration("P1M")', "2024-02-29"),
        ('date("2024-03-01") - date("2024-02-01")', "P29D"),
        ('@"2024-01-01".year', 2024),
        ('string length("foo")', 3),
        ('contains("foobar","ob")', True),
        ('substring("foobar",3)', "obar"),
        ('substring("foobar",-2,1)', "a"),
        ("sum([1,2,3])", 6),
        ("mean(1,2,3)", 2),
        ("not(true)", False),
        ("null = null", True),
        ('1 = "1"', None),
        ("true and null", None),
        ("false and null", False),
        ("count([1,2])", 2),
        ('years and months duration(date("2011-12-22"), date("2013-08-24"))', "P1Y8M"),
        ('date and time("2024-01-01T10:00:00").hour', 10),
        ("for i in 1..3 return i", [1, 2, 3]),
        ('string join(["a","b"],"-")', "a-b"),
        ("decimal(1/3,2)", 0.33),
        ("floor(1.5)", 1),
        ("modulo(-12,5)", 3),
        ("[{x:1},{x:2}].x", [1, 2]),
        ("[{x:1},{x:2}][x=2].x", [2]),
        ("1 instance of number", True),
        ('day of week(date("2019-09-17"))', "Tuesday"),
        ('substring(string: "foobar", start position: 3)', "obar"),
        ("-5 + 3", -2),
        ("(1+2)*3", 9),
        ('duration("PT36H")', "P1DT12H"),
        ('matches("foobar","^fo*b")', True),
        ('replace("abc","b","x")', "axc"),
        ('time("10:30:00").minute', 30),
    ],
)
def test_values(source: str, value: Any) -> None:
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("cell", "value", "fits"),
    [
        ("1,5,9", 5, True),
        ("1,5,9", 4, False),
        ('"x","y"', "y", True),
        ("not(4)", 5, True),
        ("not(4)", 4, False),
        ("[1..5]", 5, True),
        ("]1..5[", 5, False),
        ("]1..5[", 2, True),
        ("< 5", 4, True),
        ("-", None, True),
        ("true", True, True),
        ('date("2024-01-01")', "2024-01-01", True),
        ('> date("2024-01-01")', "2024-02-01", True),
        ("? > 3 and ? < 6", 5, True),
        ('not("a","b")', "c", True),
        ("null", None, True),
        ("a", 5, False),
    ],
)
def test_cells(cell: str, value: Any, fits: bool) -> None:
    assert compile_unary_tests(cell)(value, {}) is fits


@pytest.mark.parametrize(
    "source",
    ["a == 5", "a && b", '__import__("os")', "function(x) x", "1 +", "foo(1)", "(", "", '"open'],
)
def test_what_is_refused(source: str) -> None:
    with pytest.raises(FeelRefused):
        compile_expression(source)


@pytest.mark.parametrize(
    "source",
    [
        "for a in 1..1000000000 return a",
        "for a in 1..9999, b in 1..9999 return a",
        'for a in 1..9999 return string join(for b in 1..9999 return "x", "y")',
    ],
)
def test_what_costs_too_much_fails_soon(source: str) -> None:
    with pytest.raises(FeelFailed):
        compile_expression(source)({})


def test_the_names_an_expression_reads_are_known() -> None:
    made = compile_expression("for x in things return x + more.of")
    assert made.names == {"things", "more"}


def test_text_of_the_data_is_read_as_a_date_beside_a_date() -> None:
    assert value_of('due < date("2026-02-01")', due="2026-01-31") is True
    assert value_of('due + duration("P1D")', due="2026-01-31") == "2026-02-01"


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(source: str) -> None:
    try:
        made = compile_expression(source)
        to_plain(made({"a": [1, {"b": None}], "x": "y"}))
    except (FeelRefused, FeelFailed):
        pass


@given(st.lists(st.integers(-50, 50), max_size=8), st.integers(-50, 50))
def test_a_filter_keeps_what_a_loop_would(numbers: list[int], bound: int) -> None:
    data = {"l": numbers, "n": bound}
    assert compile_expression("l[item > n]")(data) == [n for n in numbers if n > bound]
    assert compile_expression("count(l[item > n]) > 0")(data) == any(n > bound for n in numbers)
