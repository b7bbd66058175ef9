"""Events that wait, and events that throw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.bpmn.running import compensation
from engine.bpmn.running.gateways import end_rivals
from engine.bpmn.running.nodes import FlowNode, complete_now, end_if_empty
from engine.bpmn.running.throwing import (
    fire_cancel,
    name_of,
    start_event_subprocess,
    throw_error,
    throw_escalation,
)
from engine.bpmn.running.workflow import ScopeRun, Token
from engine.bpmn.timers import rounds_of, timer_value
from engine.kernel.errors import ExecutionFailed

WAITS, SHOTS, LEFT, FIRED, WAS = "waits", "shots", "left", "fired", "was"


def listen(token: Token) -> None:
    """The token waits for its events; a timer's text is worked out now."""
    data = token.scope.view()
    waits: list[list[Any]] = []
    for event in token.node.events:
        if event.kind == "timer" and event.value is not None:
            value = timer_value(event.value, event.timer, data, token.node.id)
            token.internal_data[LEFT] = rounds_of(value)
            waits.append(["timer", value])
        elif event.kind in ("message", "signal"):
            key = None if event.correlation is None else event.correlation.evaluate(data)
            waits.append([event.kind, name_of(event, data), None if key is None else str(key)])
        elif event.kind == "conditional":
            token.workflow.changed = True
            waits.append(["conditional"])
        else:
            waits.append([event.kind])
    token.internal_data[WAITS] = waits
    token._set_state(TaskState.WAITING)


