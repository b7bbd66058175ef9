"""Chapter 10.5: which triggers an event may have where, boundary events, links."""

from __future__ import annotations

from engine.bpmn.rules.index import ACTIVITIES, DEFINITIONS, EVENTS, SUBPROCESSES, Index, Node
from engine.bpmn.rules.references import resolve, target

_SUFFIX = "EventDefinition"
_STARTING = frozenset({"message", "timer", "conditional", "signal"})
_ALLOWED = {
    "process_start": _STARTING,
    "event_subprocess_start": _STARTING | {"escalation", "error", "compensate"},
    "intermediate_catch": _STARTING | {"link"},
    "intermediate_throw": frozenset({"message", "escalation", "compensate", "link", "signal"}),
    "boundary": _STARTING | {"escalation", "error", "cancel", "compensate"},
    "end": frozenset(
        {"message", "escalation", "error", "cancel", "compensate", "signal", "terminate"}
    ),
}
_INTERRUPTING = frozenset({"error", "cancel", "compensate"})
_REFERENCES = {
    "message": "messageRef",
    "signal": "signalRef",
    "error": "errorRef",
    "escalation": "escalationRef",
}


def triggers(index: Index, node: Node) -> list[Node]:
    """The event definitions of an event, its own and those it refers to."""
    known = index.triggers.get(id(node))
    if known is not None:
        return known
    found = index.triggers[id(node)] = [
        child for child in node.children if child.kind in DEFINITIONS
    ]
    for child in node.all("eventDefinitionRef"):
        other = resolve(index, child, child.text)
        if isinstance(other, Node) and other.kind in DEFINITIONS:
            found.append(other)
    return found


def kinds_of(index: Index, node: Node) -> set[str]:
    """The triggers of an event in short, e.g. ``{"message"}``."""
    return {each.kind.removesuffix(_SUFFIX) for each in triggers(index, node)}


def untriggered(index: Index, node: Node) -> bool:
    """Whether the event is drawn without a marker."""
    return not triggers(index, node) and node.first("eventDefinitionRef") is None


def in_event_subprocess(node: Node) -> bool:
    return (
        node.scope is not None
        and node.scope.kind in SUBPROCESSES
        and node.scope.true("triggeredByEvent")
    )


def position(node: Node) -> str | None:
    """Where the event stands; None for a start in an embedded subprocess, which has a rule."""
    if node.kind == "startEvent":
        if in_event_subprocess(node):
            return "event_subprocess_start"
        top = node.scope is not None and node.scope.kind == "process"
        return "process_start" if top else None
    named = {
        "intermediateCatchEvent": "intermediate_catch",
        "intermediateThrowEvent": "intermediate_throw",
        "boundaryEvent": "boundary",
        "endEvent": "end",
    }
    return named.get(node.kind)


def triggers_fit_their_position(index: Index) -> None:
    for node in index.among(EVENTS):
        place = position(node)
        if place is None or (node.process is not None and node.process.kind != "process"):
            continue
        for kind in sorted(kinds_of(index, node) - _ALLOWED[place]):
            index.wrong("event_position_wrong", node, trigger=kind + _SUFFIX, kind=node.kind)


def interruption_is_possible(index: Index) -> None:
    for node in index.of("boundaryEvent"):
        if not node.true("cancelActivity", True):
            for kind in sorted(kinds_of(index, node) & _INTERRUPTING):
                # Of compensation the standard says that the attribute does not apply.
                strict = kind != "compensate"
                index.say(strict, "event_must_interrupt", node, trigger=kind + _SUFFIX)
    for node in index.of("startEvent"):
        if not node.true("isInterrupting", True) and in_event_subprocess(node):
            for kind in sorted(kinds_of(index, node) & {"error", "compensate"}):
                index.wrong("event_must_interrupt", node, trigger=kind + _SUFFIX)


def catching_events_have_triggers(index: Index) -> None:
    for node in index.of("intermediateCatchEvent"):
        if untriggered(index, node):
            index.wrong("catch_event_untriggered", node)
    for node in index.of("boundaryEvent"):
        if untriggered(index, node):
            index.wrong("boundary_event_untriggered", node)


def parallel_events_have_triggers(index: Index) -> None:
    for node in index.among(EVENTS):
        if node.true("parallelMultiple") and len(triggers(index, node)) < 2:
            index.warn("parallel_multiple_alone", node)


