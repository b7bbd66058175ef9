"""Who catches what is thrown: errors and escalations climb outward, one scope after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.bpmn.model import EventSpec, Node
from engine.bpmn.running.nodes import complete_now, end_if_empty
from engine.bpmn.running.workflow import CaseWorkflow, ScopeRun, Token


def throw_error(
    token: Token, code: str | None, message: str = "", *, at_itself: bool = True
) -> bool:
    """Let the nearest error event for `code` catch; whether there was one.

    Beside an exact match an event without a code catches any error; a technical failure (`code`
    None) is caught only by such. The catcher's activity or scope ends.
    """
    return _throw(token, "error", code, message, at_itself)


def throw_escalation(token: Token, code: str | None, *, at_itself: bool = False) -> bool:
    """Let the nearest escalation event for `code` catch; whether there was one."""
    return _throw(token, "escalation", code, "", at_itself)


def _throw(token: Token, kind: str, code: str | None, message: str, at_itself: bool) -> bool:
    workflow: CaseWorkflow = token.workflow
    for place, where in _outward(token, at_itself):
        if place == "activity":
            assert isinstance(where, Token)  # noqa: S101
            if "round" in where.internal_data:
                # The events at the edge belong to all the rounds together.
                continue
            node, event = _best(_boundaries(where), kind, code)
            if node is not None and event is not None:
                _catch_at_boundary(workflow, where, node, event, code, message)
                return True
        else:
            assert isinstance(where, ScopeRun)  # noqa: S101
            node, event = _best(_event_starts(where), kind, code)
            if node is not None and event is not None:
                _save(workflow, where, event, code, message)
                start_event_subprocess(workflow, where, node)
                return True
    return False


def _outward(token: Token, at_itself: bool) -> Iterator[tuple[str, Token | ScopeRun]]:
    """The activities and scopes around the token, innermost first."""
    if at_itself:
        yield "activity", token
    scope: ScopeRun | None = token.scope
    handling = False
    while scope is not None:
        # What an event subprocess throws is for those around its scope, not for its siblings.
        if scope.kind not in ("local", "revived") and not handling:
            yield "scope", scope
        handling = scope.kind == "event" or (handling and scope.kind == "local")
        if scope.host is not None:
            yield "activity", scope.host
            scope = scope.host.scope
        else:
            scope = scope.parent


def _boundaries(token: Token) -> list[Node]:
    nodes = token.scope.container.model.nodes
    return [nodes[id_] for id_ in token.node.boundaries if id_ in nodes]


def _event_starts(scope: ScopeRun) -> list[Node]:
    found = []
    for id_ in scope.model.event_subprocesses:
        inner = scope.model.scopes[id_]
        found += [inner.nodes[start] for start in inner.triggered]
    return found


def _best(nodes: list[Node], kind: str, code: str | None) -> tuple[Node | None, EventSpec | None]:
    any_code: tuple[Node | None, EventSpec | None] = (None, None)
    for node in nodes:
        for event in node.events:
            if event.kind == kind:
                if event.name is not None and event.name == code:
                    return node, event
                if event.name is None and any_code[0] is None:
                    any_code = node, event
    return any_code


def _save(
    workflow: CaseWorkflow, scope: ScopeRun, event: EventSpec, code: str | None, message: str
) -> None:
    names = dict(zip(event.saves_as, (code, message), strict=True))
    workflow.write(scope, {name: value for name, value in names.items() if name})


def _catch_at_boundary(
    workflow: CaseWorkflow,
    host: Token,
    node: Node,
    event: EventSpec,
    code: str | None,
    message: str,
) -> None:
    scope = host.scope
    _save(workflow, scope, event, code, message)
    if node.interrupting or event.kind == "error":
        workflow.cancel_token(host)
    caught = workflow.make(node, scope)
    workflow.log("caught", caught)
    complete_now(caught)


def start_event_subprocess(workflow: CaseWorkflow, scope: ScopeRun, start: Node) -> None:
    """Begin the event subprocess of the start event `start`, which stands in `scope`."""
    node = scope.model.nodes[start.scope]
    interrupting = start.interrupting or start.is_catching("error")
    if interrupting:
        workflow.cancel_inside(scope)
    host = workflow.make(node, scope)
    host.task_spec.begin_by_event(host, start)


def fire_cancel(workflow: CaseWorkflow, host: Token) -> None:
    """A transaction was cancelled: its cancel event goes on, if it has one."""
    scope = host.scope
    node = next((each for each in _boundaries(host) if each.is_catching("cancel")), None)
    workflow.cancel_token(host)
    if node is not None:
        caught = workflow.make(node, scope)
        workflow.log("caught", caught)
        complete_now(caught)
    else:
        end_if_empty(workflow, scope)


def name_of(event: EventSpec, data: Any) -> str | None:
    """The name or code of an event, worked out if the model gives an expression."""
    if event.name is None or isinstance(event.name, str):
        return event.name
    value = event.name.evaluate(data)
    return None if value is None else str(value)
