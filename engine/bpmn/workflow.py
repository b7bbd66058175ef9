"""A running process in memory: SpiffWorkflow's, with our sandbox, effects and no depth limit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.util.task import BpmnTaskIterator
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from engine.bpmn import expressions, scripts
from engine.bpmn.decisions import DecisionTable

DEEPEST = 10**9
"""The library's iterator stops at depth 1000 and then loses tasks in silence."""


class Sandbox(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    """Where every expression and script of a designer ends up, whoever in the library asks."""

    def evaluate(
        self, expression: str, context: Mapping[str, Any], external_context: Any = None
    ) -> Any:
        return expressions.evaluate(expression, context)

    def execute(self, script: str, context: dict[str, Any], external_context: Any = None) -> bool:
        context.update(scripts.run(script, context))
        return True

    def call_service(self, context: Any, **kwargs: Any) -> Any:
        raise scripts.ScriptFailed("services are called by actions only")


class _Deep:
    task_tree: Any

    def get_tasks_iterator(self, first_task: Any = None, **kwargs: Any) -> Any:
        kwargs.setdefault("max_depth", DEEPEST)
        return BpmnTaskIterator(first_task or self.task_tree, **kwargs)


class CaseSubWorkflow(_Deep, BpmnSubWorkflow):  # type: ignore[misc]
    pass


class CaseWorkflow(_Deep, BpmnWorkflow):  # type: ignore[misc]
    """One case's process. `act` and `decide` are where its own flow nodes reach out."""

    def __init__(
        self,
        spec: Any,
        subprocess_specs: Mapping[str, Any],
        decisions: Mapping[str, DecisionTable],
        act: Callable[[str, Mapping[str, Any]], None],
        deserializing: bool = False,
    ) -> None:
        self._decisions = decisions
        self.act = act
        super().__init__(
            spec,
            dict(subprocess_specs),
            script_engine=PythonScriptEngine(Sandbox()),
            deserializing=deserializing,
        )

    def decide(self, decision: str, data: Mapping[str, Any]) -> Any:
        return self._decisions[decision].decide(data)

    def create_subprocess(self, my_task: Any, spec_name: str) -> CaseSubWorkflow:
        subprocess = CaseSubWorkflow(
            self.subprocess_specs[spec_name], parent_task_id=my_task.id, top_workflow=self
        )
        self.subprocesses[my_task.id] = subprocess
        return subprocess

    def start_data(self, data: Mapping[str, Any]) -> None:
        """Give the process the data it begins with."""
        self.task_tree.set_data(**copy.deepcopy(dict(data)))
