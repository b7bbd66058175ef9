"""Event definitions: what an event waits for or throws."""

from __future__ import annotations

from lxml import etree

from engine.bpmn.documents import local_name
from engine.bpmn.languages import Expression, NotAllowed
from engine.bpmn.model import EventSpec
from engine.bpmn.reading.names import (
    EVENT_KINDS,
    SPIFF,
    ZEEBE,
    camunda,
    definitions,
    extension,
    local,
    tag,
    text_of,
)
from engine.bpmn.reading.source import Source
from engine.bpmn.timers import read_timer
from engine.domain.schedule import working_days

_TIMERS = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}


def read_events(source: Source, node: etree._Element) -> tuple[EventSpec, ...]:
    """The event definitions of an event or receive task, in file order."""
    made = [_event(source, node, each) for each in definitions(node)]
    return tuple(each for each in made if each is not None)


def read_event(
    source: Source, node: etree._Element, definition: etree._Element
) -> EventSpec | None:
    return _event(source, node, definition)


def message_event(source: Source, node: etree._Element) -> EventSpec:
    """What a send or receive task, or a message event definition, sends or waits for."""
    message = source.referred(node, "messageRef", "message")
    if message is None:
        return EventSpec("message", node.get("name") or node.get("id"))
    name = source.text_or_expression(node, message.get("name") or message.get("id"))
    subscription = extension(message, ZEEBE, "subscription")
    key = None if subscription is None else subscription.get("correlationKey")
    return EventSpec("message", name, correlation=source.expression(node, _as_feel(key)))


def _as_feel(key: str | None) -> str | None:
    return key if not key or key.startswith("=") else f"={key}"


def _event(source: Source, node: etree._Element, definition: etree._Element) -> EventSpec | None:
    kind = EVENT_KINDS[local_name(definition)]
    if kind == "message":
        return message_event(source, definition if definition.get("messageRef") else node)
    if kind == "timer":
        return _timer(source, node, definition)
    if kind == "conditional":
        condition = definition.find(tag("condition"))
        read = source.expression(
            node,
            text_of(condition) or None,
            None if condition is None else condition.get("language"),
        )
        return EventSpec(kind, value=read)
    if kind == "link":
        return EventSpec(kind, definition.get("name"))
    if kind == "compensation":
        return EventSpec(kind, local(definition.get("activityRef")))
    return _with_code(source, node, definition, kind)


def _with_code(
    source: Source, node: etree._Element, definition: etree._Element, kind: str
) -> EventSpec:
    if kind == "signal":
        signal = source.referred(definition, "signalRef", "signal")
        name = None if signal is None else signal.get("name") or signal.get("id")
        return EventSpec(kind, source.text_or_expression(node, name or node.get("id")))
    if kind in ("error", "escalation"):
        found = source.referred(definition, f"{kind}Ref", kind)
        code = None
        if found is not None:
            code = source.text_or_expression(node, found.get(f"{kind}Code") or found.get("id"))
        saves_as = (
            camunda(definition, f"{kind}CodeVariable"),
            camunda(definition, f"{kind}MessageVariable"),
        )
        variable = extension(node, SPIFF, f"{kind}CodeVariable")
        if variable is not None:
            saves_as = text_of(variable) or None, saves_as[1]
        return EventSpec(kind, code, saves_as=saves_as)
    return EventSpec(kind)


def _timer(source: Source, node: etree._Element, definition: etree._Element) -> EventSpec | None:
    children = [child for child in definition if local_name(child) in _TIMERS]
    text = text_of(children[0]) if children else ""
    if len(children) != 1 or not text:
        return None  # said by the rules of the standard
    kind = _TIMERS[local_name(children[0])]
    try:
        value: Expression = read_timer(text, source.leading)
    except NotAllowed:
        source.wrong("timer_unreadable", node, {"timer": text[:64]})
        return None
    source_text = value.source
    counted = source_text.startswith("limit:") or working_days(source_text) is not None
    plain = value.language == "text" and not counted
    is_cycle = plain and (value.source.startswith("R") or " " in value.source)
    is_duration = plain and value.source.startswith("P")
    if plain and (is_cycle, is_duration) != (kind == "cycle", kind == "duration"):
        source.warn("timer_kind_differs", node, timer=text[:64])
    return EventSpec("timer", value=value, timer=kind)
