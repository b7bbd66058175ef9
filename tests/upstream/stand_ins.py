"""Puts this engine in the place of SpiffWorkflow's parsers, workflow and serializer."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from tests.upstream.playing import Playing
from tests.upstream.reading import NotOurs, Parser, Spec


class Serializer:
    """What stands for `BpmnWorkflowSerializer`: the product's state, as text."""

    _specs: ClassVar[dict[str, Spec]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    @staticmethod
    def configure(*args: Any, **kwargs: Any) -> None:
        return None

    def to_dict(self, workflow: Playing) -> dict[str, Any]:
        key = str(id(workflow.spec))
        self._specs[key] = workflow.spec
        return {"spec": key, **workflow.stored()}

    def from_dict(self, rows: Mapping[str, Any]) -> Playing:
        return Playing.restored(self._specs[rows["spec"]], rows)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise NotOurs(f"serializer.{name}")


_PLACES: Mapping[str, type] = {
    "SpiffWorkflow.bpmn.workflow:BpmnWorkflow": Playing,
    "SpiffWorkflow.bpmn.serializer.workflow:BpmnWorkflowSerializer": Serializer,
    "SpiffWorkflow.bpmn.parser.BpmnParser:BpmnParser": Parser,
    "SpiffWorkflow.dmn.parser.BpmnDmnParser:BpmnDmnParser": Parser,
    "SpiffWorkflow.camunda.parser.CamundaParser:CamundaParser": Parser,
    "SpiffWorkflow.spiff.parser.process:SpiffBpmnParser": Parser,
}


@contextmanager
def standing_in() -> Iterator[None]:
    """While this lasts, whoever imports those classes from SpiffWorkflow gets ours."""
    ours = {}
    for place, stand_in in _PLACES.items():
        home, _, name = place.partition(":")
        ours[getattr(importlib.import_module(home), name)] = stand_in
    replaced: list[tuple[Any, str, type]] = []
    for module_name, module in list(sys.modules.items()):
        if not module_name.startswith("SpiffWorkflow"):
            continue
        for name, value in list(vars(module).items()):
            if isinstance(value, type) and value in ours:
                replaced.append((module, name, value))
                setattr(module, name, ours[value])
    try:
        yield
    finally:
        for module, name, value in replaced:
            setattr(module, name, value)
        _forget_late(dict(zip((each.__name__ for each in ours), ours, strict=True)))


def _forget_late(theirs: Mapping[str, type]) -> None:
    """Give back their own classes to modules of theirs that were first imported meanwhile."""
    ours = frozenset(_PLACES.values())
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("SpiffWorkflow"):
            for name, value in list(vars(module).items()):
                if isinstance(value, type) and value in ours and name in theirs:
                    setattr(module, name, theirs[name])
