"""Our own kinds of flow node: actions, decisions, and timers that ask nobody for the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs.defaults import ScriptTask
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin

from engine.bpmn import expressions

if TYPE_CHECKING:
    from engine.bpmn.workflow import CaseWorkflow

VALUE, FIRED = "timer_value", "event_fired"


class ActionTask(BpmnSpecMixin):  # type: ignore[misc]
    """A service or send task: asks for an effect and goes on. An abstract task asks for nothing."""

    def _run_hook(self, my_task: Any) -> bool:
        workflow: CaseWorkflow = my_task.workflow.top_workflow
        workflow.act(self.bpmn_id, my_task.data)
        return True


class DecisionTask(BpmnSpecMixin):  # type: ignore[misc]
    """A business rule task: the decision's outputs become data under the decision's id."""

    def __init__(self, wf_spec: Any, bpmn_id: str, decision: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.decision = decision

    def _run_hook(self, my_task: Any) -> bool:
        workflow: CaseWorkflow = my_task.workflow.top_workflow
        my_task.data[self.decision] = workflow.decide(self.decision, my_task.data)
        return True


class SandboxedScript(ScriptTask):  # type: ignore[misc]
    """A script task; the workflow's script environment is the sandbox."""


class ClockTimer(EventDefinition):  # type: ignore[misc]
    """A timer that waits until it is told to fire. When that is, the engine works out.

    `text` is the model's own, with an expression (``=…``) evaluated when the timer is reached.
    """

    def __init__(self, name: str, text: str, description: str | None = None) -> None:
        super().__init__(name, description)
        self.text = text

    def catches(self, my_task: Any, event: Any) -> bool:
        return False

    def update_task(self, my_task: Any) -> None:
        if my_task._get_internal_data(VALUE) is None:
            text = self.text
            if text.startswith("="):
                text = str(expressions.evaluate(text[1:], my_task.data))
            my_task._set_internal_data(**{VALUE: text})

    def reset(self, my_task: Any) -> None:
        my_task.internal_data.pop(FIRED, None)
        my_task.internal_data.pop(VALUE, None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClockTimer) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)