class Catching(FlowNode):
    """Waits for one of its events, or for all of them if parallel multiple."""

    def subscribe(self, token: Token) -> None:
        listen(token)

    def _run_hook(self, my_task: Token) -> bool | None:
        self.subscribe(my_task)
        return None

    def fire(self, token: Token, index: int, data: Mapping[str, Any]) -> None:
        """The event `index` happens, bringing `data`."""
        token.workflow.log("caught", token)
        if self.node.parallel_multiple:
            fired = set(token.internal_data.get(FIRED, [])) | {index}
            token.internal_data[FIRED] = sorted(fired)
            if len(fired) < len(self.node.events):
                token.workflow.write_plain(token.scope, data)
                return
            token.internal_data.pop(FIRED)
        self.happen(token, index, data)

    def happen(self, token: Token, index: int, data: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def reconsider(self, token: Token) -> None:
        """Look at the conditions again; one that has become true happens."""
        for index, event in enumerate(self.node.events):
            if event.kind == "conditional" and event.value is not None:
                holds = event.value.holds(token.scope.view())
                was = bool(token.internal_data.get(WAS))
                token.internal_data[WAS] = holds
                if holds and not was:
                    self.fire(token, index, {})
                    return

    def rearm(self, token: Token, index: int) -> bool:
        """Whether the subscription goes on waiting after it has happened."""
        internal = token.internal_data
        internal[SHOTS] = internal.get(SHOTS, 0) + 1
        if self.node.events[index].kind != "timer":
            return True
        left = internal.get(LEFT)
        if left is not None:
            internal[LEFT] = left - 1
        return left is None or left > 1


class CatchEvent(Catching):
    def happen(self, token: Token, index: int, data: Mapping[str, Any]) -> None:
        token.workflow.write_plain(token.scope, data)
        end_rivals(token)
        token.complete()


class StartEvent(Catching):
    """A start event; one that starts an event subprocess listens in the scope around it."""

    def _run_hook(self, my_task: Token) -> bool | None:
        return True

    def happen(self, token: Token, index: int, data: Mapping[str, Any]) -> None:
        workflow, scope = token.workflow, token.scope
        workflow.write_plain(scope, data)
        if self.node.interrupting or not self.rearm(token, index):
            workflow.forget(token)
        start_event_subprocess(workflow, scope, self.node)


class BoundaryEvent(Catching):
    def happen(self, token: Token, index: int, data: Mapping[str, Any]) -> None:
        workflow, scope, host = token.workflow, token.scope, token.host
        workflow.write_plain(scope, data)
        if not self.node.interrupting:
            if not self.rearm(token, index):
                workflow.forget(token)
                if host is not None:
                    host.boundaries.remove(token)
            complete_now(workflow.make(self.node, scope))
            return
        token.internal_data.pop("subscribed", None)
        token.host = None
        if host is not None:
            host.boundaries.remove(token)
            end_rivals(host)
            workflow.cancel_token(host)
        token.complete()


class ThrowEvent(FlowNode):
    """An intermediate throw event: throws each of its definitions and goes on."""

    def _run_hook(self, my_task: Token) -> bool | None:
        waits = False
        for event in self.node.events:
            if event.kind == "compensation":
                waits = compensation.begin(my_task, event) or waits
            else:
                throw(my_task, event)
        return None if waits else True


def throw(token: Token, event: Any) -> None:
    """Throw a message, signal or escalation."""
    workflow, data = token.workflow, token.scope.view()
    name = name_of(event, data)
    workflow.log("thrown", token)
    if event.kind == "signal":
        broadcast(token, str(name))
    elif event.kind == "message":
        key = None if event.correlation is None else event.correlation.evaluate(data)
        workflow.thrown.append(
            {
                "kind": "message",
                "element": token.node.id,
                "name": name,
                "key": None if key is None else str(key),
                "data": dict(data),
            }
        )
    elif event.kind == "escalation":
        throw_escalation(token, name)


def broadcast(token: Token, name: str) -> None:
    """A signal reaches all who listen for it in this case, and then those in others."""
    workflow = token.workflow
    workflow.thrown.append(
        {
            "kind": "signal",
            "element": token.node.id,
            "name": name,
            "key": None,
            "data": dict(token.scope.view()),
        }
    )
    deliver_signal(workflow, name, {})


def deliver_signal(workflow: Any, name: str, data: Mapping[str, Any]) -> int:
    """Fire every event that waits for the signal `name`; how many."""
    count = 0
    for token in list(workflow.tasks.values()):
        for index, wait in enumerate(token.internal_data.get(WAITS, [])):
            if wait[:2] == ["signal", name] and token.id in workflow.tasks and token.waits():
                count += 1
                token.task_spec.fire(token, index, data)
    return count


class EndEvent(FlowNode):
    """Ends its path; what it throws it throws on leaving, when its own token is gone."""

    def _run_hook(self, my_task: Token) -> bool | None:
        waits = False
        for event in self.node.events:
            if event.kind in ("message", "signal"):
                throw(my_task, event)
            elif event.kind == "compensation":
                waits = compensation.begin(my_task, event) or waits
        return None if waits else True

    def leave(self, token: Token) -> None:
        workflow, scope = token.workflow, token.scope
        workflow.log("completed", token)
        workflow.forget(token)
        workflow.act("completed", token)
        if scope.kind in ("process",):
            workflow.ended_at.append(self.node.id)
        for event in self.node.events:
            if scope.ended:
                return
            self._end_with(token, event, scope)
        if not scope.ended:
            end_if_empty(workflow, scope)

    def _end_with(self, token: Token, event: Any, scope: ScopeRun) -> None:
        workflow = token.workflow
        if event.kind == "terminate":
            workflow.cancel_inside(scope)
        elif event.kind == "error":
            code = name_of(event, scope.view())
            workflow.log("thrown", token)
            if not throw_error(token, code or "", at_itself=False):
                raise ExecutionFailed(
                    element=self.node.id, reason="error_not_caught", detail=code or ""
                )
        elif event.kind == "escalation":
            workflow.log("thrown", token)
            throw_escalation(token, name_of(event, scope.view()))
        elif event.kind == "cancel":
            workflow.log("thrown", token)
            cancel_transaction(token)


def cancel_transaction(token: Token) -> None:
    """End what runs in the transaction, undo what is done, then let its cancel event go on."""
    workflow, scope = token.workflow, token.scope
    while scope.host is not None and scope.model.kind != "transaction":
        scope = scope.host.scope
    host = scope.host
    if host is None or scope.model.kind != "transaction":
        raise ExecutionFailed(element=token.node.id, reason="no_transaction")
    workflow.cancel_inside(scope)
    if not compensation.undo_transaction(scope, host):
        fire_cancel(workflow, host)
