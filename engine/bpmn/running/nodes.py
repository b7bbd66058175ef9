"""What all flow nodes share: how a token enters, goes on by the flows, and ends its scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.specs import WorkflowSpec
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.model import GATEWAYS, Flow, Node
from engine.bpmn.running.workflow import ScopeRun, Token
from engine.kernel.errors import ExecutionFailed


class FlowNode(TaskSpec):  # type: ignore[misc]
    """The spec of one flow node. `_run_hook` gives True when it is over at once, None to wait."""

    def __init__(self, wf_spec: WorkflowSpec, process: str, node: Node) -> None:
        super().__init__(wf_spec, f"{process}/{node.id}")
        self.process, self.node = process, node

    def test(self) -> None:
        return None

    def _update_hook(self, my_task: Token) -> bool:
        my_task.workflow.log("entered", my_task)
        return True

    def _on_ready_hook(self, my_task: Token) -> None:
        my_task.workflow.queue(my_task)

    def _run_hook(self, my_task: Token) -> bool | None:
        return True

    def _on_complete(self, my_task: Token) -> None:
        if my_task.id not in my_task.workflow.tasks:
            return  # what it threw has ended it
        self.leave(my_task)
        my_task.workflow._task_completed_notify(my_task)

    def _on_error(self, my_task: Token) -> None:
        return None

    def leave(self, token: Token) -> None:
        """The token has done what it came for and goes on by the outgoing flows."""
        workflow, scope = token.workflow, token.scope
        workflow.log("completed", token)
        workflow.forget(token)
        workflow.act("completed", token)
        self.go_on(token, scope)

    def go_on(self, token: Token, scope: ScopeRun) -> None:
        if scope.ended:
            return
        flows = chosen(self.node, scope.view()) if self.node.flows else []
        if scope.model.kind == "adHocSubProcess" and scope.host is not None:
            scope.host.task_spec.inside_done(scope.host, scope)
        for _ in range(self.node.completion_quantity):
            take(token, flows, scope)
        end_if_empty(token.workflow, scope)

    def serialize(self, serializer: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("definitions are kept as the files they came from")


def chosen(node: Node, data: Mapping[str, Any]) -> list[Flow]:
    """The flows that a token takes from `node`. Raises ExecutionFailed if no condition holds."""
    if node.kind in ("parallelGateway", "eventBasedGateway"):
        return list(node.flows)
    if all(flow.condition is None for flow in node.flows) and not (
        node.default and len(node.flows) > 1
    ):
        return list(node.flows[:1]) if node.kind == "exclusiveGateway" else list(node.flows)
    taken: list[Flow] = []
    by_condition = False
    for flow in node.flows:
        if flow.id == node.default:
            continue
        if flow.condition is None or flow.condition.holds(data):
            taken.append(flow)
            by_condition = by_condition or flow.condition is not None
            if node.kind == "exclusiveGateway":
                break
    otherwise = [flow for flow in node.flows if flow.id == node.default]
    if not taken or (not by_condition and node.kind not in GATEWAYS):
        # On an activity the default goes beside flows without condition; at a gateway instead.
        taken += otherwise
    if not taken:
        raise ExecutionFailed(element=node.id, reason="no_condition_met")
    return taken


def take(token: Token, flows: list[Flow], scope: ScopeRun) -> None:
    for flow in flows:
        target = scope.model.nodes.get(flow.target)
        if target is not None and not scope.ended:
            token.workflow.enter(target, scope, by=flow.id)


def end_if_empty(workflow: Any, scope: ScopeRun) -> None:
    """The scope ends when nothing is left in it but what only listens."""
    if scope.ended or scope.kind in ("local", "revived"):
        return
    if any(not token.internal_data.get("subscribed") for token in scope.tokens.values()):
        return
    if scope.host is not None:
        if scope.host.task_spec.may_end(scope.host, scope):
            scope.host.task_spec.scope_ended(scope.host, scope)
        return
    for token in list(scope.tokens.values()):
        workflow.forget(token)
    scope.ended = True
    workflow.completed = True


LISTENED = frozenset({"timer", "message", "signal", "conditional"})
"""What a token waits for; errors, escalations and the like find their catcher when thrown."""


def complete_now(token: Token) -> None:
    """Let a token that never had to wait do its work and go on."""
    token._set_state(TaskState.READY)
    token.complete()
