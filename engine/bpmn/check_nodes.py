"""What each kind of flow node needs, and which of BPMN's events and attributes are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml import etree

from engine.bpmn.check import Checked, Scope
from engine.bpmn.documents import local_name
from engine.bpmn.expressions import EXPRESSIONS
from engine.bpmn.model import (
    ERROR,
    TERMINATE,
    TIMER,
    called_decision,
    definitions,
    error_code,
    error_reference,
    is_interrupting,
    script_text,
    settings,
    tag,
    timer_text,
)
from engine.bpmn.timers import is_timer_text
from engine.domain.lifecycle import STAGES

ACTIONS: dict[str, tuple[str, ...]] = {
    "clock.start": ("clock", "limit"),
    "clock.reset": ("clock", "limit"),
    "clock.pause": ("clock",),
    "clock.resume": ("clock",),
    "clock.extend": ("clock", "limit"),
    "clock.stop": ("clock",),
    "case.decide": ("outcome",),
    "recommend": (),
    "task.returned": (),
}
CLOCKS = frozenset({"legal", "promised"})

_CHOICES = {
    "audience": frozenset({"staff", "applicant"}),
    "role": frozenset({"caseworker", "manager"}),
    "kind": frozenset({"correction", "rating", "information"}),
    "priority": frozenset({"1", "2", "3", "4"}),
    "stage": frozenset(STAGES),
}


@dataclass(frozen=True)
class NodeCheck:
    """Checks the nodes of `scopes`; `calls` are the ids of the package's processes."""

    checked: Checked
    decisions: frozenset[str]
    processes: Mapping[str, etree._Element]

    def check(self) -> None:
        for scope in self.checked.scopes:
            for node in scope.nodes:
                self._settings(scope, node)
                rule = _RULES.get(local_name(node))
                if rule is not None:
                    rule(self, scope, node)
                elif definitions(node):
                    self._unsupported(scope, node, definitions(node)[0])
        self._calls()

    def wrong(self, code: str, scope: Scope, node: etree._Element, **params: str) -> None:
        self.checked.wrong(code, scope.file, node, params=params)

    def _unsupported(self, scope: Scope, node: etree._Element, kind: str) -> None:
        self.wrong("element_unsupported", scope, node, kind=kind)

    def _settings(self, scope: Scope, node: etree._Element) -> None:
        if str(node.get("isForCompensation", "false")).lower() == "true":
            self._unsupported(scope, node, "isForCompensation")
        for name, value in settings(node).items():
            if value.startswith("="):
                if (reason := EXPRESSIONS.check(value[1:])) is not None:
                    self.wrong("expression_refused", scope, node, reason=reason)
            elif value and value not in _CHOICES.get(name, {value}):
                self.wrong("setting_wrong", scope, node, setting=name)

    def user_task(self, scope: Scope, node: etree._Element) -> None:
        if not settings(node).get("form"):
            self.wrong("user_task_without_form", scope, node)
        self.manual_task(scope, node)

    def manual_task(self, scope: Scope, node: etree._Element) -> None:
        values = settings(node)
        if values.get("audience", "staff") == "staff" and not values.get("department"):
            self.wrong("staff_task_without_department", scope, node)

    def send_task(self, scope: Scope, node: etree._Element) -> None:
        if not settings(node).get("letter"):
            self.wrong("action_setting_missing", scope, node, setting="letter")

    def service_task(self, scope: Scope, node: etree._Element) -> None:
        values = settings(node)
        action = values.get("action", "")
        if action not in ACTIONS:
            self.wrong("action_unknown", scope, node, action=action)
            return
        for setting in ACTIONS[action]:
            if not values.get(setting):
                self.wrong("action_setting_missing", scope, node, setting=setting)
        clock = values.get("clock", "")
        if not clock.startswith("=") and set(clock.split()) - CLOCKS:
            self.wrong("setting_wrong", scope, node, setting="clock")

    def script_task(self, scope: Scope, node: etree._Element) -> None:
        script = script_text(node)
        if not script.strip():
            self.wrong("script_missing", scope, node)
        elif (reason := EXPRESSIONS.check_script(script)) is not None:
            self.wrong("expression_refused", scope, node, reason=reason)

    def decision_task(self, scope: Scope, node: etree._Element) -> None:
        if (decision := called_decision(node)) not in self.decisions:
            self.wrong("decision_unknown", scope, node, decision=decision)

    def call(self, scope: Scope, node: etree._Element) -> None:
        if (called := node.get("calledElement") or "") not in self.processes:
            self.wrong("reference_unknown", scope, node, reference=called)

    def subprocess(self, scope: Scope, node: etree._Element) -> None:
        if str(node.get("triggeredByEvent", "false")).lower() == "true":
            self._unsupported(scope, node, "triggeredByEvent")

    def event_gateway(self, scope: Scope, node: etree._Element) -> None:
        if str(node.get("instantiate", "false")).lower() == "true":
            self._unsupported(scope, node, "instantiate")
        for flow in scope.outgoing(node):
            target = scope.node(flow.get("targetRef"))
            if target is not None and local_name(target) != "intermediateCatchEvent":
                self.wrong("event_gateway_target", scope, flow)

    def catch(self, scope: Scope, node: etree._Element) -> None:
        self._timer(scope, node)

    def throw(self, scope: Scope, node: etree._Element) -> None:
        for definition in definitions(node):
            self._unsupported(scope, node, definition)

    def boundary(self, scope: Scope, node: etree._Element) -> None:
        host = scope.node(node.get("attachedToRef"))
        if host is None:
            self.wrong("reference_unknown", scope, node, reference=node.get("attachedToRef") or "")
            return
        inner = local_name(host) in ("subProcess", "callActivity")
        if definitions(node) == [ERROR]:
            self._error(scope, node)
            if not inner or not is_interrupting(node):
                self._unsupported(scope, node, ERROR)
        elif inner or local_name(host) in ("userTask", "manualTask"):
            self._timer(scope, node)
        else:
            self._unsupported(scope, node, f"boundaryEvent ({local_name(host)})")

    def end(self, scope: Scope, node: etree._Element) -> None:
        found = definitions(node)
        if found == [ERROR]:
            self._error(scope, node)
            if not self._is_caught(scope, node):
                self.wrong("error_not_caught", scope, node, error=error_code(node) or "")
        elif found not in ([], [TERMINATE]):
            self._unsupported(scope, node, ", ".join(found))

    def _timer(self, scope: Scope, node: etree._Element) -> None:
        if definitions(node) != [TIMER]:
            self._unsupported(scope, node, ", ".join(definitions(node)) or local_name(node))
            return
        text = timer_text(node)
        if text is None or not is_timer_text(text):
            self.wrong("timer_unreadable", scope, node, timer=text or "")

    def _error(self, scope: Scope, node: etree._Element) -> None:
        reference = error_reference(node)
        errors = node.getroottree().getroot().iter(tag("error"))
        if reference is not None and reference not in {error.get("id") for error in errors}:
            self.wrong("reference_unknown", scope, node, reference=reference)

    def _is_caught(self, scope: Scope, node: etree._Element) -> bool:
        code = error_code(node)
        hosts = list(scope.inside)
        process = scope.inside[-1].getparent() if scope.inside else scope.element
        for other in self.checked.scopes:
            for each in other.nodes:
                calls = each.get("calledElement") if local_name(each) == "callActivity" else None
                if process is not None and calls == process.get("id"):
                    # An error of a called process may be caught further out by its callers.
                    hosts += [each, *other.inside]
        return any(
            definitions(event) == [ERROR] and error_code(event) in (None, code)
            for host in hosts
            for other in self.checked.scopes
            if host in other.nodes
            for event in other.attached(host)
        )

    def _calls(self) -> None:
        """A process that calls itself, however indirectly, would never come to an end."""
        calls: dict[str, set[str]] = {
            id_: {str(call.get("calledElement")) for call in process.iter(tag("callActivity"))}
            for id_, process in self.processes.items()
        }
        for scope in self.checked.scopes:
            for node in scope.nodes:
                if local_name(node) == "callActivity":
                    start = scope.inside[-1].getparent() if scope.inside else scope.element
                    own = str(start.get("id")) if start is not None else ""
                    if own in _reachable(calls, str(node.get("calledElement"))):
                        self.wrong("call_recursive", scope, node)


def _reachable(calls: Mapping[str, set[str]], first: str) -> set[str]:
    reached: set[str] = set()
    ahead = [first]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += calls.get(here, ())
    return reached


_RULES: dict[str, Callable[[NodeCheck, Scope, etree._Element], None]] = {
    "userTask": NodeCheck.user_task,
    "manualTask": NodeCheck.manual_task,
    "sendTask": NodeCheck.send_task,
    "serviceTask": NodeCheck.service_task,
    "scriptTask": NodeCheck.script_task,
    "businessRuleTask": NodeCheck.decision_task,
    "callActivity": NodeCheck.call,
    "subProcess": NodeCheck.subprocess,
    "eventBasedGateway": NodeCheck.event_gateway,
    "intermediateCatchEvent": NodeCheck.catch,
    "intermediateThrowEvent": NodeCheck.throw,
    "boundaryEvent": NodeCheck.boundary,
    "endEvent": NodeCheck.end,
    "startEvent": lambda check, scope, node: None,
}
