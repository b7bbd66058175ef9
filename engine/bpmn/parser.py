"""SpiffWorkflow's parser with our own kinds of flow node."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import EndEventParser, StartEventParser
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.task_parsers import (
    CallActivityParser,
    ConditionalGatewayParser,
    GatewayParser,
    SubWorkflowParser,
)
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.specs.defaults import EndEvent, ManualTask, StartEvent, UserTask

from engine.bpmn.events import BoundaryCatch, CatchEvent, ErrorCatch, ErrorEnd, EventGateway, Timer
from engine.bpmn.joins import InclusiveJoin, ParallelJoin, ScopeEnd
from engine.bpmn.model import (
    ERROR,
    called_decision,
    condition,
    definitions,
    error_code,
    is_interrupting,
    script_text,
    tag,
    timer_text,
)
from engine.bpmn.specs import (
    ActionTask,
    CalledProcess,
    Choice,
    DecisionTask,
    ScriptedTask,
    Subprocess,
)


class _Node:
    """Every node may have several outgoing flows, taken in the file's order, not the drawing's."""

    node: Any
    spec: Any
    spec_class: Any
    bpmn_id: str
    bpmn_attributes: dict[str, Any]

    def handles_multiple_outgoing(self) -> bool:
        return True

    def get_position(self, node: Any = None) -> dict[str, float]:
        return {"x": 0.0, "y": 0.0}

    def parse_condition(self, flow: Any) -> str | None:
        return condition(flow)

    def make(self, **more: Any) -> Any:
        return self.spec_class(self.spec, self.bpmn_id, **more, **self.bpmn_attributes)


class _Task(_Node, TaskParser):  # type: ignore[misc]
    pass


class _Decision(_Node, TaskParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        return self.make(decision=called_decision(self.node))


class _Script(_Node, TaskParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        return self.make(script=script_text(self.node))


class _Catch(_Node, TaskParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        return self.make(event_definition=Timer(timer_text(self.node) or ""))


class _Boundary(_Node, TaskParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        if definitions(self.node) == [ERROR]:
            event: Any = ErrorCatch(error_code(self.node))
        else:
            event = Timer(timer_text(self.node) or "")
        return self.make(event_definition=event, cancel_activity=is_interrupting(self.node))


class _End(_Node, EndEventParser):  # type: ignore[misc]
    def create_task(self) -> Any:
        if definitions(self.node) != [ERROR]:
            return super().create_task()
        task = ErrorEnd(self.spec, self.bpmn_id, code=error_code(self.node), **self.bpmn_attributes)
        task.connect(self.spec.end)
        return task


class _Start(_Node, StartEventParser):  # type: ignore[misc]
    pass


class _Gateway(_Node, GatewayParser):  # type: ignore[misc]
    pass


class _Conditional(_Node, ConditionalGatewayParser):  # type: ignore[misc]
    pass


class _Subprocess(_Node, SubWorkflowParser):  # type: ignore[misc]
    pass


class _Call(_Node, CallActivityParser):  # type: ignore[misc]
    pass


class _Process(ProcessParser):  # type: ignore[misc]
    def create_spec(self) -> Any:
        spec = super().create_spec()
        old = spec.task_specs.pop(spec.end.name)
        end = ScopeEnd(spec, old.name)
        end._outputs = old._outputs
        spec.end = end
        return spec


class PackageParser(BpmnParser):  # type: ignore[misc]
    """Parses the BPMN files of one package."""

    PROCESS_PARSER_CLASS = _Process
    PARSER_CLASSES = {  # noqa: RUF012
        tag("startEvent"): (_Start, StartEvent),
        tag("endEvent"): (_End, EndEvent),
        tag("userTask"): (_Task, UserTask),
        tag("manualTask"): (_Task, ManualTask),
        tag("task"): (_Task, ActionTask),
        tag("sendTask"): (_Task, ActionTask),
        tag("serviceTask"): (_Task, ActionTask),
        tag("intermediateThrowEvent"): (_Task, ActionTask),
        tag("businessRuleTask"): (_Decision, DecisionTask),
        tag("scriptTask"): (_Script, ScriptedTask),
        tag("exclusiveGateway"): (_Conditional, Choice),
        tag("inclusiveGateway"): (_Conditional, InclusiveJoin),
        tag("parallelGateway"): (_Gateway, ParallelJoin),
        tag("eventBasedGateway"): (_Gateway, EventGateway),
        tag("intermediateCatchEvent"): (_Catch, CatchEvent),
        tag("boundaryEvent"): (_Boundary, BoundaryCatch),
        tag("subProcess"): (_Subprocess, Subprocess),
        tag("callActivity"): (_Call, CalledProcess),
    }
