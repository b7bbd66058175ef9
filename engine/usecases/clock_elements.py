"""The elements of a model that do something to clocks."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.connector import is_expression
from engine.domain.process import Element
from engine.usecases.definition import Contents

CLOCK_ACTION = "clock."


@dataclass(frozen=True)
class ClockElement:
    """An element of the model that does something to clocks."""

    element: Element
    verb: str
    clocks: tuple[str, ...]
    limit: str
    pause: str


def clock_elements(contents: Contents) -> list[ClockElement]:
    """Those whose clocks stand in the model and are not worked out."""
    found = []
    for element in contents.process.elements.values():
        action, clock = (element.properties.get(name, "") for name in ("action", "clock"))
        if action.startswith(CLOCK_ACTION) and not is_expression(clock):
            found.append(
                ClockElement(
                    element,
                    action[len(CLOCK_ACTION) :],
                    tuple(clock.split()),
                    element.properties.get("limit", ""),
                    element.properties.get("name", ""),
                )
            )
    return found
