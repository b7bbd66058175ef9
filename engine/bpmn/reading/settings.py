"""The settings of flow nodes: form, department, limit, action and so on, under one name each."""

from __future__ import annotations

import re

from lxml import etree

from engine.bpmn.documents import local_name
from engine.bpmn.languages import Expression
from engine.bpmn.reading.names import SPIFF, ZEEBE, camunda, camunda_elements, extension, tag
from engine.bpmn.reading.source import Source
from engine.domain.connector import is_expression
from engine.domain.lifecycle import STAGES

ACTIONS: dict[str, tuple[str, ...]] = {
    "clock.start": ("clock",),
    "clock.reset": ("clock",),
    "clock.pause": ("clock",),
    "clock.resume": ("clock",),
    "clock.extend": ("clock",),
    "clock.stop": ("clock",),
    "clock.recount": ("clock",),
    "case.decide": ("outcome",),
    "recommend": (),
    "task.returned": (),
}
_CLOCK = re.compile(r"[a-z][a-z0-9_]{1,39}(:\S{1,20})?")
"""How a clock may be called; which there are the package says."""
_CHOICES = {
    "audience": frozenset({"staff", "applicant"}),
    "role": frozenset({"caseworker", "manager"}),
    "kind": frozenset({"correction", "rating", "information"}),
    "priority": frozenset({"1", "2", "3", "4"}),
    "stage": frozenset(STAGES),
}
_CAMUNDA = {
    "formKey": "form",
    "formRef": "form",
    "assignee": "assignee",
    "candidateGroups": "candidate_groups",
    "candidateUsers": "candidate_users",
    "dueDate": "due_date",
    "taskPriority": "job_priority",
}
_PROPERTY = f"{tag('extensionElements')}/{{{SPIFF}}}properties/{{{SPIFF}}}property"
_SPIFF = {"formJsonSchemaFilename": "form"}


def read_settings(source: Source, node: etree._Element) -> dict[str, str]:
    """The settings of an element, by our names for them."""
    found = {}
    for each in node.iterfind(_PROPERTY):
        name = each.get("name", "")
        found[_SPIFF.get(name, name)] = each.get("value", "").strip()
    for name, own in _CAMUNDA.items():
        if value := camunda(node, name):
            found.setdefault(own, _form_name(value) if own == "form" else value.strip())
    if camunda(node, "type") == "external":
        for process in node.iterancestors(tag("process")):
            if priority := camunda(process, "taskPriority"):
                found.setdefault("job_priority", priority.strip())
    if camunda_elements(node, "formData"):
        found.setdefault("form", f"{node.get('id')}")
    for name, attributes in (
        ("formDefinition", {"formKey": "form", "formId": "form", "externalReference": "form"}),
        (
            "assignmentDefinition",
            {
                "assignee": "assignee",
                "candidateGroups": "candidate_groups",
                "candidateUsers": "candidate_users",
            },
        ),
        ("taskSchedule", {"dueDate": "due_date"}),
    ):
        element = extension(node, ZEEBE, name)
        for attribute, own in attributes.items() if element is not None else ():
            if element is not None and element.get(attribute):
                found.setdefault(own, (element.get(attribute) or "").strip())
    return found


def connector_of(node: etree._Element) -> tuple[str, str] | None:
    """The connector a task names, and how often it says it may be tried."""
    own = {each.get("name"): (each.get("value") or "").strip() for each in node.iterfind(_PROPERTY)}
    name = own.get("connector")
    return (name, own.get("retries", "")) if name else None


def _form_name(key: str) -> str:
    """``embedded:app:forms/x.html`` and ``camunda-forms:/forms/x.form`` mean the form ``x``."""
    return key.rpartition("/")[2].partition(".")[0] if ":" in key and "${" not in key else key


def setting_expressions(
    source: Source, node: etree._Element, settings: dict[str, str]
) -> dict[str, Expression]:
    """The settings that are expressions, read; and what is wrong with the others."""
    made = {}
    for name, value in settings.items():
        if is_expression(value):
            read = source.expression(node, value)
            if read is not None:
                made[name] = read
        elif value and value not in _CHOICES.get(name, {value}):
            source.wrong("setting_wrong", node, {"setting": name})
    _check_needs(source, node, settings)
    return made


def _check_needs(source: Source, node: etree._Element, settings: dict[str, str]) -> None:
    kind = local_name(node)
    if kind == "userTask" and not settings.get("form"):
        source.warn("user_task_without_form", node)
    if kind in ("userTask", "manualTask") and settings.get("audience", "staff") == "staff":
        named = (
            "department",
            "dispatch_table",
            "candidate_groups",
            "candidate_users",
            "assignee",
        )
        if not any(settings.get(name) for name in named):
            source.warn("staff_task_without_department", node)
    sends = (
        settings.get("letter")
        or settings.get("connector")
        or node.get("messageRef")
        or _has_implementation(node)
    )
    if kind == "sendTask" and not sends:
        source.warn("send_task_without_letter", node)
    action = settings.get("action")
    if kind == "serviceTask" and action is not None:
        _check_action(source, node, action, settings)


def _has_implementation(node: etree._Element) -> bool:
    names = ("type", "class", "delegateExpression", "expression")
    return extension(node, ZEEBE, "taskDefinition") is not None or any(
        camunda(node, name) for name in names
    )


def _check_action(
    source: Source, node: etree._Element, action: str, settings: dict[str, str]
) -> None:
    if action not in ACTIONS:
        source.wrong("action_unknown", node, {"action": action})
        return
    for setting in ACTIONS[action]:
        if not settings.get(setting):
            source.wrong("action_setting_missing", node, {"setting": setting})
    clock = settings.get("clock", "")
    if not clock.startswith("=") and not all(map(_CLOCK.fullmatch, clock.split())):
        source.wrong("setting_wrong", node, {"setting": "clock"})
