"""Activities with a scope inside: subprocesses of all kinds, and called processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.bpmn.model import Node
from engine.bpmn.running import compensation
from engine.bpmn.running.activities import Activity
from engine.bpmn.running.nodes import LISTENED, end_if_empty
from engine.bpmn.running.workflow import CaseWorkflow, ScopeRun, Token
from engine.kernel.errors import ExecutionFailed


def begin_scope(workflow: CaseWorkflow, scope: ScopeRun, at: str | None = None) -> None:
    """Let the scope's event subprocesses listen, and enter it, at the start event `at` if given."""
    for id_ in scope.model.event_subprocesses:
        inner = scope.model.scopes[id_]
        for start in inner.triggered:
            node = inner.nodes[start]
            if any(event.kind in LISTENED for event in node.events):
                token = workflow.make(node, scope, subscribed=True)
                token.task_spec.subscribe(token)
    for start in [at] if at else scope.model.starts:
        if not scope.ended:
            workflow.enter(scope.model.nodes[start], scope)


class Subprocess(Activity):
    """An embedded subprocess, a transaction, or an event subprocess once it has begun."""

    def begin(self, token: Token) -> bool | None:
        workflow = token.workflow
        inner = token.scope.container.model.scopes[self.node.id]
        scope = workflow.open_scope(
            "subprocess", inner, self.process, self.variables(token), host=token
        )
        token._set_state(TaskState.STARTED)
        begin_scope(workflow, scope)
        if not scope.ended and not scope.tokens:
            end_if_empty(workflow, scope)
        return None

    def begin_by_event(self, token: Token, start: Node) -> None:
        """The event subprocess begins because its start event happened."""
        workflow = token.workflow
        workflow.log("entered", token)
        workflow.act("entered", token)
        inner = token.scope.model.scopes[self.node.id]
        scope = workflow.open_scope("event", inner, self.process, token.scope, host=token)
        token._set_state(TaskState.STARTED)
        workflow.enter(start, scope)

    def may_end(self, token: Token, scope: ScopeRun) -> bool:
        return compensation.TODO not in token.internal_data

    def scope_ended(self, token: Token, scope: ScopeRun) -> None:
        """All paths inside have ended."""
        workflow = token.workflow
        for each in list(scope.tokens.values()):
            workflow.forget(each)
        undo = compensation.record(scope)
        if undo and "round" not in token.internal_data and scope.kind != "event":
            token.internal_data["undo"] = undo
        elif undo and scope.kind != "event":
            token.scope.container.done.append({"node": self.node.id, **undo})
        workflow.close_scope(scope)
        token.complete()


class AdHoc(Subprocess):
    """Its activities may be done in any order; the condition says when it is enough."""

    def begin(self, token: Token) -> bool | None:
        workflow = token.workflow
        inner = token.scope.container.model.scopes[self.node.id]
        scope = workflow.open_scope(
            "subprocess", inner, self.process, self.variables(token), host=token
        )
        token._set_state(TaskState.STARTED)
        todo = list(inner.starts)
        if inner.sequential:
            token.internal_data["todo"] = todo[1:]
            todo = todo[:1]
        for start in todo:
            workflow.enter(inner.nodes[start], scope)
        if not todo:
            end_if_empty(workflow, scope)
        return None

    def may_end(self, token: Token, scope: ScopeRun) -> bool:
        return super().may_end(token, scope) and not self._next(token, scope)

    def _next(self, token: Token, scope: ScopeRun) -> bool:
        todo = token.internal_data.get("todo") or []
        if not todo or self.is_enough(scope):
            return False
        token.internal_data["todo"] = todo[1:]
        token.workflow.enter(scope.model.nodes[todo[0]], scope)
        return True

    def is_enough(self, scope: ScopeRun) -> bool:
        condition = scope.model.condition
        return condition is not None and condition.holds(scope.view())

    def inside_done(self, token: Token, scope: ScopeRun) -> None:
        """An activity inside has completed: if that is enough the rest is cancelled."""
        if scope.model.cancels_rest and self.is_enough(scope):
            token.workflow.cancel_inside(scope)


class Call(Activity):
    """A call of another process: its variables are its own."""

    def begin(self, token: Token) -> bool | None:
        workflow, node = token.workflow, self.node
        called = node.called
        if called is not None and not isinstance(called, str):
            called = str(called.evaluate(self.view(token)))
        process = workflow.processes.get(called or "")
        if process is None:
            raise ExecutionFailed(
                element=node.id, reason="process_unknown", detail=str(called or "")
            )
        own = self.variables(token)
        values: Mapping[str, Any]
        if node.shares_all:
            values = dict(own.view())
        else:
            values = dict(own.variables) if own is not token.scope else {}
        scope = workflow.open_scope(
            "called", process.root, process.id, own, host=token, variables=values
        )
        token._set_state(TaskState.STARTED)
        begin_scope(workflow, scope)
        return None

    def may_end(self, token: Token, scope: ScopeRun) -> bool:
        return True

    def scope_ended(self, token: Token, scope: ScopeRun) -> None:
        workflow, node = token.workflow, self.node
        for each in list(scope.tokens.values()):
            workflow.forget(each)
        workflow.close_scope(scope)
        if node.outputs:
            values = {each.target: each.source.evaluate(scope.view()) for each in node.outputs}
            workflow.write(token.scope, values)
        elif node.shares_all:
            before = self.variables(token).view()
            changed = {
                name: value
                for name, value in scope.variables.items()
                if name not in before or before[name] is not value
            }
            workflow.write(self.variables(token), changed)
        token.complete()

    def _map_out(self, token: Token) -> None:
        variables = self.variables(token)
        if variables is not token.scope:
            token.workflow.close_scope(variables)
