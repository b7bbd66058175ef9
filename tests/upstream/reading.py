"""SpiffWorkflow's test models as this engine reads them, behind the face of its parser."""

from __future__ import annotations

import glob
import unittest
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException

from engine.bpmn.needs import with_needed
from engine.bpmn.package import read_package
from engine.bpmn.running.process import PackagedProcess

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_CHOOSING = f"{BPMN}exclusiveGateway"


class NotOurs(unittest.SkipTest):
    """The test looks at something of SpiffWorkflow that has no counterpart here; `str()` is it."""


class Refused(ValidationException):  # type: ignore[misc]
    """The reader refuses the model; `codes` are those of its findings."""

    def __init__(self, codes: Iterable[str], message: str) -> None:
        super().__init__(message)
        self.codes = frozenset(codes)


def as_upstream_means(content: bytes, *, named_choices: bool) -> bytes:
    """The model with its tests' own conventions written out.

    There a plain task waits for a person, a message event without reference goes by its own name,
    and any process may be started. With `named_choices` a flow of an exclusive gateway without
    condition is taken if the variable `choice` is its name.
    """
    root = etree.fromstring(content)
    for task in root.iter(f"{BPMN}task"):
        task.tag = f"{BPMN}manualTask"
    for process in root.iter(f"{BPMN}process"):
        process.set("isExecutable", "true")
    for number, event in enumerate(root.iter(f"{BPMN}messageEventDefinition")):
        name = event.getparent().get("name")
        if event.get("messageRef") is None and name:
            event.set("messageRef", f"message_by_name_{number}")
            made = etree.SubElement(root, f"{BPMN}message")
            made.set("id", f"message_by_name_{number}")
            made.set("name", name)
    if named_choices:
        _name_choices(root)
    made_content: bytes = etree.tostring(root)
    return made_content


def _name_choices(root: Any) -> None:
    gateways = {each.get("id"): each for each in root.iter(_CHOOSING)}
    leaving: dict[str, list[Any]] = {}
    for flow in root.iter(f"{BPMN}sequenceFlow"):
        leaving.setdefault(flow.get("sourceRef") or "", []).append(flow)
    for id_, gateway in gateways.items():
        flows = leaving.get(id_, [])
        for flow in flows:
            chosen = flow.get("id") == gateway.get("default")
            if len(flows) > 1 and not chosen and flow.find(f"{BPMN}conditionExpression") is None:
                condition = etree.SubElement(flow, f"{BPMN}conditionExpression")
                condition.text = f"choice == {flow.get('name')!r}"


@dataclass(frozen=True)
class Spec:
    """What stands for SpiffWorkflow's specification of a process."""

    process: PackagedProcess
    name: str
    file: str

    def __getattr__(self, name: str) -> Any:
        raise NotOurs(f"spec.{name}")


def read(models: Mapping[str, bytes], process_id: str) -> PackagedProcess:
    """The process among `models`, read with those it needs. Raises Refused, KeyError."""
    of_it = next(name for name, text in sorted(models.items()) if process_id in processes_of(text))
    needed = with_needed(of_it, models)
    package = read_package(needed)
    if not package.can_run() or process_id not in package.processes:
        errors = [each for each in package.findings if each.severity == "error"]
        raise Refused(
            (each.code for each in errors),
            "; ".join(f"{each.code} at {each.element} {dict(each.params)}" for each in errors),
        )
    return package.process(process_id)


def processes_of(content: bytes) -> dict[str, str]:
    """The ids of the processes in a model, with their names."""
    root = etree.fromstring(content)
    return {each.get("id") or "": each.get("name") or "" for each in root.iter(f"{BPMN}process")}


class Parser:
    """What stands for `BpmnParser` and its subclasses."""

    OVERRIDE_PARSER_CLASSES: Mapping[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.models: dict[str, bytes] = {}

    def add_bpmn_file(self, filename: str) -> None:
        self.add_bpmn_str(Path(filename).read_bytes(), str(filename))

    def add_bpmn_files(self, filenames: Iterable[str]) -> None:
        for filename in filenames:
            self.add_bpmn_file(filename)

    def add_bpmn_files_by_glob(self, pattern: str) -> None:
        self.add_bpmn_files(sorted(glob.glob(pattern)))

    def add_bpmn_io(self, file: Any, filename: str | None = None) -> None:
        self.add_bpmn_str(file.read(), filename)

    def add_bpmn_str(self, content: Any, filename: str | None = None) -> None:
        text = content.encode() if isinstance(content, str) else content
        named = _CHOOSING in self.OVERRIDE_PARSER_CLASSES
        name = f"{len(self.models)}_{Path(filename or 'model.bpmn').name.partition('.')[0]}.bpmn"
        self.models[name] = as_upstream_means(text, named_choices=named)

    def add_dmn_file(self, filename: str) -> None:
        self.models[f"{len(self.models)}.dmn"] = Path(filename).read_bytes()

    def add_dmn_files(self, filenames: Iterable[str]) -> None:
        for filename in filenames:
            self.add_dmn_file(filename)

    def add_dmn_files_by_glob(self, pattern: str) -> None:
        self.add_dmn_files(sorted(glob.glob(pattern)))

    def get_spec(self, process: str, required: bool = True) -> Spec:
        for file, content in self.models.items():
            if file.endswith(".dmn"):
                continue
            for id_, name in processes_of(content).items():
                if process in (id_, name):
                    return Spec(read(self.models, id_), id_, file)
        raise ValidationException(f"no process {process!r}")

    def get_subprocess_specs(self, name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {}

    def __getattr__(self, name: str) -> Any:
        raise NotOurs(f"parser.{name}")
