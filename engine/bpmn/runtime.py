"""Running a process a step at a time: state in, `Step` out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import state
from engine.bpmn.compaction import compact
from engine.bpmn.decisions import DecisionFailed, DecisionTable
from engine.bpmn.events import VALUE, fire, is_timer
from engine.bpmn.expressions import EXPRESSIONS, ExpressionFailed
from engine.bpmn.joins import scope_data
from engine.bpmn.plain import NotPlain, plain_copy
from engine.bpmn.workflow import CaseWorkflow
from engine.domain.process import Effect, Element, OpenTask, OpenTimer, Step
from engine.kernel.errors import EngineError, ExecutionFailed, TaskNotOpen

MAX_STEPS = 1_000
_COMPACT_EVERY = 50
_REACHED_BEFORE = frozenset(
    {"userTask", "manualTask", "sendTask", "serviceTask", "subProcess", "callActivity"}
)
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ExpressionFailed, "expression_failed"),
    (NotPlain, "data_not_plain"),
    (state.StateTooLarge, "state_too_large"),
    (RecursionError, "too_many_steps"),
    (SpiffWorkflowException, "engine_refused"),
)

# The library composes log records for every change of state, wanted or not.
for _name in ("spiff", "spiff.task", "spiff.workflow"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(eq=False)
class PackagedProcess:
    """One published process, shared by all its cases. Satisfies `engine.domain.process.Process`."""

    elements: Mapping[str, Element]
    spec: Any
    subprocess_specs: Mapping[str, Any]
    decisions: Mapping[str, DecisionTable]

    def start(self, data: Mapping[str, Any]) -> Step:
        """Begin with `data` and go on to where somebody or something is waited for."""
        run = _Run(self)
        with _blame(None):
            workflow = run.workflow(deserializing=False)
            workflow.task_tree.data = plain_copy(data)
        return run.advance(workflow, before=frozenset())

    def complete(self, state: bytes, key: str, data: Mapping[str, Any]) -> Step:
        """Finish the open task `key`, each key of `data` replacing that of the process data."""
        run = _Run(self)
        workflow = run.load(state)
        waiting = {task.id.hex: task for task in _waiting_for_people(workflow)}
        task = waiting.get(key)
        if task is None:
            raise TaskNotOpen
        element = str(task.task_spec.bpmn_id)
        with _blame(element):
            task.data.update(plain_copy(data))
            run.passed.append(element)
            task.run()
        return run.advance(workflow, frozenset(waiting))

    def fire(self, state: bytes, key: str) -> Step | None:
        """Fire the waiting timer `key`; None if it no longer waits."""
        run = _Run(self)
        workflow = run.load(state)
        task = next((each for each in _timers(workflow) if each.id.hex == key), None)
        if task is None:
            return None
        open_before = frozenset(each.id.hex for each in _waiting_for_people(workflow))
        with _blame(str(task.task_spec.bpmn_id)):
            fire(task)
        return run.advance(workflow, open_before)


@contextmanager
def _blame(element: str | None) -> Iterator[None]:
    """Turns whatever the library or the sandbox raises into ExecutionFailed at `element`."""
    try:
        yield
    except EngineError:
        raise
    except DecisionFailed as error:
        raise ExecutionFailed(element=element, reason=str(error)) from error
    except Exception as error:
        reason = next((code for kind, code in _REASONS if isinstance(error, kind)), "unexpected")
        detail = f"{error}" if reason != "unexpected" else f"{type(error).__name__}: {error}"
        raise ExecutionFailed(element=element, reason=reason, detail=detail[:500]) from error


def _open(workflow: CaseWorkflow) -> Iterator[Task]:
    for scope in reversed(workflow.scopes()):
        yield from scope.tasks.values()


def _waiting_for_people(workflow: CaseWorkflow) -> list[Task]:
    """The user and manual tasks that are open, subprocesses included."""
    return [
        task
        for task in _open(workflow)
        if task.has_state(TaskState.READY) and task.task_spec.manual
    ]


def _timers(workflow: CaseWorkflow) -> list[Task]:
    return [task for task in _open(workflow) if is_timer(task)]


@dataclass
class _Run:
    """One step: what it passed and what it asked for."""

    process: PackagedProcess
    effects: list[Effect] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)

    def workflow(self, deserializing: bool) -> CaseWorkflow:
        return CaseWorkflow(
            self.process.spec,
            self.process.subprocess_specs,
            self.process.decisions,
            act=self._act,
            enter=self._stage,
            deserializing=deserializing,
        )

    def load(self, stored: bytes) -> CaseWorkflow:
        workflow = self.workflow(deserializing=True)
        state.decode(stored, workflow)
        return workflow

    def advance(self, workflow: CaseWorkflow, before: frozenset[str]) -> Step:
        self._run(workflow)
        tasks = _waiting_for_people(workflow)
        for task in tasks:
            if task.id.hex not in before:
                with _blame(str(task.task_spec.bpmn_id)):
                    self._stage(str(task.task_spec.bpmn_id), task.data)
        finished = workflow.is_completed()
        timers = _timers(workflow)
        if not finished and not tasks and not timers:
            raise ExecutionFailed(element=_stuck_at(workflow), reason="deadlock")
        with _blame(None):
            data = scope_data(workflow)
            compact(workflow)
            stored = state.encode(workflow)
        return Step(
            state=stored,
            tasks=tuple(self._open_task(task) for task in tasks),
            timers=tuple(
                OpenTimer(task.id.hex, str(task.task_spec.bpmn_id), task.internal_data[VALUE])
                for task in timers
            ),
            effects=tuple(self.effects),
            passed=tuple(self.passed),
            finished=finished,
            data=data,
        )

    def _run(self, workflow: CaseWorkflow) -> None:
        at = self.passed[-1] if self.passed else None
        for steps in range(1, MAX_STEPS + 2):
            with _blame(at):
                task = workflow.next_ready()
            if task is None:
                return
            at = task.task_spec.bpmn_id or at
            if steps > MAX_STEPS:
                raise ExecutionFailed(element=at, reason="too_many_steps")
            with _blame(at):
                task.run()
                self._did(task)
                if steps % _COMPACT_EVERY == 0:
                    compact(workflow)

    def _did(self, task: Task) -> None:
        element = self.process.elements.get(task.task_spec.bpmn_id)
        if element is not None:
            self.passed.append(element.id)
            if element.kind not in _REACHED_BEFORE:
                self._stage(element.id, task.data)

    def _stage(self, element: str, data: Mapping[str, Any]) -> None:
        stage = self.process.elements[element].properties.get("stage")
        if stage:
            with _blame(element):
                reached = {"stage": _setting(stage, data)}
            self.effects.append(Effect(element, "stage", reached, dict(data)))

    def _act(self, element: str, data: Mapping[str, Any]) -> None:
        node = self.process.elements[element]
        action = "letter.send" if node.kind == "sendTask" else node.properties.get("action")
        if node.kind in _REACHED_BEFORE:
            # A stage that a letter or decision announces is reached before it goes out.
            self._stage(element, data)
        if action and node.kind in ("sendTask", "serviceTask"):
            self.effects.append(Effect(element, action, _settings(node, data), dict(data)))

    def _open_task(self, task: Task) -> OpenTask:
        node = self.process.elements[str(task.task_spec.bpmn_id)]
        with _blame(node.id):
            return OpenTask(task.id.hex, node.id, _settings(node, task.data), dict(task.data))


def _settings(node: Element, data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _setting(value, data) for name, value in node.properties.items()}


def _setting(value: str, data: Mapping[str, Any]) -> Any:
    return EXPRESSIONS.evaluate(value[1:], data) if value.startswith("=") else value


def _stuck_at(workflow: CaseWorkflow) -> str | None:
    waiting = [
        task.task_spec.bpmn_id
        for task in _open(workflow)
        if task.has_state(TaskState.WAITING) and task.task_spec.bpmn_id
    ]
    return str(waiting[0]) if waiting else None
