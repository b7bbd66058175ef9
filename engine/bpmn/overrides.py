"""Settings that a package gives to elements of a model it does not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.bpmn.running.process import PackagedProcess
from engine.domain.process import Process


def with_settings(process: Process, own: Mapping[str, Mapping[str, str]]) -> Process:
    """`process` with the literal settings of `own`, by element id, instead of the model's.

    An empty value takes the model's setting away. Elements that are not there are passed over.
    """
    assert isinstance(process, PackagedProcess)  # noqa: S101
    if not own:
        return process
    elements = dict(process.elements)
    expressions = dict(process.settings)
    for id_, values in own.items():
        if id_ not in elements:
            continue
        properties = {**elements[id_].properties, **values}
        kept = {name: value for name, value in properties.items() if value != ""}
        elements[id_] = replace(elements[id_], properties=kept)
        if id_ in expressions:
            expressions[id_] = {n: e for n, e in expressions[id_].items() if n not in values}
    return replace(process, elements=elements, settings=expressions)
