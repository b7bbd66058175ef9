"""Running a process a step at a time: state in, `Step` out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import expressions, state
from engine.bpmn.decisions import DecisionFailed, DecisionTable
from engine.bpmn.expressions import ExpressionFailed
from engine.bpmn.scripts import ScriptFailed
from engine.bpmn.specs import FIRED, VALUE, ClockTimer
from engine.bpmn.workflow import CaseWorkflow
from engine.domain.process import Effect, Element, OpenTask, OpenTimer, Step
from engine.kernel.errors import ExecutionFailed, TaskNotOpen

MAX_STEPS = 1_000
_KINDS_OF_TASK = ("userTask", "manualTask")

# The library composes log records for every change of state, wanted or not.
logging.getLogger("spiff").setLevel(logging.WARNING)


@dataclass(frozen=True)
class PackagedProcess:
    """One published process, shared by all its cases. Satisfies `engine.domain.process.Process`."""

    elements: Mapping[str, Element]
    spec: Any
    subprocess_specs: Mapping[str, Any]
    decisions: Mapping[str, DecisionTable]

    def start(self, data: Mapping[str, Any]) -> Step:
        """Begin with `data` and go on to where somebody or something is waited for."""
        run = _Run(self)
        workflow = run.workflow(deserializing=False)
        workflow.start_data(data)
        return run.advance(workflow, before=frozenset())

    def complete(self, stored: bytes, key: str, data: Mapping[str, Any]) -> Step:
        """Finish the open task `key`, each key of `data` replacing that of the process data."""
        run = _Run(self)
        workflow = run.load(stored)
        open_before = frozenset(task.id for task in run.waiting_for_people(workflow))
        task = workflow.get_task_from_id(_id(key)) if _id(key) in open_before else None
        if task is None:
            raise TaskNotOpen
        task.data.update(data)
        run.passed.append(str(task.task_spec.bpmn_id))
        with run.blame(task):
            task.run()
        return run.advance(workflow, open_before)

    def fire(self, stored: bytes, key: str) -> Step | None:
        """Fire the waiting timer `key`; None if it no longer waits."""
        run = _Run(self)
        workflow = run.load(stored)
        task = workflow.event_manager.tasks.get(_id(key))
        if task is None or not isinstance(task.task_spec.event_definition, ClockTimer):
            return None
        open_before = frozenset(task.id for task in run.waiting_for_people(workflow))
        with run.blame(task):
            task._set_internal_data(**{FIRED: True})
            task.task_spec._update(task)
        return run.advance(workflow, open_before)


def _id(key: str) -> UUID | None:
    try:
        return UUID(hex=key)
    except ValueError:
        return None


class _Blame:
    """Turns whatever the library or the sandbox raises into ExecutionFailed at an element."""

    def __init__(self, element: str | None) -> None:
        self.element = element

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ExecutionFailed | TaskNotOpen) or not isinstance(error, Exception):
            return
        element = self.element
        if isinstance(error, SpiffWorkflowException):
            spec = getattr(error, "task_spec", None)
            element = getattr(spec, "bpmn_id", None) or element
        known = (ExpressionFailed, ScriptFailed, DecisionFailed, SpiffWorkflowException)
        reason = str(error) if isinstance(error, known) else f"{type(error).__name__}: {error}"
        raise ExecutionFailed(element=element, reason=reason[:500]) from error


@dataclass
class _Run:
    """One step: what it passed and what it asked for."""

    process: PackagedProcess
    effects: list[Effect] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    steps: int = 0
    at: str | None = None

    def workflow(self, deserializing: bool) -> CaseWorkflow:
        return CaseWorkflow(
            self.process.spec,
            self.process.subprocess_specs,
            self.process.decisions,
            self._act,
            deserializing=deserializing,
        )

    def load(self, stored: bytes) -> CaseWorkflow:
        workflow = self.workflow(deserializing=True)
        state.decode(stored, workflow)
        return workflow

    def blame(self, task: Task | None = None) -> _Blame:
        return _Blame(getattr(task.task_spec, "bpmn_id", None) if task else self.at)

    def advance(self, workflow: CaseWorkflow, before: frozenset[UUID]) -> Step:
        try:
            workflow.do_engine_steps(self._will, self._did)
        except ExecutionFailed:
            raise
        except Exception as error:
            _Blame(self.at).__exit__(type(error), error, None)
        tasks = list(self.waiting_for_people(workflow))
        for task in tasks:
            if task.id not in before:
                self._stage(str(task.task_spec.bpmn_id), task.data)
        with self.blame():
            finished = workflow.is_completed()
            return Step(
                state=state.encode(workflow),
                tasks=tuple(self._open_task(task) for task in tasks),
                timers=tuple(self._timers(workflow)),
                effects=tuple(self.effects),
                passed=tuple(self.passed),
                finished=finished,
                data=self._data(workflow, tasks),
            )

    def waiting_for_people(self, workflow: CaseWorkflow) -> Iterator[Task]:
        """The user and manual tasks that are open, subprocesses included."""
        for each in (workflow, *workflow.subprocesses.values()):
            for task in each.tasks.values():
                if task.has_state(TaskState.READY) and task.task_spec.manual:
                    yield task

    def _will(self, task: Task) -> None:
        self.steps += 1
        self.at = getattr(task.task_spec, "bpmn_id", None) or self.at
        if self.steps > MAX_STEPS:
            raise ExecutionFailed(element=self.at, reason="too_many_steps")

    def _did(self, task: Task) -> None:
        element = getattr(task.task_spec, "bpmn_id", None)
        if element in self.process.elements:
            self.passed.append(element)
            self._stage(element, task.data)

    def _stage(self, element: str, data: Mapping[str, Any]) -> None:
        stage = self.process.elements[element].properties.get("stage")
        already = self.effects and self.effects[-1].action == "stage"
        if stage and not (already and self.effects[-1].element == element):
            self.effects.append(
                Effect(element, "stage", {"stage": self._setting(stage, data)}, dict(data))
            )

    def _act(self, element: str, data: Mapping[str, Any]) -> None:
        node = self.process.elements[element]
        action = "letter.send" if node.kind == "sendTask" else node.properties.get("action")
        if action:
            # A stage that a letter or decision announces is reached before it goes out.
            self._stage(element, data)
            self.effects.append(Effect(element, action, self._settings(node, data), dict(data)))

    def _settings(self, node: Element, data: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._setting(value, data) for name, value in node.properties.items()}

    def _setting(self, value: str, data: Mapping[str, Any]) -> Any:
        return expressions.evaluate(value[1:], data) if value.startswith("=") else value

    def _open_task(self, task: Task) -> OpenTask:
        node = self.process.elements[str(task.task_spec.bpmn_id)]
        with self.blame(task):
            settings = self._settings(node, task.data)
        return OpenTask(task.id.hex, node.id, settings, dict(task.data))

    def _timers(self, workflow: CaseWorkflow) -> Iterator[OpenTimer]:
        for task in workflow.event_manager.tasks.values():
            value = task._get_internal_data(VALUE)
            if task.has_state(TaskState.WAITING) and value is not None:
                yield OpenTimer(task.id.hex, str(task.task_spec.bpmn_id), value)

    def _data(self, workflow: CaseWorkflow, tasks: list[Task]) -> dict[str, Any]:
        """What is known now: of all open paths together, or of the last task at the end."""
        if not tasks:
            last = workflow.last_task
            newest = max(
                (task for task in workflow.tasks.values() if task.has_state(TaskState.COMPLETED)),
                key=lambda task: task.last_state_change,
                default=last,
            )
            return dict((newest or workflow.task_tree).data)
        data: dict[str, Any] = {}
        for task in sorted(tasks, key=lambda task: task.last_state_change):
            data |= task.data
        return data
