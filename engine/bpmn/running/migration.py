"""Moving a running case to another version of its process: the same places, mapped, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from engine.bpmn.model import Node, ProcessModel
from engine.bpmn.running import state
from engine.bpmn.running.nodes import LISTENED
from engine.bpmn.running.workflow import CaseWorkflow
from engine.domain.process import Place


class _Versioned(Protocol):
    @property
    def processes(self) -> Mapping[str, ProcessModel]: ...


def moved(
    stored: bytes, source: _Versioned, target: _Versioned, mapping: Mapping[str, str]
) -> tuple[dict[str, Any] | None, tuple[Place, ...]]:
    """The contents of the state under `target`, None if refused, and each place with its fate.

    `mapping` names elements of `target` for those of `source`; all others keep their id.
    """
    body = state.read_body(stored)
    mover = _Mover(source, target, mapping)
    body["scopes"] = [mover.scope(row) for row in body["scopes"]]
    inside = {row[0]: row for row in body["scopes"]}
    nodes = {row[0]: mover.node(row, inside) for row in body["tokens"]}
    kept = []
    for row in body["tokens"]:
        node = nodes[row[0]]
        if node is not None and mover.keeps(row, nodes):
            kept.append([*row[:2], node.id, *row[3:]])
    body["tokens"] = kept
    refused = any(place.target is None for place in mover.places)
    return (None if refused else body), tuple(mover.places)


class _Mover:
    def __init__(self, source: _Versioned, target: _Versioned, mapping: Mapping[str, str]) -> None:
        self.source, self.target, self.mapping = source, target, mapping
        self.places: list[Place] = []

    def scope(self, row: list[Any]) -> list[Any]:
        process, inside = row[2], row[3]
        mapped = self.mapping.get(inside, inside)
        known = self.target.processes.get(process)
        if known is None or mapped not in known.scopes:
            self.places.append(Place(inside, None, "element_gone"))
        elif known.scopes[mapped].kind != self.source.processes[process].scopes[inside].kind:
            self.places.append(Place(inside, None, "kind_changed"))
        for record in row[7]:
            record["node"] = self.mapping.get(record["node"], record["node"])
        return [*row[:3], mapped, *row[4:]]

    def node(self, row: list[Any], scopes: Mapping[int, list[Any]]) -> Node | None:
        element, internal, listens = row[2], row[4], bool(row[4].get("subscribed"))
        mapped = self.mapping.get(element, element)
        scope = scopes[row[1]]
        process = self.target.processes.get(scope[2])
        model = process.scopes.get(scope[3]) if process is not None else None
        found = model.nodes.get(mapped) if model is not None else None
        if found is None and model is not None and listens:
            found = next(
                (s.nodes[mapped] for s in model.scopes.values() if mapped in s.nodes), None
            )
        if found is None and listens:
            return None
        reason = self._reason(found, self._old(scope, row), internal)
        if not listens or reason not in (None, "element_gone"):
            self.places.append(Place(element, None if reason else mapped, reason))
        return found

    def _old(self, scope: list[Any], row: list[Any]) -> Node | None:
        process = self.source.processes[scope[2]]
        return next((s.nodes[row[2]] for s in process.scopes.values() if row[2] in s.nodes), None)

    def _reason(
        self, new: Node | None, old: Node | None, internal: Mapping[str, Any]
    ) -> str | None:
        if new is None or old is None:
            return "element_gone"
        if new.kind != old.kind:
            return "kind_changed"
        if (new.loop is None) != (old.loop is None) or (
            new.loop and old.loop and new.loop.kind != old.loop.kind
        ):
            return "rounds_changed"
        if [event.kind for event in new.events] != [event.kind for event in old.events]:
            return "event_changed"
        joins = new.kind in ("parallelGateway", "inclusiveGateway")
        if joins and internal.get("by") not in new.incoming:
            return "flow_gone"
        return None

    def keeps(self, row: list[Any], nodes: Mapping[bytes, Node | None]) -> bool:
        """A listener goes with the activity it is attached to, if it still is."""
        node, host = nodes[row[0]], nodes.get(row[5])
        return not row[5] or (node is not None and host is not None and node.attached_to == host.id)


def put_in(body: dict[str, Any], workflow: CaseWorkflow) -> None:
    """Fill `workflow` with the moved contents, and begin to listen where the new version does."""
    state.fill(body, workflow)
    for token in list(workflow.tasks.values()):
        if not token.waits() or "round" in token.internal_data:
            continue
        attached = {boundary.node.id for boundary in token.boundaries}
        for id_ in token.node.boundaries:
            node = token.scope.container.model.nodes[id_]
            if id_ not in attached and any(event.kind in LISTENED for event in node.events):
                boundary = workflow.make(node, token.scope, subscribed=True)
                boundary.host = token
                token.boundaries.append(boundary)
                boundary.task_spec.subscribe(boundary)
    for scope in list(workflow.scopes.values()):
        if scope.kind in ("local", "revived"):
            continue
        listening = {token.node.id for token in scope.tokens.values()}
        for id_ in scope.model.event_subprocesses:
            inner = scope.model.scopes[id_]
            for start in inner.triggered:
                node = inner.nodes[start]
                if start not in listening and any(e.kind in LISTENED for e in node.events):
                    token = workflow.make(node, scope, subscribed=True)
                    token.task_spec.subscribe(token)
