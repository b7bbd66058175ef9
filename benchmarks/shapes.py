"""The small processes of the engine's benchmark, and how each engine reads them."""

from __future__ import annotations

import io
from typing import Any

from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser

from engine.bpmn import read_process
from engine.bpmn.running.process import PackagedProcess

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="t">'
    '<bpmn:process id="p" isExecutable="true"><bpmn:startEvent id="s"/>'
)
_TAIL = '<bpmn:endEvent id="e"/></bpmn:process></bpmn:definitions>'
_THOUSAND = (
    '<bpmn:multiInstanceLoopCharacteristics isSequential="false"><bpmn:loopCardinality>1000'
    "</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
)
_STRAIGHT = (
    '<bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="a"/>'
    '<bpmn:sequenceFlow id="f2" sourceRef="a" targetRef="e"/>'
)
LOOP = (
    _HEAD + '<bpmn:manualTask id="a"/><bpmn:exclusiveGateway id="x" default="out"/>'
    '<bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="a"/>'
    '<bpmn:sequenceFlow id="f3" sourceRef="a" targetRef="x"/>'
    '<bpmn:sequenceFlow id="back" sourceRef="x" targetRef="a"><bpmn:conditionExpression '
    'xsi:type="bpmn:tFormalExpression">turn &lt; turns</bpmn:conditionExpression>'
    '</bpmn:sequenceFlow><bpmn:sequenceFlow id="out" sourceRef="x" targetRef="e"/>' + _TAIL
)
"""A task of a person and a gateway that leads back to it."""
SCRIPTS = (
    f'{_HEAD}<bpmn:scriptTask id="a">{_THOUSAND}<bpmn:script>done = 1</bpmn:script>'
    f"</bpmn:scriptTask>{_STRAIGHT}{_TAIL}"
)
"""A script, a thousand times in parallel."""
PEOPLE = f'{_HEAD}<bpmn:manualTask id="a">{_THOUSAND}</bpmn:manualTask>{_STRAIGHT}{_TAIL}'
"""A task of a person, a thousand of them open at once."""
FORM = f'{_HEAD}<bpmn:userTask id="a"/>{_STRAIGHT}{_TAIL}'
"""One task of a person; what is filed is the data of the case."""


def ours(model: str, process: str = "p", table: str | None = None) -> PackagedProcess:
    files = {"p.bpmn": model.encode()} | ({"p.dmn": table.encode()} if table else {})
    made, findings = read_process(files, process)
    if not isinstance(made, PackagedProcess):
        raise TypeError(str(findings))
    return made


def stock(model: str, process: str = "p", table: str | None = None) -> Any:
    """The specification that SpiffWorkflow's own parser makes."""
    parser = SpiffBpmnParser() if table else BpmnParser()
    if table:
        parser.add_dmn_io(io.BytesIO(table.encode()))
    parser.add_bpmn_io(io.BytesIO(model.encode()))
    return parser.get_spec(process)
