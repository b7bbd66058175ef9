"""Events: timers that ask nobody for the time, and errors that only their own scope catches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, IntermediateCatchEvent
from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.joins import scope_data
from engine.bpmn.timers import timer_value
from engine.kernel.errors import ExecutionFailed

VALUE, FIRED = "value", "fired"


@dataclass(frozen=True)
class Timer:
    """`text` is the model's own; an expression (``=…``) is evaluated when the event is reached."""

    text: str


@dataclass(frozen=True)
class ErrorCatch:
    """Catches errors of `code`, or any if None."""

    code: str | None


class _Catch:
    """Waits until it is told to fire. VALUE holds a timer's evaluated text."""

    event_definition: Any
    bpmn_id: str

    def _update_hook(self, my_task: Task) -> bool:
        if VALUE not in my_task.internal_data:
            my_task.data = dict(my_task.parent.data)
            my_task.internal_data[VALUE] = self._value(my_task)
        if my_task.internal_data.get(FIRED):
            return True
        if not my_task.has_state(TaskState.WAITING):
            my_task._set_state(TaskState.WAITING)
        return False

    def _value(self, my_task: Task) -> str:
        if isinstance(self.event_definition, Timer):
            return timer_value(self.event_definition.text, my_task.data, self.bpmn_id)
        return ""

    def _on_ready_hook(self, my_task: Task) -> None:
        return None

    def _run_hook(self, my_task: Task) -> bool:
        return True

    def _on_cancel(self, my_task: Task) -> None:
        return None


class CatchEvent(_Catch, IntermediateCatchEvent):  # type: ignore[misc]
    """An intermediate timer. After an event-based gateway the first to fire ends the others."""

    def _on_ready_hook(self, my_task: Task) -> None:
        if isinstance(my_task.parent.task_spec, EventGateway):
            for other in my_task.parent.children:
                if other is not my_task:
                    other.cancel()


class EventGateway(BpmnSpecMixin):  # type: ignore[misc]
    """Lets all its events wait at once."""


class BoundaryCatch(_Catch, BoundaryEvent):  # type: ignore[misc]
    """A timer or error event on the edge of an activity."""


def fire(my_task: Task) -> None:
    """Make the waiting event happen. On a subprocess, it knows what the subprocess knows."""
    if isinstance(my_task.task_spec, BoundaryCatch):
        inner = my_task.workflow.top_workflow.subprocesses.get(host_of(my_task).id)
        if inner is not None:
            my_task.data = scope_data(inner)
    my_task.internal_data[FIRED] = True
    my_task.task_spec._update(my_task)


def host_of(my_task: Task) -> Task:
    """The activity a boundary event is attached to."""
    return next(
        task for task in my_task.parent.children if not isinstance(task.task_spec, BoundaryEvent)
    )


def is_timer(my_task: Task) -> bool:
    return my_task.has_state(TaskState.WAITING) and isinstance(
        getattr(my_task.task_spec, "event_definition", None), Timer
    )


class ErrorEnd(BpmnSpecMixin):  # type: ignore[misc]
    """An error end event: fires the nearest enclosing activity's error event for its code."""

    def __init__(self, wf_spec: Any, bpmn_id: str, code: str | None, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.code = code

    def _run_hook(self, my_task: Task) -> bool:
        catcher = self._catcher(my_task)
        if catcher is None:
            raise ExecutionFailed(
                element=self.bpmn_id, reason="error_not_caught", detail=self.code or ""
            )
        fire(catcher)
        return True

    def _catcher(self, my_task: Task) -> Task | None:
        workflow = my_task.workflow
        while workflow.parent_task_id is not None:
            host = workflow.top_workflow.get_task_from_id(workflow.parent_task_id)
            if isinstance(host.parent.task_spec, BoundaryEventSplit):
                events = {
                    event.task_spec.event_definition.code: event
                    for event in host.parent.children
                    if isinstance(event.task_spec, BoundaryCatch)
                    and isinstance(event.task_spec.event_definition, ErrorCatch)
                    and event.has_state(TaskState.WAITING)
                }
                found = events.get(self.code) or events.get(None)
                if found is not None:
                    return found
            workflow = host.workflow
        return None
