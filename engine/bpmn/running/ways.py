"""Where each flow node of a process leads, its subprocesses among them, and what begins it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.bpmn.model import SUBPROCESSES, Node, ProcessModel, Scope
from engine.domain.process import StartTrigger, Way


def ways_of(process: ProcessModel) -> Mapping[str, Way]:
    """The ways of every scope; the ends of a subprocess lead to where the subprocess leads."""
    made: dict[str, Way] = {}
    _add(process.root, (), made)
    return made


def triggers_of(process: ProcessModel) -> tuple[StartTrigger, ...]:
    """What may begin a case by itself."""
    nodes = process.root.nodes
    return tuple(
        StartTrigger(
            id_,
            event.kind,
            event.value.source if event.value is not None else str(event.name or ""),
        )
        for id_ in process.root.triggered
        for event in nodes[id_].events
    )


def _add(scope: Scope, behind: tuple[str, ...], made: dict[str, Way]) -> None:
    for node in scope.nodes.values():
        onward = tuple(flow.target for flow in node.flows) or behind
        inner = scope.scopes.get(node.id)
        inside = node.kind in SUBPROCESSES and inner is not None
        made[node.id] = Way(
            next=_first(inner) or onward if inner is not None and inside else onward,
            edges=node.boundaries,
            timer=_timer(node),
            attached_to=node.attached_to,
        )
        if inner is not None:
            _add(inner, onward if inside else (), made)


def _first(scope: Scope) -> tuple[str, ...]:
    return (*scope.starts, *scope.triggered)


def _timer(node: Node) -> str | None:
    for event in node.events:
        if event.kind == "timer" and event.value is not None:
            return event.value.source
    return None
