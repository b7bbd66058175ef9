"""JUEL as Camunda 7 models write it: values, refusals, failures and bounds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.bpmn.juel import JuelFailed, JuelRefused, compile_juel, is_juel

DATA: dict[str, Any] = {
    "n": 3,
    "price": 99.5,
    "approved": True,
    "name": "Ada Li",
    "blank": " \t x ",
    "gender": "male",
    "none": None,
    "empties": {"text": "", "list": [], "map": {}},
    "order": {"price": 250, "lines": [{"sku": "a1"}, {"sku": "b2"}], "0": "zero", "size": "big"},
    "items": ["b", "a", 3, None],
    "人": "王",
    "a$b": 1,
    "number": "12",
}

VALUES: list[tuple[str, Any]] = [
    # literals and templates
    ("${true}", True),
    ("#{false}", False),
    ("${null}", None),
    ("${3}", 3),
    ("${1.5}", 1.5),
    ("${.5}", 0.5),
    ("${2e3}", 2000.0),
    ('${"foo"}', "foo"),
    (r"${'it\'s'}", "it's"),
    (r"${'a\\b'}", "a\\b"),
    ("${'}'}", "}"),
    ("${'${n}'}", "${n}"),
    ("\n  ${n}\n", 3),
    ("plain", "plain"),
    ("", ""),
    ("Case ${n} of #{name}!", "Case 3 of Ada Li!"),
    ("${n}${n}", "33"),
    ("[${none}|${approved}|${price}]", "[|true|99.5]"),
    ("items: ${items}", "items: [b, a, 3, null]"),
    ("map: ${order.lines[0]}", "map: {sku=a1}"),
    (r"costs \${n}, ${n}", "costs ${n}, 3"),
    # names and parts
    ("${n}", 3),
    ("${missing}", None),
    ("${missing.deeper['x'].y[0]}", None),
    ("${人}", "王"),
    ("${a$b}", 1),
    ("${order.price}", 250),
    ("${order['price']}", 250),
    ("${order.lines[1].sku}", "b2"),
    ("${order.lines['1'].sku}", "b2"),
    ("${order.lines[9]}", None),
    ("${order.lines[-1]}", None),
    ("${order[0]}", "zero"),
    ("${order.size}", "big"),
    ("${order[missing]}", None),
    ("${items[null]}", None),
    ("${name.length}", None),
    ("${order}", DATA["order"]),
    # arithmetic
    ("${1 + 2 * 3}", 7),
    ("${(1 + 2) * 3}", 9),
    ("${10 - 3 - 2}", 5),
    ("${-n + 1}", -2),
    ("${- - n}", 3),
    ("${6 / 3}", 2.0),
    ("${7 div 2}", 3.5),
    ("${7 % 3}", 1),
    ("${-7 mod 3}", -1),
    ("${7 mod -3}", 1),
    ("${7.5 % 2}", 1.5),
    ("${missing + 1}", 1),
    ("${null + null}", 0),
    ("${'5' + 1}", 6),
    ("${number * '1.5'}", 18.0),
    ("${'' + 1}", 1),
    ("${n + 0.5}", 3.5),
    ("${-missing}", 0),
    # comparisons
    ("${n == 3}", True),
    ("${n eq 3.0}", True),
    ("${'3' == n}", True),
    ("${'3.5' == n}", False),
    ("${n != 4}", True),
    ("${n ne 3}", False),
    ("${approved == true}", True),
    ("${approved == 'TRUE'}", True),
    ("${approved == 'yes'}", False),
    ("${name == 'Ada Li'}", True),
    ("${name == 'ada li'}", False),
    ("${missing == null}", True),
    ("${null == missing}", True),
    ("${name != null}", True),
    ("${none == 0}", False),
    ("${none == false}", False),
    ("${none == ''}", False),
    ("${0 == ''}", True),
    ("${order.lines == order.lines}", True),
    ("${null < 1}", False),
    ("${missing >= 1}", False),
    ("${missing <= missing}", True),
    ("${missing < missing}", False),
    ("${order.price <= 250}", True),
    ("${order.price lt 250}", False),
    ("${n gt 2 && n ge 3 and n le 3}", True),
    ("${'10' > 9}", True),
    ("${'10' > '9'}", False),
    ("${'a' < 'b'}", True),
    ("${false < true}", True),
    ("${1 < 2 == true}", True),
    # logic
    ("${approved && n == 3}", True),
    ("${approved and not (n == 3)}", False),
    ("${!approved || n > 2}", True),
    ("${false or true and false}", False),
    ("${!missing}", True),
    ("${'true' && approved}", True),
    ("${name || approved}", True),
    ("${approved || order < 1}", True),
    ("${!approved && order < 1}", False),
    ("${empty missing}", True),
    ("${empty empties.text and empty empties.list && empty empties.map}", True),
    ("${not empty name}", True),
    ("${empty n}", False),
    ("${!empty items}", True),
    ("${gender == 'male' ? 'Mr.' : 'Mrs.'}", "Mr."),
    ("${(gender.equals('male')) ? 'Mr.' : 'Mrs.'}", "Mr."),
    ("${n == 1 ? 'one' : n == 3 ? 'three' : 'many'}", "three"),
    ("${missing ? 1 : 2}", 2),
    # methods
    ("${name.contains('da')}", True),
    ("${name.contains(missing)}", False),
    ("${name.equals('Ada Li')}", True),
    ("${n.equals('3')}", False),
    ("${name.equals(null)}", False),
    ("${name.equalsIgnoreCase('ADA li')}", True),
    ("${name.startsWith('Ada') && name.endsWith('Li')}", True),
    ("${name.length()}", 6),
    ("${name.isEmpty()}", False),
    ("${name.toLowerCase()}", "ada li"),
    ("${name.toUpperCase()}", "ADA LI"),
    ("${blank.trim()}", "x"),
    ("${name.substring(4)}", "Li"),
    ("${name.substring(0, 3)}", "Ada"),
    ("${name.charAt(1)}", "d"),
    ("${name.indexOf('L')}", 4),
    ("${name.indexOf('A', 1)}", -1),
    ("${name.lastIndexOf('a')}", 2),
    ("${name.replace('a', 'o')}", "Ado Li"),
    ("${name.concat('!')}", "Ada Li!"),
    ("${name.compareTo('Adb')}", -1),
    ("${n.toString()}", "3"),
    ("${price.intValue()}", 99),
    ("${items.size()}", 4),
    ("${items.isEmpty()}", False),
    ("${items.contains('a')}", True),
    ("${items.contains(true)}", False),
    ("${items.contains(null)}", True),
    ("${items.get(1)}", "a"),
    ("${items.indexOf(3)}", 2),
    ("${order.get('price')}", 250),
    ("${order.getOrDefault('x', 7)}", 7),
    ("${order.containsKey('lines')}", True),
    ("${order.containsValue(250)}", True),
    ("${order.size()}", 4),
    ("${empties.map.isEmpty()}", True),
    ("${order.keySet().contains('price')}", True),
    ("${order.lines[0].values()}", ["a1"]),
    ("${missing.contains('x')}", None),
    ("${missing.equals('x') ? 1 : 2}", 2),
    # the execution
    ("${execution.getVariable('n') + 1}", 4),
    ("#{execution.getVariableLocal('name')}", "Ada Li"),
    ("${execution.getVariable('missing') == null}", True),
    ("${execution.hasVariable('none')}", True),
    ("${execution.hasVariable('missing')}", False),
    # others found in Camunda's own models
    ("${clarified == 'yes'}", False),
    ("${input == 3 || input == 1}", False),
    ("${valid == false}", False),
    ("#{bean.value}", None),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text: str, value: Any) -> None:
    found = compile_juel(text)(DATA)
    assert found == value
    assert type(found) is type(value)


REFUSED = [
    ("${order.isStandard()}", "isStandard()"),
    ("${myDelegate.execute(execution)}", "execution)}"),
    ("${myDelegate.execute(1)}", "execute()"),
    ("${genderBean.getGenderString(gender)}", "getGenderString()"),
    ("${execution.setVariable('x', 1)}", "execution.setVariable"),
    ("${execution.getVariable(name)}", "name)}"),
    ("${execution.getVariable('a' + 'b')}", "+ 'b')}"),
    ("${execution.engineServices}", "execution.engineServices"),
    ("${execution}", "execution}"),
    ("${execution.getVariable('__x')}", "'__x')}"),
    ("${now()}", "now()"),
    ("${fn:length(x)}", ":length(x)}"),
    ("${x.getClass()}", "getClass()"),
    ("${x.matches('a*')}", "matches()"),
    ("${x.length(1)}", "length()"),
    ("${x.substring()}", "substring()"),
    ("${x.equals(1, 2)}", "equals()"),
    ("${x.__class__}", "__class__}"),
    ("${__import__}", "__import__}"),
    ("${}", "}"),
    ("${x", "${x"),
    ("abc ${x} ${", "${"),
    ("${x = 1}", "= 1}"),
    ("${x; y}", "; y}"),
    ("${x y}", "y}"),
    ("${1 +}", "}"),
    ("${(1}", "}"),
    ("${x[1}", "}"),
    ("${x.}", "}"),
    ("${x.1}", ".1}"),
    ("${x ? 1}", "}"),
    ("${'a}", "'a}"),
    ("${'a\\n'}", "'a\\n'}"),
    ("${x -> 1}", "> 1}"),
    ("${x instanceof y}", "instanceof y}"),
    ("${{'a': 1}}", "{'a': 1}}"),
    ("${[1, 2]}", "[1, 2]}"),
    ("${99999999999999999999}", "99999999999999999999"),
    ("${1e999}", "1e999"),
    ("${x().y}", "x()"),
    ("${x.size()()}", "()}"),
    ("${x & y}", "& y}"),
    ("${`id`}", "`id`}"),
    ("${x\0}", "\0}"),
    ("x" * 4_001, "x" * 40),
]


@pytest.mark.parametrize(("text", "fragment"), REFUSED, ids=range(len(REFUSED)))
def test_refused_when_compiled_with_the_fragment(text: str, fragment: str) -> None:
    with pytest.raises(JuelRefused) as refused:
        compile_juel(text)
    assert str(refused.value) == fragment


@pytest.mark.parametrize(
    "expression",
    ["(" * 61 + "1" + ")" * 61, "-" * 62 + "1", "!" * 3_900, "x" + ".y" * 61, "x[" * 61 + "]" * 61,
     "1?1:" * 61 + "1", "x.get(" * 61 + "1" + ")" * 61, "(" * 3_900],
    ids=range(8),
)  # fmt: skip
def test_too_deep_is_refused(expression: str) -> None:
    with pytest.raises(JuelRefused):
        compile_juel("${" + expression + "}")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("+".join(["1"] * 1_900), 1_900),
        ("||".join(["false"] * 500) + "||true", True),
        ("(" * 50 + "n" + ")" * 50, 3),
    ],
    ids=range(3),
)
def test_long_chains_and_decent_depth_are_fine(expression: str, value: Any) -> None:
    assert compile_juel("${" + expression + "}")(DATA) == value


@pytest.mark.parametrize(
    "text",
    [
        "${1 / 0}",
        "${1 % 0}",
        "${1.5 mod 0}",
        "${'a' + 1}",
        "${'a' + 'b'}",
        "${true + 1}",
        "${order + 1}",
        "${n == 'x'}",
        "${n && true}",
        "${order ? 1 : 2}",
        "${order < order}",
        "${9223372036854775807 + 1}",
        "${9223372036854775807 * 9223372036854775807}",
        "${1e308 * 10}",
        "${name.substring(9)}",
        "${name.substring(2, 1)}",
        "${name.substring('x')}",
        "${name.charAt(6)}",
        "${items.get(4)}",
        "${items.get(-1)}",
        "${items.get(0.5)}",
        "${n.length()}",
        "${name.size()}",
        "${order.trim()}",
        "${items.indexOf(1, 2)}",
        "${approved.intValue()}",
        "${('9' + 0) == '9999999999999999999999999999999999'}",
        "${long.concat(long)}",
        "${long.replace('', long)}",
        "${long.replace('x', 'yy')}",
        "${long}${long}",
        "${many}!",
        "${bad}",
        "${bad == 'x'}",
        "${nan}",
        "${deep}",
    ],
)
def test_failures_are_told_shortly_and_quickly(text: str) -> None:
    deep: list[Any] = []
    for _ in range(3_000):
        deep = [deep]
    data = DATA | {
        "long": "x" * 15_000,
        "many": list(range(5_000)),
        "bad": object(),
        "nan": float("nan"),
        "deep": deep,
    }
    started = time.monotonic()
    with pytest.raises(JuelFailed) as failed:
        compile_juel(text)(data)
    assert time.monotonic() - started < 0.5
    assert len(str(failed.value)) < 200


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain", set()),
        ("${'x'}", set()),
        ("${a.b[c].d(1) }".replace("d(1)", "get(e)"), {"a", "c", "e"}),
        ("Case ${a} ${b ? c : a}", {"a", "b", "c"}),
        ("${execution.getVariable('x') + execution.hasVariable('y')}", {"x", "y"}),
    ],
)
def test_free_names(text: str, names: set[str]) -> None:
    assert compile_juel(text).names == names


@pytest.mark.parametrize(
    ("text", "found"),
    [("${a}", True), ("x #{a}", True), ("$ {a}", False), ("a", False), (r"\${a}", False),
     (r"\${a} ${b}", True), ("${", True), ("", False)],
)  # fmt: skip
def test_is_juel(text: str, found: bool) -> None:
    assert is_juel(text) is found


def test_the_value_shares_nothing_with_the_data() -> None:
    data: dict[str, Any] = {"items": [{"a": 1}]}
    compile_juel("${items}")(data).append(2)
    compile_juel("${items.get(0)}")(data)["a"] = 2
    assert data == {"items": [{"a": 1}]}


def test_compiled_once_and_cheap() -> None:
    text = "${order.price <= 250 && !empty name}"
    assert compile_juel(text) is compile_juel(text)
    compiled = compile_juel(text)
    started = time.perf_counter()
    for _ in range(1_000):
        compiled(DATA)
    assert time.perf_counter() - started < 0.2
