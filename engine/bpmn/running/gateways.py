"""Gateways: where paths part and meet. Tokens are counted at the flow by which they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from SpiffWorkflow.util.task import TaskState

from engine.bpmn.model import Node
from engine.bpmn.running.nodes import FlowNode
from engine.bpmn.running.workflow import ScopeRun, Token


class Exclusive(FlowNode):
    """Takes the first flow whose condition holds, else the default."""


class _Join(FlowNode):
    """Tokens wait at the flow by which they came, until as many go on as one."""

    def _update_hook(self, my_task: Token) -> bool:
        workflow = my_task.workflow
        workflow.log("entered", my_task)
        if len(self.node.incoming) < 2:
            return True
        my_task._set_state(TaskState.WAITING)
        self.arrived(my_task)
        return False

    def arrived(self, token: Token) -> None:
        return None

    def first_of_each_flow(self, scope: ScopeRun) -> dict[str, Token]:
        first: dict[str, Token] = {}
        for token in scope.tokens.values():
            if token.task_spec is self and token.has_state(TaskState.WAITING):
                first.setdefault(token.internal_data.get("by", ""), token)
        return first

    def fire(self, tokens: Iterable[Token]) -> None:
        """These tokens go on as one."""
        one, *others = tokens
        for token in others:
            one.workflow.forget(token)
        one._ready()


class Parallel(_Join):
    """Goes on when a token waits at every incoming flow; to all outgoing flows."""

    def arrived(self, token: Token) -> None:
        first = self.first_of_each_flow(token.scope)
        if len(first) >= len(self.node.incoming):
            self.fire(first.values())


class Inclusive(_Join):
    """Goes on when no other token can still arrive; to every flow whose condition holds.

    BPMN 2.0, 13.4.3: it fires when no token elsewhere in the scope has a path to an incoming flow
    that is still empty, unless that token also has a path to one that is not.
    """

    def decide(self, token: Token) -> bool:
        """Whether the tokens that wait here may go on now."""
        scope = token.scope
        first = self.first_of_each_flow(scope)
        if token not in first.values():
            return False
        empty = set(self.node.incoming) - set(first)
        if empty and any(self._may_come(each, empty, set(first)) for each in _standing(scope)):
            return False
        self.fire(first.values())
        return True

    def _may_come(self, token: Token, empty: set[str], full: set[str]) -> bool:
        nodes = token.scope.container.model.nodes
        start = nodes.get(token.node.id)
        if start is None or start.id == self.node.id:
            return False
        seen, flows, ahead = {start.id}, set(), [start]
        while ahead:
            for flow, target in _onward(ahead.pop(), nodes):
                flows.add(flow)
                if target is not None and target.id not in seen and target.id != self.node.id:
                    seen.add(target.id)
                    ahead.append(target)
        return bool(flows & empty) and not flows & full


def _standing(scope: ScopeRun) -> list[Token]:
    return [token for token in scope.tokens.values() if not token.internal_data.get("subscribed")]


def _onward(node: Node, nodes: Mapping[str, Node]) -> list[tuple[str, Node | None]]:
    """Where a token can get to from the node: by its flows, and by the events at its edge."""
    onward = [(flow.id, nodes.get(flow.target)) for flow in node.flows]
    return onward + [(f"@{boundary}", nodes.get(boundary)) for boundary in node.boundaries]


class EventBased(FlowNode):
    """All its events wait at once; the first to happen ends the others."""

    def leave(self, token: Token) -> None:
        workflow, scope = token.workflow, token.scope
        workflow.log("completed", token)
        workflow.forget(token)
        workflow.act("completed", token)
        for flow in self.node.flows:
            workflow.enter(scope.model.nodes[flow.target], scope, by=flow.id, group=token.id)


def end_rivals(token: Token) -> None:
    """One event after an event-based gateway happened: the others no longer wait."""
    group = token.internal_data.pop("group", None)
    if group is not None:
        for other in list(token.scope.tokens.values()):
            if other is not token and other.internal_data.get("group") == group:
                token.workflow.cancel_token(other)
