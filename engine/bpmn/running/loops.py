"""Rounds of an activity: for each item of a collection, a number of times, or while a condition.

The token of the activity itself waits; each round is a token of the same node in a layer of
variables of its own, with the item and the number of the round.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.bpmn.model import EventSpec, Loop
from engine.bpmn.running.events import throw
from engine.bpmn.running.workflow import ScopeRun, Token
from engine.kernel.errors import ExecutionFailed

MAX_ROUNDS = 10_000
STATE = "rounds"


def begin(body: Token) -> bool | None:
    """Begin the rounds; True if there are none."""
    loop = body.node.loop
    assert loop is not None  # noqa: S101
    body._set_state(TaskState.STARTED)
    items: list[Any] | None = None
    total: int | None = None
    if loop.kind != "standard":
        items, total = _items(body, loop)
    state = {"items": items, "total": total, "begun": 0, "done": 0, "ended": 0}
    body.internal_data[STATE] = state
    layer = body.workflow.layer(body.scope, None, {})
    body.internal_data["layer"] = layer.id
    if loop.output:
        layer.variables["__results"] = [None] * (total or 0)
    if total == 0 or (loop.kind == "standard" and loop.test_before and not _again(body, loop)):
        return _finish(body, loop)
    _count(body, layer)
    if loop.kind == "parallel":
        for _ in range(total or 0):
            _begin_round(body, loop)
    else:
        _begin_round(body, loop)
    return None


def _items(body: Token, loop: Loop) -> tuple[list[Any] | None, int]:
    data = body.scope.view()
    if loop.collection is not None:
        value = loop.collection.evaluate(data)
        if isinstance(value, Mapping):
            value = list(value.values())
        if not isinstance(value, list | tuple):
            raise ExecutionFailed(
                element=body.node.id, reason="no_collection", detail=loop.collection.source
            )
        items: list[Any] | None = list(value)
        total = len(value)
    else:
        items = None
        number = loop.cardinality.evaluate(data) if loop.cardinality is not None else None
        try:
            total = int(number)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise ExecutionFailed(
                element=body.node.id, reason="no_number", detail=str(number)
            ) from None
    if not 0 <= total <= MAX_ROUNDS:
        raise ExecutionFailed(element=body.node.id, reason="too_many_rounds", detail=str(total))
    return items, total


def _layer(body: Token) -> ScopeRun:
    return body.workflow.scopes[body.internal_data["layer"]]


def _count(body: Token, layer: ScopeRun) -> None:
    state = body.internal_data[STATE]
    active = state["begun"] - state["ended"]
    total = state["total"] if state["total"] is not None else state["begun"]
    layer.variables.update(
        nrOfInstances=total, nrOfCompletedInstances=state["done"], nrOfActiveInstances=active
    )
    layer.variables.update(
        numberOfInstances=total,
        numberOfCompletedInstances=state["done"],
        numberOfActiveInstances=active,
        numberOfTerminatedInstances=state["ended"] - state["done"],
    )


def _begin_round(body: Token, loop: Loop) -> None:
    workflow, state = body.workflow, body.internal_data[STATE]
    index = state["begun"]
    state["begun"] += 1
    variables: dict[str, Any] = {"loopCounter": index + loop.first}
    if state["items"] is not None and loop.item:
        variables[loop.item] = state["items"][index]
    if loop.output_item is not None and loop.output_item.source.isidentifier():
        # What a round gives is its own until it is collected.
        variables.setdefault(loop.output_item.source, None)
    layer = workflow.open_scope(
        "local", body.scope.model, body.scope.process, _layer(body), body, variables
    )
    _count(body, _layer(body))
    workflow.enter(body.node, layer, round=index)


def round_done(token: Token) -> None:
    """One round has completed: collect what it gives, and begin the next or end."""
    workflow = token.workflow
    layer = token.scope
    body = layer.host
    if body is None or body.id not in workflow.tasks:
        return
    loop = body.node.loop
    assert loop is not None  # noqa: S101
    state = body.internal_data[STATE]
    if loop.output and loop.output_item is not None:
        results = _layer(body).variables["__results"]
        results[token.internal_data["round"]] = loop.output_item.evaluate(layer.view())
    inside = layer.view()
    state["done"] += 1
    state["ended"] += 1
    _count(body, _layer(body))
    again = _more(body, loop, inside)
    workflow.cancel_scope(layer)
    _throw(body, loop, state["done"])
    if body.id not in workflow.tasks:
        return
    if again == "end":
        for scope in list(body.inner):
            workflow.cancel_scope(scope)
        _finish(body, loop)
        body.complete()
    elif again == "next":
        _begin_round(body, loop)


def _more(body: Token, loop: Loop, inside: Mapping[str, Any]) -> str:
    """What follows a round: ``end``, ``next`` (a further one) or ``wait`` (for the others)."""
    state = body.internal_data[STATE]
    if loop.kind == "standard":
        return "next" if _again(body, loop, inside) else "end"
    enough = loop.condition is not None and loop.condition.holds(inside)
    if enough or state["ended"] >= state["total"]:
        return "end"
    if loop.kind == "sequential":
        return "next"
    return "wait"


def _again(body: Token, loop: Loop, inside: Mapping[str, Any] | None = None) -> bool:
    begun = body.internal_data[STATE]["begun"]
    if loop.maximum is not None and begun >= loop.maximum:
        return False
    if begun >= MAX_ROUNDS:
        raise ExecutionFailed(element=body.node.id, reason="too_many_rounds", detail=str(begun))
    if loop.condition is None:
        return loop.maximum is not None
    view = inside if inside is not None else body.scope.view()
    return loop.condition.holds(view)


def _finish(body: Token, loop: Loop) -> bool:
    workflow = body.workflow
    layer = _layer(body)
    results = layer.variables.pop("__results", None)
    workflow.close_scope(layer)
    body.internal_data.pop("layer")
    if loop.output:
        workflow.write(body.scope, {loop.output: results})
    return True


def _throw(body: Token, loop: Loop, done: int) -> None:
    """The event of `behavior` None (each round), One (the first) or Complex (by its conditions)."""
    events: list[EventSpec] = []
    if loop.throws is not None and (loop.behavior == "None" or done == 1):
        events.append(loop.throws)
    events += [
        event for condition, event in loop.complex_throws if condition.holds(_layer(body).view())
    ]
    for event in events:
        throw(body, event)
