"""Compensation: completed activities are undone, the last first, one after another.

A scope remembers what completed in it and has a handler, as plain records: the node, and for a
subprocess its own records and variables. Whoever throws waits until the last handler is done.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.bpmn.model import EventSpec, Node, Scope
from engine.bpmn.running.throwing import fire_cancel
from engine.bpmn.running.workflow import ScopeRun, Token

TODO = "undoing"


def record(scope: ScopeRun) -> dict[str, Any]:
    """What a subprocess leaves behind so that it can be undone later; {} if nothing can."""
    if not scope.done and compensation_start(scope.model) is None:
        return {}
    return {"done": list(scope.done), "data": dict(scope.variables)}


def compensation_start(scope: Scope) -> Node | None:
    """The start event of the scope's own compensation event subprocess."""
    for id_ in scope.event_subprocesses:
        inner = scope.scopes[id_]
        for start in inner.triggered:
            if inner.nodes[start].is_catching("compensation"):
                return inner.nodes[start]
    return None


def begin(thrower: Token, event: EventSpec) -> bool:
    """Undo the activity the event names, or all of the scope; whether there is anything to do."""
    workflow, scope = thrower.workflow, thrower.scope.container
    workflow.log("thrown", thrower)
    place: ScopeRun | None = scope
    if scope.kind == "event" and scope.parent is not None:
        # The handler of a scope undoes what completed in that scope.
        place = scope.parent
    names = event.name if isinstance(event.name, str) else None
    while place is not None:
        chosen = [each for each in place.done if names in (None, each["node"])]
        if chosen or names is None:
            break
        place = place.host.scope.container if place.host is not None else None
    if place is None:
        return False
    chosen = [each for each in place.done if names in (None, each["node"])]
    place.done[:] = [each for each in place.done if each not in chosen]
    return _undo(thrower, place, chosen)


def undo_transaction(scope: ScopeRun, host: Token) -> bool:
    """Undo all that completed in a cancelled transaction; whether there is anything to do."""
    chosen = list(scope.done)
    scope.done.clear()
    host.internal_data["cancelling"] = True
    return _undo(host, scope, chosen)


def _undo(thrower: Token, place: ScopeRun, chosen: list[dict[str, Any]]) -> bool:
    if not chosen:
        return False
    todo = [[each, place.id] for each in chosen]
    thrower.internal_data[TODO] = todo
    if not thrower.has_state(TaskState.STARTED):
        thrower._set_state(TaskState.STARTED)
    return _next(thrower)


def _next(thrower: Token) -> bool:
    """Begin the next handler; False when all are done."""
    workflow, todo = thrower.workflow, thrower.internal_data[TODO]
    while todo:
        each, place_id = todo.pop()
        place = workflow.scopes.get(place_id)
        if place is None:
            continue
        node = place.model.nodes[each["node"]]
        if node.handler is not None:
            _start(thrower, place, place.model.nodes[node.handler])
            return True
        inner = _revive(thrower, place, node, each)
        start = compensation_start(inner.model)
        if start is not None:
            host_node = inner.model.nodes[start.scope]
            token = workflow.make(host_node, inner, handles=thrower.id)
            token.task_spec.begin_by_event(token, start)
            return True
        todo += [[record, inner.id] for record in each.get("done", [])]
    thrower.internal_data.pop(TODO)
    for scope in [s for s in workflow.scopes.values() if s.kind == "revived"]:
        if scope.host is thrower:
            workflow.close_scope(scope)
    return False


def _start(thrower: Token, place: ScopeRun, node: Node) -> None:
    thrower.workflow.enter(node, place, handles=thrower.id)


def _revive(thrower: Token, place: ScopeRun, node: Node, each: dict[str, Any]) -> ScopeRun:
    inner = place.model.scopes[node.id]
    scope = thrower.workflow.open_scope(
        "revived", inner, place.process, place, thrower, each.get("data", {})
    )
    scope.done = list(each.get("done", []))
    return scope


def handler_done(handler: Token) -> None:
    """A handler has completed: the next begins, or whoever threw goes on."""
    workflow = handler.workflow
    thrower = workflow.find(handler.internal_data["handles"])
    if thrower is None or _next(thrower):
        return
    if thrower.internal_data.pop("cancelling", False):
        fire_cancel(workflow, thrower)
    else:
        thrower.complete()
