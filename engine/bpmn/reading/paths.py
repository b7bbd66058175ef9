"""What is wrong with the ways through a process: unreachable, endless, without a way on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

from engine.bpmn.model import FOR_PEOPLE, Node, ProcessModel, Scope
from engine.bpmn.reading.source import Source

_CHOOSING = ("exclusiveGateway", "inclusiveGateway")


def check_paths(
    source: Source, process: ProcessModel, processes: Mapping[str, ProcessModel]
) -> None:
    """Findings about the paths of every scope of the process."""
    starts = [id_ for id_ in process.root.starts if process.root.nodes[id_].kind == "startEvent"]
    if len(starts) > 1:
        source.wrong("start_event_repeated", _element(source, starts[1]))
    for scope in process.scopes.values():
        _check_choices(source, scope)
        _check_reachable(source, scope)
        _check_loops(source, scope, processes)
    _check_calls(source, process, processes)
    for scope in process.scopes.values():
        _check_errors(source, process, scope, processes)


def _check_errors(
    source: Source, process: ProcessModel, scope: Scope, processes: Mapping[str, ProcessModel]
) -> None:
    """An error that nothing catches stops the case until an operator looks."""
    for node in scope.nodes.values():
        for event in node.events if node.kind == "endEvent" else ():
            if event.kind == "error" and not _is_caught(process, scope, event.name, processes):
                source.warn("error_not_caught", _element(source, node.id), error=str(event.name))


def _is_caught(
    process: ProcessModel, scope: Scope, code: object, processes: Mapping[str, ProcessModel]
) -> bool:
    """Whether an event subprocess or edge around the scope, or around a call, catches the code."""
    catching: list[Node] = []
    here: Scope | None = scope
    while here is not None:
        for id_ in here.event_subprocesses:
            inner = here.scopes[id_]
            catching += [inner.nodes[start] for start in inner.triggered]
        around = _around(process, here)
        if around is not None:
            host = around.nodes[here.id]
            catching += [around.nodes[id_] for id_ in host.boundaries]
        here = around
    for other in processes.values():
        for each in other.scopes.values():
            for node in each.nodes.values():
                if node.kind == "callActivity":
                    # An error may pass through several calls: any edge that catches it will do.
                    catching += [each.nodes[id_] for id_ in node.boundaries]
    return any(
        event.kind == "error" and event.name in (None, code)
        for node in catching
        for event in node.events
    )


def _around(process: ProcessModel, scope: Scope) -> Scope | None:
    return next((each for each in process.scopes.values() if scope.id in each.scopes), None)


def _element(source: Source, id_: str) -> etree._Element:
    return source.by_id.get(id_, source.root)


def _check_choices(source: Source, scope: Scope) -> None:
    for node in scope.nodes.values():
        if node.kind not in _CHOOSING or len(node.flows) < 2:
            continue
        if node.default is None and all(flow.condition is not None for flow in node.flows):
            source.warn("gateway_without_default", _element(source, node.id))


def _reached_from(nodes: Mapping[str, Node], starts: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    ahead = list(starts)
    while ahead:
        node = nodes.get(ahead.pop())
        if node is not None and node.id not in reached:
            reached.add(node.id)
            ahead += [flow.target for flow in node.flows]
            ahead += node.boundaries
            if node.handler:
                ahead.append(node.handler)
    return reached


def _check_reachable(source: Source, scope: Scope) -> None:
    starts = [*scope.starts, *scope.triggered, *scope.event_subprocesses]
    reached = _reached_from(scope.nodes, starts)
    for node in scope.nodes.values():
        if node.id not in reached:
            source.warn("element_unreachable", _element(source, node.id))


def _waits(node: Node, processes: Mapping[str, ProcessModel]) -> bool:
    if node.kind in FOR_PEOPLE or node.kind in ("receiveTask", "intermediateCatchEvent"):
        return bool(node.events) or node.kind in FOR_PEOPLE
    if node.topic is not None or node.kind == "eventBasedGateway":
        return True
    # What is inside may wait: better to miss a loop than to refuse an honest one.
    return node.kind in ("subProcess", "transaction", "adHocSubProcess", "callActivity")


def _check_loops(source: Source, scope: Scope, processes: Mapping[str, ProcessModel]) -> None:
    """A loop in which nothing waits and nothing chooses would go round for ever."""
    passing = {node.id for node in scope.nodes.values() if not _waits(node, processes)}
    endless = {id_ for id_ in passing if not _chooses(scope.nodes[id_])}
    if (found := _on_a_loop(scope, endless)) is not None:
        source.wrong("loop_without_way_out", _element(source, found))
    elif (found := _on_a_loop(scope, passing)) is not None:
        source.warn("loop_without_wait", _element(source, found))


def _on_a_loop(scope: Scope, among: set[str]) -> str | None:
    """A node of `among` from which flows lead back to it through such nodes alone."""
    done: set[str] = set()
    for first in among:
        path: dict[str, Iterator[str]] = {}
        ahead: str | None = first
        while ahead is not None or path:
            if ahead is not None and ahead in path:
                return ahead
            if ahead is not None and ahead not in done and ahead in among:
                path[ahead] = iter([flow.target for flow in scope.nodes[ahead].flows])
            ahead = None
            while path and ahead is None:
                last = next(reversed(path))
                ahead = next(path[last], None)
                if ahead is None:
                    done.add(last)
                    del path[last]
    return None


def _chooses(node: Node) -> bool:
    return any(flow.condition is not None for flow in node.flows) or (
        node.kind in ("parallelGateway", "inclusiveGateway") and len(node.incoming) > 1
    )


def _check_calls(
    source: Source, process: ProcessModel, processes: Mapping[str, ProcessModel]
) -> None:
    """A process that calls itself, however indirectly, would never come to an end."""
    calls = {
        id_: {
            node.called
            for scope in each.scopes.values()
            for node in scope.nodes.values()
            if isinstance(node.called, str)
        }
        for id_, each in processes.items()
    }
    for scope in process.scopes.values():
        for node in scope.nodes.values():
            if isinstance(node.called, str):
                reached: set[str] = set()
                ahead = [node.called]
                while ahead:
                    here = ahead.pop()
                    if here not in reached:
                        reached.add(here)
                        ahead += [each for each in calls.get(here, ()) if isinstance(each, str)]
                if process.id in reached:
                    source.wrong("call_recursive", _element(source, node.id))
