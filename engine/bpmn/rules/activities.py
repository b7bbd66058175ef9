"""Chapter 10.3: tasks, loops, call activities, compensation activities, resources."""

from __future__ import annotations

from engine.bpmn.rules.events import in_event_subprocess, kinds_of
from engine.bpmn.rules.index import ACTIVITIES, Index, Node
from engine.bpmn.rules.schema import kinds

_ROLES = kinds("resourceRole")
_WHOLE = ("startQuantity", "completionQuantity")


def whole(node: Node, name: str, default: int) -> int | None:
    """The number in an attribute, or None if it is none."""
    value = node.get(name)
    if not value:
        return default
    try:
        # Python refuses to convert a number of thousands of digits.
        return int(value) if len(value) < 20 else None
    except ValueError:
        return None


def starting_receive_tasks_come_first(index: Index) -> None:
    """Nothing or one start event leads to a receive task that starts the process."""
    for node in index.of("receiveTask"):
        if not node.true("instantiate"):
            continue
        sources = [flow.source for flow in node.incoming]
        plain = all(source is None or source.kind == "startEvent" for source in sources)
        if not plain or len(sources) > 1:
            index.wrong("receive_task_start_with_incoming", node)


def multi_instances_have_a_number(index: Index) -> None:
    for node in index.of("multiInstanceLoopCharacteristics"):
        activity = node.parent
        if activity is None or activity.kind not in ACTIVITIES:
            continue
        cardinality = node.first("loopCardinality")
        data = node.first("loopDataInputRef")
        if cardinality is not None and data is not None:
            index.warn("multi_instance_number_twice", activity)
        elif data is None and not node.extended and (cardinality is None or cardinality.blank):
            index.say(activity.executable, "multi_instance_number_missing", activity)


def multi_instance_behaviour_is_complete(index: Index) -> None:
    for node in index.of("multiInstanceLoopCharacteristics"):
        behavior = node.get("behavior")
        missing = (
            (behavior == "One" and not node.get("oneBehaviorEventRef"))
            or (behavior == "None" and not node.get("noneBehaviorEventRef"))
            or (behavior == "Complex" and node.first("complexBehaviorDefinition") is None)
        )
        if missing:
            index.warn("multi_instance_behavior_incomplete", node, behavior=behavior)


def quantities_are_positive(index: Index) -> None:
    for node in index.among(ACTIVITIES):
        for name in _WHOLE:
            value = whole(node, name, 1)
            if value is not None and value < 1:
                index.wrong("quantity_wrong", node, attribute=name, value=value)


def compensation_activities_are_attached(index: Index) -> None:
    for node in index.among(ACTIVITIES):
        if not node.true("isForCompensation") or in_compensation_start(index, node):
            continue
        if not any(other.kind == "boundaryEvent" for other in index.associated(node)):
            index.warn("compensation_activity_unattached", node)


def in_compensation_start(index: Index, node: Node) -> bool:
    """Whether the node is an event subprocess that starts with compensation."""
    return any(
        in_event_subprocess(start) and "compensate" in kinds_of(index, start)
        for start in node.all("startEvent")
    )


def calls_have_targets(index: Index) -> None:
    for node in index.of("callActivity"):
        if not node.get("calledElement") and not node.extended:
            index.warn("call_target_missing", node)


def scripts_have_formats(index: Index) -> None:
    for node in index.of("scriptTask"):
        script = node.first("script")
        if script is not None and not script.blank and not node.get("scriptFormat"):
            index.warn("script_format_missing", node)


def resources_are_named_one_way(index: Index) -> None:
    for node in index.among(_ROLES):
        named = node.first("resourceRef") is not None
        assigned = node.first("resourceAssignmentExpression") is not None
        if named and assigned:
            index.wrong("resource_named_twice", node)
        elif not named and node.first("resourceParameterBinding") is not None:
            index.wrong("resource_missing", node)


def resource_expressions_are_written(index: Index) -> None:
    for node in index.of("resourceAssignmentExpression", "resourceParameterBinding"):
        if not node.all("expression", "formalExpression"):
            index.wrong("child_missing", node, kind="expression")


RULES = (
    starting_receive_tasks_come_first,
    multi_instances_have_a_number,
    multi_instance_behaviour_is_complete,
    quantities_are_positive,
    compensation_activities_are_attached,
    calls_have_targets,
    scripts_have_formats,
    resources_are_named_one_way,
    resource_expressions_are_written,
)
