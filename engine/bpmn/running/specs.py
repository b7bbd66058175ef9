"""The specs of all flow nodes of a package, made once and shared by all its cases."""

from __future__ import annotations

from collections.abc import Mapping

from SpiffWorkflow.specs import WorkflowSpec

from engine.bpmn.model import FOR_PEOPLE, Node, ProcessModel
from engine.bpmn.running.activities import JobTask, PersonTask, ReceiveTask, ScriptTask
from engine.bpmn.running.events import BoundaryEvent, CatchEvent, EndEvent, StartEvent, ThrowEvent
from engine.bpmn.running.gateways import EventBased, Exclusive, Inclusive, Parallel
from engine.bpmn.running.nodes import FlowNode
from engine.bpmn.running.subprocesses import AdHoc, Call, Subprocess

KINDS: dict[str, type[FlowNode]] = {
    "task": JobTask,
    "serviceTask": JobTask,
    "sendTask": JobTask,
    "businessRuleTask": JobTask,
    "receiveTask": ReceiveTask,
    "scriptTask": ScriptTask,
    **dict.fromkeys(FOR_PEOPLE, PersonTask),
    "subProcess": Subprocess,
    "transaction": Subprocess,
    "adHocSubProcess": AdHoc,
    "callActivity": Call,
    "exclusiveGateway": Exclusive,
    "parallelGateway": Parallel,
    "inclusiveGateway": Inclusive,
    "eventBasedGateway": EventBased,
    "startEvent": StartEvent,
    "endEvent": EndEvent,
    "intermediateCatchEvent": CatchEvent,
    "intermediateThrowEvent": ThrowEvent,
    "boundaryEvent": BoundaryEvent,
}


def make_specs(processes: Mapping[str, ProcessModel]) -> WorkflowSpec:
    """One workflow spec with the flow nodes of all the processes, as ``process/node``."""
    made = WorkflowSpec(name="package", addstart=False)
    for process in processes.values():
        for scope in process.scopes.values():
            for node in scope.nodes.values():
                _kind(node)(made, process.id, node)
    return made


def _kind(node: Node) -> type[FlowNode]:
    return KINDS[node.kind]
