"""Decision tables: cells, hit policies, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from engine.bpmn.decisions import Decision, DecisionFailed, read_decisions
from engine.bpmn.decisions.cells import read_cell
from tests.unit.bpmn.tables import DMN, table


def read(content: bytes, id_: str = "d") -> Decision:
    made, findings = read_decisions("t.dmn", content)
    assert id_ in made, findings
    return made[id_]


@pytest.mark.parametrize(
    ("cell", "fits", "fits_not"),
    [
        ("", [None, 1, "x"], []),
        ("-", [None, 1, "x"], []),
        ('"road"', ["road"], ["Road", "roads", None, 1]),
        ('"a","b"', ["a", "b"], ["c", None]),
        ('"a, b", "c"', ["a, b", "c"], ["a", "b"]),
        (r'"say \"yes\", now"', ['say "yes", now'], ["say"]),
        ("5", [5, 5.0], [4, "5", None]),
        ("1, 5, 9", [1, 5, 9], [2]),
        ("-2.5", [-2.5], [2.5]),
        ("1", [1], [True]),
        ("true", [True], [1, False, "true", None]),
        ("false", [False], [0, None, True]),
        ("null", [None], [0, "", False]),
        ("< 3", [2, 2.9], [3, "2", None, True]),
        (">=3", [3, 4], [2]),
        ("<=3.5", [3.5], [3.6]),
        ("> -1", [0], [-1]),
        ("[1..3]", [1, 2, 3], [0, 4, None, "2"]),
        ("(1..3)", [2], [1, 3]),
        ("]1..3[", [2], [1, 3]),
        ("[1..3)", [1, 2.9], [3]),
        ("[1..3], [7..9], 20", [2, 8, 20], [5]),
        ('not("a","b")', ["c", None], ["a", "b"]),
        ("not([1..3])", [4, None], [2]),
        ("not(not(1))", [1], [2]),
        ('contains("water","pipe")', ["a water main", "pipe"], ["road", None, 5]),
        ('not(contains("water"))', ["road", None], ["water"]),
        ('"不予公开"', ["不予公开"], ["公开"]),
    ],
)
def test_cells(cell: str, fits: list[Any], fits_not: list[Any]) -> None:
    test = read_cell(cell)
    assert all(test(value, {}) for value in fits)
    assert not any(test(value, {}) for value in fits_not)


@pytest.mark.parametrize(
    "cell",
    [
        "road",
        "“road”",
        "'road'",
        '"a" "b"',
        '"a",',
        ",",
        "date(2026)",
        "[1..]",
        "1..3",
        "<> 3",
        "not()",
        "contains()",
        "contains(5)",
        'contains("")',
        "1; 2",
        "__import__('os')",
        '"open',
    ],
)
def test_cells_that_are_refused(cell: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_cell(cell)
    made, findings = read_decisions("t.dmn", table("d", ["x"], ["y"], [["-", "1"], [cell, "1"]]))
    assert not made
    (found,) = findings
    assert (found.code, found.element) == ("decision_cell_unreadable", "r1")
    assert (found.line or 0) >= 3


RULES = [['"a"', "1"], ['"a","b"', "2"], ["-", "3"]]


def test_first() -> None:
    made = read(table("d", ["x.y"], ["n"], RULES))
    assert [made.decide({"x": {"y": value}}) for value in ("a", "b", "c")] == [
        {"n": 1},
        {"n": 2},
        {"n": 3},
    ]
    assert made.decide({}) == {"n": 3}


def test_unique_refuses_two_matches() -> None:
    made = read(table("d", ["x"], ["n"], RULES[:2], policy="UNIQUE"))
    assert made.decide({"x": "b"}) == {"n": 2}
    for value, reason in (("a", "several_rules_matched"), ("c", "no_rule_matched")):
        with pytest.raises(DecisionFailed) as error:
            made.decide({"x": value})
        assert str(error.value) == reason


def test_any_wants_one_answer() -> None:
    made = read(table("d", ["x"], ["n"], [["1", "1"], ["<3", "1"], ["<2", "=m"]], policy="ANY"))
    assert made.decide({"x": 1, "m": 1}) == {"n": 1}
    with pytest.raises(DecisionFailed):
        made.decide({"x": 1, "m": 2})


@pytest.mark.parametrize("policy", ["COLLECT", "RULE ORDER", "rule order"])
def test_lists(policy: str) -> None:
    made = read(table("d", ["x"], ["n"], RULES, policy=policy))
    assert made.decide({"x": "a"}) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert read(table("d", ["x"], ["n"], RULES[:1], policy=policy)).decide({}) == []


def test_outputs_are_literals_or_expressions() -> None:
    outputs = ['"text"', "1.5", "true", "null", "", "=case.n * 2"]
    made = read(table("d", ["x"], list("abcdef"), [["-", *outputs]]))
    assert made.decide({"case": {"n": 4}}) == {
        "a": "text", "b": 1.5, "c": True, "d": None, "e": None, "f": 8,
    }  # fmt: skip


def test_defaults_answer_when_no_rule_fits() -> None:
    default = "<defaultOutputEntry><text>7</text></defaultOutputEntry>"
    made = read(table("d", ["x"], ["n"], RULES[:1], extra=default))
    assert made.decide({"x": "?"}) == {"n": 7}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (table("d", ["x"], ["n"], RULES, policy="PRIORITY"), "hit_policy_unsupported"),
        (table("d", ["x"], ["n"], RULES, policy="OUTPUT ORDER"), "hit_policy_unsupported"),
        (table("d", ["x"], [], [["-"]]), "decision_table_unreadable"),
        (table("d", ["x"], ["n", "n"], [["-", "1", "2"]]), "decision_table_unreadable"),
        (table("d", ["x"], ["n"], []), "decision_table_unreadable"),
        (table("", ["x"], ["n"], RULES), "decision_table_unreadable"),
        (table("d", ["x"], ["n"], RULES, namespace="http://other"), "decision_table_unreadable"),
        (table("d", ["open(x)"], ["n"], RULES), "expression_refused"),
        (table("d", [""], ["n"], RULES), "expression_refused"),
        (table("d", ["x"], ["n"], [["-", "=exec(x)"]]), "expression_refused"),
        (table("d", ["x"], ["n"], [["-", "bare"]]), "decision_cell_unreadable"),
        (table("d", ["x"], ["n"], [["-"]]), "decision_rule_uneven"),
        (table("d", ["x"], ["n"], RULES).replace(b"<rule", b'<rule x="&a;"', 1), "xml_unreadable"),
        (b"<definitions xmlns='" + DMN.encode() + b"'/>", "decision_table_unreadable"),
    ],
)
def test_tables_that_are_refused(content: bytes, code: str) -> None:
    made, findings = read_decisions("t.dmn", content)
    assert not made
    assert {finding.code for finding in findings if finding.severity == "error"} == {code}


def test_all_three_versions_are_read() -> None:
    for version in ("20151101/dmn.xsd", "20180521/MODEL/", "20191111/MODEL/"):
        for scheme in ("http", "https"):
            name = f"{scheme}://www.omg.org/spec/DMN/{version}"
            assert read(table("d", ["x"], ["n"], RULES, namespace=name)).decide({}) == {"n": 3}


GRADES = '<outputValues><text>"high","middle","low"</text></outputValues>'
GRADED = [["<9", '"low"'], ["<5", '"high"'], ["<7", '"middle"']]


def test_priority_takes_the_output_named_first() -> None:
    made = read(table("d", ["x"], ["n"], GRADED, policy="PRIORITY", extra=GRADES))
    assert [made.decide({"x": x})["n"] for x in (8, 6, 4)] == ["low", "middle", "high"]


def test_output_order_sorts_the_outputs() -> None:
    made = read(table("d", ["x"], ["n"], GRADED, policy="OUTPUT ORDER", extra=GRADES))
    assert made.decide({"x": 1}) == [{"n": "high"}, {"n": "middle"}, {"n": "low"}]


@pytest.mark.parametrize(
    ("aggregation", "result"), [("SUM", 6), ("MIN", 1), ("MAX", 3), ("COUNT", 3)]
)
def test_collect_aggregates(aggregation: str, result: int) -> None:
    content = table("d", ["x"], ["n"], RULES, policy="COLLECT")
    content = content.replace(b"hitPolicy=", f'aggregation="{aggregation}" hitPolicy='.encode())
    assert read(content).decide({"x": "a"}) == {"n": result}


def test_a_graph_of_decisions_decides_each_once() -> None:
    content = f"""<definitions xmlns="{DMN}" id="g">
      <inputData id="i" name="income"/>
      <decision id="rate" name="rate"><variable name="rate"/>
        <literalExpression><text>if income &gt; 100 then 2 else 1</text></literalExpression>
      </decision>
      <decision id="tax" name="tax">
        <informationRequirement><requiredDecision href="#rate"/></informationRequirement>
        <decisionTable><input><inputExpression><text>rate</text></inputExpression></input>
          <output name="tax"/>
          <rule><inputEntry><text>1</text></inputEntry>
            <outputEntry><text>income * 0.1</text></outputEntry></rule>
          <rule><inputEntry><text>2</text></inputEntry>
            <outputEntry><text>income * 0.2</text></outputEntry></rule>
        </decisionTable></decision></definitions>""".encode()
    assert read(content, "rate").decide({"income": 50}) == 1
    assert read(content, "tax").decide({"income": 50}) == {"tax": 5}
    assert read(content, "tax").decide({"income": 200}) == {"tax": 40}


def test_decisions_that_need_each_other_are_refused() -> None:
    one = """<decision id="{}"><informationRequirement><requiredDecision href="#{}"/>
      </informationRequirement><literalExpression><text>1</text></literalExpression></decision>"""
    content = (
        f'<definitions xmlns="{DMN}">{one.format("a", "b")}{one.format("b", "a")}</definitions>'
    )
    _, findings = read_decisions("t.dmn", content.encode())
    assert "decision_recursive" in {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("rules", "codes"),
    [
        ([["<5", "1"], [">=5", "1"]], set()),
        ([["<5", "1"], [">5", "1"]], {"decision_table_gap"}),
        ([["<=5", "1"], [">=5", "1"]], {"decision_table_overlap"}),
        ([['"a"', "1"], ['not("a")', "1"]], set()),
        ([['"a"', "1"]], {"decision_table_gap"}),
        ([["true", "1"], ["false", "1"]], set()),
    ],
)
def test_gaps_and_overlaps_are_found(rules: list[list[str]], codes: set[str]) -> None:
    _, findings = read_decisions("t.dmn", table("d", ["x"], ["n"], rules, policy="UNIQUE"))
    assert {finding.code for finding in findings} == codes
    assert all(finding.severity == "warning" for finding in findings)
