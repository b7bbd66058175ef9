"""SpiffWorkflow's parser with our own kinds of flow node."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import (
    BoundaryEventParser,
    IntermediateCatchEventParser,
)
from SpiffWorkflow.bpmn.parser.task_parsers import ScriptTaskParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, IntermediateCatchEvent

from engine.bpmn.check import called_decision, timer_text
from engine.bpmn.specs import ActionTask, ClockTimer, DecisionTask, SandboxedScript


class _TimerText:
    """Reads a timer as the model wrote it, instead of as a Python expression."""

    node: Any

    def parse_timer_event(self, event: Any) -> ClockTimer:
        return ClockTimer(self.node.get("id"), timer_text(self.node) or "", "Timer")


class _Boundary(_TimerText, BoundaryEventParser):  # type: ignore[misc]
    pass


class _Intermediate(_TimerText, IntermediateCatchEventParser):  # type: ignore[misc]
    pass


class _Decision(TaskParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        return self.spec_class(
            self.spec, self.bpmn_id, decision=called_decision(self.node), **self.bpmn_attributes
        )


class PackageParser(BpmnParser):  # type: ignore[misc]
    """Parses the BPMN files of one package; one parser for each, as ids may repeat elsewhere."""

    OVERRIDE_PARSER_CLASSES = {  # noqa: RUF012
        full_tag("task"): (TaskParser, ActionTask),
        full_tag("sendTask"): (TaskParser, ActionTask),
        full_tag("serviceTask"): (TaskParser, ActionTask),
        full_tag("businessRuleTask"): (_Decision, DecisionTask),
        full_tag("scriptTask"): (ScriptTaskParser, SandboxedScript),
        full_tag("boundaryEvent"): (_Boundary, BoundaryEvent),
        full_tag("intermediateCatchEvent"): (_Intermediate, IntermediateCatchEvent),
    }
