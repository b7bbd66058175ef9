"""Our own kinds of flow node: actions, decisions, scripts, choices and subprocesses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs.defaults import CallActivity, ExclusiveGateway, SubWorkflowTask
from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.task import Task

from engine.bpmn.expressions import EXPRESSIONS
from engine.bpmn.joins import go_on
from engine.kernel.errors import ExecutionFailed

if TYPE_CHECKING:
    from engine.bpmn.workflow import CaseWorkflow


class ActionTask(BpmnSpecMixin):  # type: ignore[misc]
    """A service or send task: asks for an effect and goes on. An abstract task asks for nothing."""

    def _run_hook(self, my_task: Task) -> bool:
        workflow: CaseWorkflow = my_task.workflow.top_workflow
        workflow.act(self.bpmn_id, my_task.data)
        return True


class DecisionTask(BpmnSpecMixin):  # type: ignore[misc]
    """A business rule task: the decision's outputs become data under the decision's id."""

    def __init__(self, wf_spec: Any, bpmn_id: str, decision: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.decision = decision

    def _run_hook(self, my_task: Task) -> bool:
        workflow: CaseWorkflow = my_task.workflow.top_workflow
        my_task.data[self.decision] = workflow.decide(self.decision, my_task.data)
        return True


class ScriptedTask(BpmnSpecMixin):  # type: ignore[misc]
    """A script task, run in the sandbox."""

    def __init__(self, wf_spec: Any, bpmn_id: str, script: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.script = script

    def _run_hook(self, my_task: Task) -> bool:
        my_task.data = EXPRESSIONS.run(self.script, my_task.data)
        return True


class Choice(ExclusiveGateway):  # type: ignore[misc]
    """An exclusive gateway: the first flow, in the file's order, whose condition holds."""

    def _run_hook(self, my_task: Task) -> bool:
        chosen = self.default_task_spec
        for condition, name in self.cond_task_specs:
            if condition is not None and condition._matches(my_task):
                chosen = name
                break
        if chosen is None:
            raise ExecutionFailed(element=self.bpmn_id, reason="no_condition_met")
        go_on(my_task, [self._wf_spec.task_specs[chosen]])
        return True


class _Scope:
    """Tells that a subprocess is reached, for its public stage."""

    bpmn_id: str

    def start_workflow(self, my_task: Task) -> None:
        workflow: CaseWorkflow = my_task.workflow.top_workflow
        workflow.enter(self.bpmn_id, my_task.data)
        super().start_workflow(my_task)  # type: ignore[misc]


class Subprocess(_Scope, SubWorkflowTask):  # type: ignore[misc]
    """An embedded subprocess."""


class CalledProcess(_Scope, CallActivity):  # type: ignore[misc]
    """A call of another process of the package."""
