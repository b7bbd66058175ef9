"""Activities: tasks of all kinds, and what they share with subprocesses and calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.bpmn.expressions import EXPRESSIONS
from engine.bpmn.languages import Expression
from engine.bpmn.running import compensation, loops
from engine.bpmn.running.events import listen
from engine.bpmn.running.gateways import end_rivals
from engine.bpmn.running.nodes import LISTENED, FlowNode
from engine.bpmn.running.workflow import ScopeRun, Token
from engine.kernel.errors import ExecutionFailed


class Activity(FlowNode):
    """A task, subprocess or call: may have boundary events, mappings, rounds and a compensation."""

    def _update_hook(self, my_task: Token) -> bool:
        needed = self.node.start_quantity
        super()._update_hook(my_task)
        if needed < 2 or "round" in my_task.internal_data or "handles" in my_task.internal_data:
            return True
        my_task._set_state(TaskState.WAITING)
        gathered = [
            token
            for token in my_task.scope.tokens.values()
            if token.task_spec is self and token.has_state(TaskState.WAITING)
        ]
        if len(gathered) < needed:
            return False
        for token in gathered[: needed - 1]:
            my_task.workflow.forget(token)
        return True

    def _run_hook(self, my_task: Token) -> bool | None:
        workflow, node = my_task.workflow, self.node
        if node.id in workflow.skips:
            return True
        is_round = "round" in my_task.internal_data
        if not is_round:
            self._attach(my_task)
        if node.loop is not None and not is_round:
            if node.before is not None and self._has_scripts(my_task):
                self.run_script(my_task, node.before)
            return loops.begin(my_task)
        if node.inputs:
            values = {
                each.target: each.source.evaluate(my_task.scope.view()) for each in node.inputs
            }
            layer = workflow.layer(my_task.scope, None, values)
            my_task.internal_data["layer"] = layer.id
        if node.before is not None and self._has_scripts(my_task):
            self.run_script(my_task, node.before)
        workflow.act("entered", my_task)
        return self.begin(my_task)

    def _has_scripts(self, token: Token) -> bool:
        """Whether the scripts around the activity are this token's: its own, or each round's."""
        loop = self.node.loop
        return loop is None or loop.scripts_inside is ("round" in token.internal_data)

    def begin(self, token: Token) -> bool | None:
        """Do the work: True if it is done, None if it waits."""
        return True

    def variables(self, token: Token) -> ScopeRun:
        """Where the activity reads and writes: its own layer if it has one."""
        own = token.workflow.scopes.get(token.internal_data.get("layer", 0))
        return own if own is not None else token.scope

    def view(self, token: Token) -> Mapping[str, Any]:
        return self.variables(token).view()

    def keep_own(self, token: Token, values: dict[str, Any]) -> None:
        """Variables for the output mappings of this activity only."""
        if token.internal_data.get("layer") is None:
            token.internal_data["layer"] = token.workflow.layer(token.scope, None, {}).id
        self.variables(token).variables.update(values)

    def run_script(self, token: Token, script: Expression) -> None:
        variables = self.variables(token)
        data = variables.view()
        if script.language != "python":
            script.evaluate(data)
            return
        made, gone = EXPRESSIONS.changes(script.source, data)
        changed = {
            name: value
            for name, value in made.items()
            if name not in data or data[name] is not value
        }
        token.workflow.write(variables, changed)
        if gone:
            token.workflow.delete(variables, gone)

    def _attach(self, token: Token) -> None:
        workflow, scope = token.workflow, token.scope
        if "handles" in token.internal_data:
            return
        for id_ in self.node.boundaries:
            node = scope.model.nodes[id_]
            if any(event.kind in LISTENED for event in node.events):
                boundary = workflow.make(node, scope, subscribed=True)
                boundary.host = token
                token.boundaries.append(boundary)
                boundary.task_spec.subscribe(boundary)

    def leave(self, token: Token) -> None:
        workflow, node = token.workflow, self.node
        skipped = node.id in workflow.skips
        if not skipped and node.after is not None and self._has_scripts(token):
            self.run_script(token, node.after)
        if not skipped and (node.loop is None or "round" in token.internal_data):
            self._map_out(token)
        if "round" in token.internal_data:
            workflow.log("completed", token)
            workflow.forget(token)
            loops.round_done(token)
            return
        workflow.drop_boundaries(token)
        if "handles" in token.internal_data:
            workflow.log("completed", token)
            workflow.forget(token)
            compensation.handler_done(token)
            return
        if node.handler is not None or token.internal_data.get("undo"):
            token.scope.container.done.append(
                {"node": node.id, **token.internal_data.pop("undo", {})}
            )
        super().leave(token)

    def _map_out(self, token: Token) -> None:
        workflow, node = token.workflow, self.node
        variables = self.variables(token)
        if node.outputs:
            view = variables.view()
            values = {each.target: each.source.evaluate(view) for each in node.outputs}
            if variables is not token.scope:
                workflow.close_scope(variables)
            workflow.write(token.scope, values)
        elif variables is not token.scope:
            workflow.close_scope(variables)


class PersonTask(Activity):
    """A user or manual task: open until somebody finishes it."""

    def begin(self, token: Token) -> bool | None:
        return None


class JobTask(Activity):
    """A service, send, business rule or plain task.

    One that names a topic waits until a job worker reports; others act at once.
    """

    def begin(self, token: Token) -> bool | None:
        workflow, node = token.workflow, self.node
        if node.topic is not None:
            token.internal_data["retries"] = node.retries
            return None
        if node.decision is not None:
            self._decide(token, node.decision)
        elif node.value is not None:
            value = node.value.evaluate(self.view(token))
            if node.result:
                workflow.write(self.variables(token), {node.result: value})
        workflow.act("acted", token)
        return True

    def _decide(self, token: Token, decision: str) -> None:
        made = token.workflow.decisions[decision].decide(self.view(token))
        if self.node.result:
            made = {self.node.result: made}
        elif not isinstance(made, Mapping):
            made = {decision: made}
        token.workflow.write_plain(self.variables(token), made)


class ScriptTask(Activity):
    def begin(self, token: Token) -> bool | None:
        script = self.node.script
        if script is None:
            return True
        if script.language == "python":
            self.run_script(token, script)
            return True
        value = script.evaluate(self.view(token))
        if self.node.result:
            token.workflow.write(self.variables(token), {self.node.result: value})
        return True


class ReceiveTask(Activity):
    """Waits for its message, as a catch event would."""

    def begin(self, token: Token) -> bool | None:
        if not self.node.events:
            raise ExecutionFailed(element=self.node.id, reason="nothing_to_wait_for")
        listen(token)
        return None

    def fire(self, token: Token, index: int, data: Mapping[str, Any]) -> None:
        workflow = token.workflow
        workflow.log("caught", token)
        workflow.write_plain(self.variables(token), data)
        end_rivals(token)
        token.complete()
