"""A running process in memory: SpiffWorkflow's, with our sandbox, effects and no depth limit.

The library walks the tree with an iterator that stops at depth 1000 and then loses tasks in
silence; here every walk is a plain scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.util.task import BpmnTaskFilter
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.decisions import DecisionTable
from engine.bpmn.expressions import EXPRESSIONS, ExpressionFailed


class _Environment(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    """Where every expression and script of a designer ends up, whoever in the library asks."""

    def evaluate(
        self, expression: str, context: Mapping[str, Any], external_context: Any = None
    ) -> Any:
        return EXPRESSIONS.evaluate(expression, context)

    def execute(self, script: str, context: dict[str, Any], external_context: Any = None) -> bool:
        context.update(EXPRESSIONS.run(script, context))
        return True

    def call_service(self, context: Any, **kwargs: Any) -> Any:
        raise ExpressionFailed("services are called by actions only")


class _Engine(PythonScriptEngine):  # type: ignore[misc]
    """Passes on the sandbox's own errors instead of wrapping them."""

    def evaluate(self, task: Task, expression: str, external_context: Any = None) -> Any:
        return self.environment.evaluate(expression, task.data)


class _Scans:
    tasks: dict[Any, Task]
    task_tree: Task
    completed: bool
    success: bool
    top_workflow: Any

    def get_tasks_iterator(
        self,
        first_task: Task | None = None,
        *,
        end_at_spec: str | None = None,
        skip_subprocesses: bool = False,
        task_filter: Any = None,
        **kwargs: Any,
    ) -> Iterator[Task]:
        wanted = task_filter or BpmnTaskFilter(**kwargs)
        found, pending = [], [first_task or self.task_tree]
        while pending:
            task = pending.pop()
            if wanted.matches(task):
                found.append(task)
            if task.task_spec.name != end_at_spec:
                pending += reversed(task.children)
                inner = self.top_workflow.subprocesses.get(task.id)
                if inner is not None and not skip_subprocesses and not inner.completed:
                    pending.append(inner.task_tree)
        return iter(found)

    def is_completed(self) -> bool:
        if not self.completed:
            self.completed = not any(
                task.has_state(TaskState.NOT_FINISHED_MASK) for task in self.tasks.values()
            )
        return self.completed

    def update_waiting_tasks(self) -> None:
        for task in [task for task in self.tasks.values() if task.has_state(TaskState.WAITING)]:
            # One that another has meanwhile consumed or cancelled is left alone.
            if task.id in self.tasks and task.has_state(TaskState.WAITING):
                task.task_spec._update(task)

    def cancel(self, success: bool = False) -> list[Task]:
        self.success, self.completed = success, True
        open_tasks = [
            task for task in self.tasks.values() if task.has_state(TaskState.NOT_FINISHED_MASK)
        ]
        for task in open_tasks:
            if task.id in self.tasks:
                task.cancel()
        return open_tasks

    def collect_log_extras(self, dct: Any = None) -> dict[str, Any]:
        return {}


class CaseSubWorkflow(_Scans, BpmnSubWorkflow):  # type: ignore[misc]
    pass


class CaseWorkflow(_Scans, BpmnWorkflow):  # type: ignore[misc]
    """One case's process. `act`, `enter` and `decide` are where its flow nodes reach out."""

    def __init__(
        self,
        spec: Any,
        subprocess_specs: Mapping[str, Any],
        decisions: Mapping[str, DecisionTable],
        *,
        act: Callable[[str, Mapping[str, Any]], None],
        enter: Callable[[str, Mapping[str, Any]], None],
        deserializing: bool,
    ) -> None:
        self._decisions = decisions
        self.act, self.enter = act, enter
        self.ticks = 0
        super().__init__(
            spec,
            dict(subprocess_specs),
            script_engine=_Engine(_Environment()),
            deserializing=deserializing,
        )

    def tick(self) -> int:
        """The next number in the order of events of this case."""
        self.ticks += 1
        return self.ticks

    def decide(self, decision: str, data: Mapping[str, Any]) -> Any:
        return self._decisions[decision].decide(data)

    def create_subprocess(self, my_task: Task, spec_name: str) -> CaseSubWorkflow:
        subprocess = CaseSubWorkflow(
            self.subprocess_specs[spec_name], parent_task_id=my_task.id, top_workflow=self
        )
        self.subprocesses[my_task.id] = subprocess
        return subprocess

    def scopes(self) -> list[Any]:
        """The open subprocesses, innermost first, then the process itself."""
        inner = [scope for scope in self.subprocesses.values() if not scope.completed]
        return [*sorted(inner, key=lambda scope: -scope.depth), self]

    def next_ready(self) -> Task | None:
        """The task to run next: what happened at an edge first, as it may end the rest."""
        ready = self._ready()
        if not ready:
            for scope in self.scopes():
                scope.update_waiting_tasks()
            ready = self._ready()
        edges = (task for task in ready if isinstance(task.task_spec, BoundaryEvent))
        return next(edges, None) or next(iter(ready), None)

    def _ready(self) -> list[Task]:
        return [
            task
            for scope in self.scopes()
            for task in scope.tasks.values()
            if task.has_state(TaskState.READY) and not task.task_spec.manual
        ]