def boundary_events_are_on_their_level(index: Index) -> None:
    for node in index.of("boundaryEvent"):
        host = target(index, node, "attachedToRef")
        if host is None or host.kind not in ACTIVITIES:
            continue
        if host.scope is not node.scope:
            index.wrong("boundary_in_other_scope", node, reference=host.id)
        elif host.kind in SUBPROCESSES and host.true("triggeredByEvent"):
            index.wrong("boundary_at_event_subprocess", node)
        if "cancel" in kinds_of(index, node) and host.kind != "transaction":
            index.wrong("cancel_boundary_without_transaction", node)


def cancel_ends_are_in_transactions(index: Index) -> None:
    for node in index.of("cancelEventDefinition"):
        event = node.parent
        if event is None or event.kind != "endEvent":
            continue
        scope = event.scope
        while scope is not None and scope.kind != "transaction":
            scope = scope.scope
        if scope is None:
            index.wrong("cancel_end_without_transaction", event)


def compensation_boundaries_have_one_handler(index: Index) -> None:
    for node in index.of("boundaryEvent"):
        if "compensate" not in kinds_of(index, node):
            continue
        if node.outgoing and len(triggers(index, node)) == 1:
            index.wrong("compensation_boundary_with_flow", node)
        handlers = [each for each in index.associated(node) if each.kind in ACTIVITIES]
        if len(handlers) > 1:
            index.wrong("compensation_handler_repeated", node)
        elif not handlers:
            index.wrong("compensation_handler_missing", node)
        for handler in handlers:
            if not handler.true("isForCompensation"):
                index.wrong("compensation_handler_unmarked", handler)


def handlers_are_different(index: Index) -> None:
    """One interrupting event subprocess for one event; two boundary events are bad style."""
    seen: set[tuple[object, ...]] = set()
    for node in index.of("startEvent", "boundaryEvent"):
        starting = node.kind == "startEvent"
        if starting and not (in_event_subprocess(node) and node.true("isInterrupting", True)):
            continue
        if not starting and not node.true("cancelActivity", True):
            continue
        place = node.scope.scope if starting and node.scope is not None else node.scope
        for definition in triggers(index, node):
            kind = definition.kind.removesuffix(_SUFFIX)
            value = definition.get(_REFERENCES.get(kind, ""))
            if value:
                key = (id(place), node.get("attachedToRef"), node.kind, kind, value)
                if key in seen:
                    index.say(starting, "event_handler_repeated", node, reference=value)
                seen.add(key)


def _links(index: Index, kind: str) -> dict[tuple[int, str], list[tuple[Node, Node]]]:
    """The link events of a kind with their definitions, by level and name."""
    found: dict[tuple[int, str], list[tuple[Node, Node]]] = {}
    for node in index.of(kind):
        for definition in triggers(index, node):
            if definition.kind == "linkEventDefinition":
                key = (id(node.scope), definition.get("name"))
                found.setdefault(key, []).append((node, definition))
    return found


def _refers(index: Index, definition: Node, name: str) -> bool:
    return any(
        isinstance(resolve(index, child, child.text), Node) for child in definition.all(name)
    )


def links_come_in_pairs(index: Index) -> None:
    sources = _links(index, "intermediateThrowEvent")
    targets = _links(index, "intermediateCatchEvent")
    for key, found in sources.items():
        for node, definition in found:
            if key not in targets and not _refers(index, definition, "target"):
                index.wrong("link_target_missing", node, name=key[1])
    for key, found in targets.items():
        for node, definition in found:
            if key not in sources and not _refers(index, definition, "source"):
                index.wrong("link_source_missing", node, name=key[1])
        if key[1]:
            for node, definition in found[1:]:
                if not _refers(index, definition, "source"):
                    index.wrong("link_target_repeated", node, name=key[1])


def links_replace_flows(index: Index) -> None:
    for found in _links(index, "intermediateCatchEvent").values():
        for node, _ in found:
            if node.incoming:
                index.wrong("link_target_with_incoming", node)
    for found in _links(index, "intermediateThrowEvent").values():
        for node, _ in found:
            if node.outgoing:
                index.wrong("link_source_with_outgoing", node)


RULES = (
    triggers_fit_their_position,
    interruption_is_possible,
    catching_events_have_triggers,
    parallel_events_have_triggers,
    boundary_events_are_on_their_level,
    cancel_ends_are_in_transactions,
    compensation_boundaries_have_one_handler,
    handlers_are_different,
    links_come_in_pairs,
    links_replace_flows,
)
