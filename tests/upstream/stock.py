"""SpiffWorkflow at play, as its manual has it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.specs.event_definitions import (
    MessageEventDefinition,
    SignalEventDefinition,
)
from SpiffWorkflow.bpmn.specs.event_definitions.multiple import MultipleEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import (
    CycleTimerEventDefinition,
    TimerEventDefinition,
)
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser
from SpiffWorkflow.util.task import TaskState

from tests.upstream.players import Doing, Outcome

MAX_TASKS = 2_000
LONG_AGO = "2000-01-01T00:00:00+00:00"
ACTIVITIES = ("Task", "SubWorkflow", "CallActivity", "Subprocess")


class Stock:
    def __init__(self, models: Mapping[str, bytes], process: str, data: Mapping[str, Any]) -> None:
        self.workflow = BpmnWorkflow(*self.parsed(models, process))
        self.workflow.task_tree.data.update(data)
        self._run()

    @staticmethod
    def parsed(models: Mapping[str, bytes], process: str) -> tuple[Any, Any]:
        """The specifications of the process and of what it calls. Raises whatever they raise."""
        parser = SpiffBpmnParser()
        for name, content in models.items():
            add = parser.add_dmn_io if name.endswith(".dmn") else parser.add_bpmn_io
            add(io.BytesIO(content), name)
        return parser.get_spec(process), parser.get_subprocess_specs(process)

    def doings(self) -> list[Doing]:
        ready = self.workflow.get_tasks(state=TaskState.READY, manual=True)
        found = [("task", self._id(task)) for task in ready]
        for task in self.workflow.get_tasks(state=TaskState.WAITING):
            for definition in self._definitions(task):
                if isinstance(definition, TimerEventDefinition):
                    found.append(("timer", self._id(task)))
                elif isinstance(definition, MessageEventDefinition):
                    found.append(("message", definition.name))
                elif isinstance(definition, SignalEventDefinition):
                    found.append(("signal", definition.name))
        return found

    def do(self, doing: Doing, data: Mapping[str, Any]) -> None:
        kind, name = doing
        workflow = self.workflow
        if kind == "task":
            ready = workflow.get_tasks(state=TaskState.READY, manual=True)
            task = next(each for each in ready if self._id(each) == name)
            task.data.update(data)
            task.run()
        elif kind == "timer":
            waiting = workflow.get_tasks(state=TaskState.WAITING)
            self._make_due(next(each for each in waiting if self._id(each) == name))
            workflow.refresh_timers()
        else:
            workflow.catch(BpmnEvent(self._definition(kind, name), {}))
        self._run()

    def _run(self) -> None:
        # It has no limit of its own: a loop without a wait never returns.
        left = iter(range(MAX_TASKS))

        def count(task: Any) -> None:
            if next(left, None) is None:
                raise RecursionError("too many tasks")

        self.workflow.do_engine_steps(will_complete_task=count)

    def _definition(self, kind: str, name: str) -> Any:
        wanted = MessageEventDefinition if kind == "message" else SignalEventDefinition
        return next(
            definition
            for task in self.workflow.get_tasks(state=TaskState.WAITING)
            for definition in self._definitions(task)
            if isinstance(definition, wanted) and definition.name == name
        )

    @staticmethod
    def _make_due(task: Any) -> None:
        definition, internal = task.task_spec.event_definition, task.internal_data
        if isinstance(definition, CycleTimerEventDefinition):
            internal["event_value"]["next"] = LONG_AGO
        else:
            internal["event_value"] = LONG_AGO

    @staticmethod
    def _definitions(task: Any) -> Iterator[Any]:
        definition = getattr(task.task_spec, "event_definition", None)
        if isinstance(definition, MultipleEventDefinition):
            seen = [each.event_definition for each in task.internal_data.get("seen_events", [])]
            yield from (each for each in definition.event_definitions if each not in seen)
        elif definition is not None:
            yield definition

    @staticmethod
    def _id(task: Any) -> str:
        return str(task.task_spec.bpmn_id or task.task_spec.name).removesuffix(" [child]")

    def _all(self) -> Iterator[Any]:
        yield from self.workflow.tasks.values()
        for inner in self.workflow.subprocesses.values():
            yield from inner.tasks.values()

    def outcome(self) -> Outcome:
        done = Counter(
            self._id(task)
            for task in self._all()
            if task.has_state(TaskState.COMPLETED)
            and task.task_spec.bpmn_id
            and any(each in type(task.task_spec).__name__ for each in ACTIVITIES)
        )
        data = {name: each for name, each in self.workflow.data.items() if name != "data_objects"}
        return Outcome(self.workflow.completed, done, data)
