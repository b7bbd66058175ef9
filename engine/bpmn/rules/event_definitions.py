"""Chapter 10.5.5: what each event definition must say.

Much of it the standard demands of executable processes alone; elsewhere its lack is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.bpmn.rules.index import ACTIVITIES, EVENTS, SUBPROCESSES, Index, Node
from engine.bpmn.rules.references import target

_TIMES = ("timeDate", "timeDuration", "timeCycle")
_CALLS = SUBPROCESSES | {"callActivity"}


def _used(index: Index, kind: str) -> Iterator[tuple[Node, Node]]:
    """Each event definition inside an event, with that event."""
    for node in index.of(kind):
        if node.parent is not None and node.parent.kind in EVENTS:
            yield node, node.parent


def timers_have_one_time(index: Index) -> None:
    for node in index.of("timerEventDefinition"):
        times = node.all(*_TIMES)
        error = node.parent is not None and node.parent.executable
        if len({time.kind for time in times}) > 1:
            index.wrong("timer_repeated", node)
        elif not times:
            index.say(error and not node.extended, "timer_missing", node)
        elif all(time.blank for time in times):
            index.say(error, "timer_empty", node)


def conditions_are_written(index: Index) -> None:
    for node in index.of("conditionalEventDefinition"):
        condition = node.first("condition")
        if condition is not None and condition.blank:
            error = node.parent is not None and node.parent.executable
            index.say(error, "condition_missing", node)


def messages_and_signals_are_named(index: Index) -> None:
    for kind, attribute, code in (
        ("messageEventDefinition", "messageRef", "message_missing"),
        ("signalEventDefinition", "signalRef", "signal_missing"),
    ):
        for node, event in _used(index, kind):
            if event.executable and attribute not in node.attributes:
                index.warn(code, node)


def thrown_errors_have_codes(index: Index) -> None:
    for kind, attribute, code_name, code in (
        ("errorEventDefinition", "errorRef", "errorCode", "error_code_missing"),
        ("escalationEventDefinition", "escalationRef", "escalationCode", "escalation_code_missing"),
    ):
        for node, event in _used(index, kind):
            if event.kind not in ("endEvent", "intermediateThrowEvent") or not event.executable:
                continue
            thrown = target(index, node, attribute)
            named = thrown is not None and thrown.get(code_name)
            if not named and (thrown is not None or attribute not in node.attributes):
                index.wrong(code, node)


def compensated_activities_are_in_sight(index: Index) -> None:
    for node, event in _used(index, "compensateEventDefinition"):
        activity = target(index, node, "activityRef")
        if activity is None or activity.kind not in ACTIVITIES:
            continue
        scope = event.scope
        while scope is not None and scope is not activity.scope:
            scope = scope.scope
        if scope is None:
            index.wrong("compensation_out_of_scope", node, reference=activity.id)


def compensated_activities_have_handlers(index: Index) -> None:
    handled = {event.get("attachedToRef") for _, event in _used(index, "compensateEventDefinition")}
    for node, _ in _used(index, "compensateEventDefinition"):
        activity = target(index, node, "activityRef")
        if activity is None or activity.kind not in ACTIVITIES or activity.kind in _CALLS:
            continue
        if activity.id not in handled:
            index.warn("compensation_without_handler", node, reference=activity.id)


RULES = (
    timers_have_one_time,
    conditions_are_written,
    messages_and_signals_are_named,
    thrown_errors_have_codes,
    compensated_activities_are_in_sight,
    compensated_activities_have_handlers,
)
