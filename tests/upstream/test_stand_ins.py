"""The runner of SpiffWorkflow's tests, on a checkout of our own making."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.upstream import conform, replay, tables

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'id="definitions" targetNamespace="t">'
)
STRAIGHT = (
    f'{HEAD}<bpmn:process id="straight" isExecutable="true"><bpmn:startEvent id="s"/>'
    '<bpmn:userTask id="ask"/><bpmn:scriptTask id="add"><bpmn:script>total = n + 1</bpmn:script>'
    '</bpmn:scriptTask><bpmn:intermediateCatchEvent id="wait">'
    '<bpmn:messageEventDefinition id="d" messageRef="m"/></bpmn:intermediateCatchEvent>'
    '<bpmn:endEvent id="e"/><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="ask"/>'
    '<bpmn:sequenceFlow id="f2" sourceRef="ask" targetRef="add"/>'
    '<bpmn:sequenceFlow id="f3" sourceRef="add" targetRef="wait"/>'
    '<bpmn:sequenceFlow id="f4" sourceRef="wait" targetRef="e"/></bpmn:process>'
    '<bpmn:message id="m" name="paid"/></bpmn:definitions>'
)
LOOP = (
    f'{HEAD}<bpmn:process id="loop" isExecutable="true"><bpmn:startEvent id="s"/>'
    '<bpmn:parallelGateway id="g"/><bpmn:userTask id="t"/>'
    '<bpmn:exclusiveGateway id="x" default="out"/><bpmn:endEvent id="e"/>'
    '<bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="g"/>'
    '<bpmn:sequenceFlow id="f2" sourceRef="g" targetRef="t"/>'
    '<bpmn:sequenceFlow id="f3" sourceRef="t" targetRef="x"/>'
    '<bpmn:sequenceFlow id="back" sourceRef="x" targetRef="g"><bpmn:conditionExpression>'
    "again</bpmn:conditionExpression></bpmn:sequenceFlow>"
    '<bpmn:sequenceFlow id="out" sourceRef="x" targetRef="e"/></bpmn:process></bpmn:definitions>'
)
TABLE = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="x" name="x" '
    'namespace="t"><decision id="size" name="size"><decisionTable id="t"{policy}>'
    '<input id="i" label="n"><inputExpression id="e" typeRef="integer"><text>n</text>'
    '</inputExpression></input><output id="o" label="size" name="size" typeRef="string"/>'
    '<rule id="a"><inputEntry id="a1"><text>&gt; 5</text></inputEntry>'
    '<outputEntry id="a2"><text>"large"</text></outputEntry></rule>'
    '<rule id="b"><inputEntry id="b1"><text>{second}</text></inputEntry>'
    '<outputEntry id="b2"><text>"small"</text></outputEntry></rule>'
    "</decisionTable></decision></definitions>"
)
TESTS = """
import json
import os
import unittest

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.event_definitions import MessageEventDefinition


class PlayTest(unittest.TestCase):
    def workflow(self, name):
        parser = BpmnParser()
        parser.add_bpmn_file(os.path.join(os.path.dirname(__file__), "data", name + ".bpmn"))
        return BpmnWorkflow(parser.get_spec(name), parser.get_subprocess_specs(name))

    def ask(self, workflow):
        workflow.do_engine_steps()
        [task] = workflow.get_tasks(state=TaskState.READY, manual=True)
        self.assertEqual(task.task_spec.name, "ask")
        task.data["n"] = 3
        task.run()
        workflow.do_engine_steps()
        self.assertEqual(task.state, TaskState.COMPLETED)

    def pay(self, workflow):
        [task] = workflow.get_tasks(state=TaskState.WAITING)
        self.assertEqual(task.task_spec.name, "wait")
        workflow.catch(BpmnEvent(MessageEventDefinition("paid"), {}))
        self.assertEqual(task.state, TaskState.READY)
        workflow.do_engine_steps()
        self.assertTrue(workflow.completed)
        self.assertEqual(workflow.data, {"n": 3, "total": 4})

    def test_straight(self):
        workflow = self.workflow("straight")
        self.ask(workflow)
        self.pay(workflow)

    def test_stored(self):
        workflow = self.workflow("straight")
        self.ask(workflow)
        serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
        stored = json.loads(json.dumps(serializer.to_dict(workflow)))
        self.pay(serializer.from_dict(stored))

    def test_loop(self):
        workflow = self.workflow("loop")
        workflow.do_engine_steps()
        self.assertEqual(len(workflow.get_tasks(state=TaskState.READY)), 1)

    def test_inside(self):
        self.assertEqual(self.workflow("straight").spec.file[-5:], ".bpmn")
        self.assertTrue(self.workflow("straight").spec.task_specs)

    def test_broken(self):
        self.fail()
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "tests" / "SpiffWorkflow"
    (root / "bpmn" / "data").mkdir(parents=True)
    (root / "__init__.py").touch()
    (root / "bpmn" / "__init__.py").touch()
    (root / "bpmn" / "PlayTest.py").write_text(TESTS)
    for name, text in (("straight.bpmn", STRAIGHT), ("loop.bpmn", LOOP)):
        (root / "bpmn" / "data" / name).write_text(text)
    first = TABLE.format(policy=' hitPolicy="UNIQUE"', second="&lt;= 5")
    (root / "bpmn" / "data" / "apart.dmn").write_text(first)
    both = TABLE.format(policy="", second="&gt; 0")
    (root / "bpmn" / "data" / "overlap.dmn").write_text(both)
    return tmp_path


def test_each_test_is_told_apart(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = conform.run(checkout)
    of = "bpmn.PlayTest.PlayTest"
    assert report.same == [f"{of}.test_stored", f"{of}.test_straight"]
    assert list(report.not_ours) == [f"{of}.test_inside"]
    assert report.other_release == [f"{of}.test_broken"]
    assert list(report.unknown) == [f"{of}.test_loop"]
    known = [conform.Difference("as the standard says", tests=("*.test_loop",))]
    monkeypatch.setattr(conform, "differences", lambda: known)
    report = conform.run(checkout, "*loop")
    assert (report.differ, report.unknown) == ({f"{of}.test_loop": "as the standard says"}, {})


def test_models_are_played_on_both(checkout: Path) -> None:
    found = replay.Comparison()
    replay.compare_models(checkout, [], found)
    assert found.same == ["bpmn/data/straight.bpmn:straight"]
    assert list(found.unknown) == ["bpmn/data/loop.bpmn:loop"]
    known = [conform.Difference("as the standard says", models=("*/loop.bpmn:*",))]
    replay.compare_models(checkout, known, again := replay.Comparison())
    assert (again.differ, again.unknown) == (
        {"bpmn/data/loop.bpmn:loop": "as the standard says"},
        {},
    )


def test_tables_are_decided_on_both(checkout: Path) -> None:
    found = replay.Comparison()
    tables.compare_tables(checkout, [], found)
    assert found.same == ["bpmn/data/apart.dmn"]
    assert "several_rules_matched here" in found.unknown["bpmn/data/overlap.dmn"]


def test_every_known_difference_says_why() -> None:
    for each in conform.differences():
        assert each.reason
        assert each.tests or each.models or each.codes
