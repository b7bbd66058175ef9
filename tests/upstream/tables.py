"""Decides SpiffWorkflow's test tables on it and on this engine, over values near their cells."""

from __future__ import annotations

import io
import itertools
import re
import types
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.dmn.parser.BpmnDmnParser import BpmnDmnParser

from engine.bpmn.decisions import Decision, DecisionFailed, read_decisions
from tests.upstream.conform import Difference
from tests.upstream.replay import Comparison

MOST = 300
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_TEXT = re.compile(r'"([^"]*)"')
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")


def compare_tables(checkout: Path, known: list[Difference], into: Comparison) -> None:
    """Decide every table of the checkout's test data."""
    root = checkout / "tests" / "SpiffWorkflow"
    for path in sorted(root.rglob("data/**/*.dmn")):
        name, content = str(path.relative_to(root)), path.read_bytes()
        try:
            engine, id_ = _stock(content)
        except Exception as error:
            into.unread.append(f"{name}: {error}"[:200])
            continue
        decisions, findings = read_decisions(path.name, content)
        errors = [each for each in findings if each.severity == "error"]
        if errors or id_ not in decisions:
            codes = frozenset(each.code for each in errors)
            into.place(name, known, f"refused: {sorted(codes)}", codes)
            continue
        why = _differ(engine, decisions[id_], content)
        if why:
            into.place(name, known, why, frozenset())
        else:
            into.same.append(name)


class _Dotted(dict[str, Any]):
    """There ``a.b`` needs an attribute."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(
            {name: _Dotted(v) if isinstance(v, Mapping) else v for name, v in data.items()}
        )

    __getattr__ = dict.__getitem__


def _stock(content: bytes) -> tuple[Any, str]:
    parser = BpmnDmnParser()
    parser.add_dmn_io(io.BytesIO(content))
    [(id_, _)] = parser.dmn_parsers.items()
    return parser.get_engine(id_, None), id_


def _differ(engine: Any, decision: Decision, content: bytes) -> str:
    scripts = PythonScriptEngine()
    decided = 0
    for data in itertools.islice(_data(content), MOST):
        there, here = _there(engine, scripts, data), _here(decision, data)
        if isinstance(there, str):
            continue  # it fails on values that here just fit no rule
        decided += 1
        if there != here:
            return f"{data}: {there} there, {here} here"
    return "" if decided else "SpiffWorkflow decides none of the values tried"


def _there(engine: Any, scripts: Any, data: Mapping[str, Any]) -> Any:
    spec = types.SimpleNamespace(file="", name="", bpmn_name="")
    workflow = types.SimpleNamespace(script_engine=scripts, spec=spec)
    workflow.top_workflow = workflow
    task = types.SimpleNamespace(data=_Dotted(data), workflow=workflow, task_spec=spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = engine.result(task)
        except Exception as error:
            return f"fails: {type(error).__name__}"
    return list(result.values())


def _here(decision: Decision, data: Mapping[str, Any]) -> Any:
    try:
        made = decision.decide(data)
    except DecisionFailed as failed:
        return [] if str(failed) == "no_rule_matched" else str(failed)
    except Exception as error:
        return f"fails: {type(error).__name__}"
    if isinstance(made, list):
        names = list(made[0]) if made and isinstance(made[0], Mapping) else []
        return [[row[name] for row in made] for name in names]
    return list(made.values()) if isinstance(made, Mapping) else [made]


def _data(content: bytes) -> Iterator[dict[str, Any]]:
    """Data for the table: for each of its input columns the values at and beside its cells."""
    root = etree.fromstring(content)
    paths = [
        _PATH.match(" ".join(each.itertext()).strip()) for each in root.iter("{*}inputExpression")
    ]
    labels = [each.get("label") or "" for each in root.iter("{*}input")]
    columns: list[list[Any]] = [[None] for _ in paths]
    for rule in root.iter("{*}rule"):
        for column, cell in zip(columns, rule.iter("{*}inputEntry"), strict=True):
            text = " ".join(each.text or "" for each in cell.iter("{*}text"))
            column.extend(_TEXT.findall(text))
            if text.strip().lower() in ("true", "false"):
                column.extend([True, False])
            for number in _NUMBER.findall(_TEXT.sub("", text)):
                value = float(number) if "." in number else int(number)
                column.extend([value - 1, value, value + 1])
    kept = [list(dict.fromkeys((type(v), v) for v in column)) for column in columns]
    for values in itertools.product(*kept):
        made: dict[str, Any] = {}
        for path, label, (_, value) in zip(paths, labels, values, strict=True):
            # There an input without expression goes by its label.
            *inner, last = path.group().split(".") if path else [label]
            place = made
            for name in inner:
                place = place.setdefault(name, {})
            place[last] = value
        yield made
