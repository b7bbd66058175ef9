"""What the paths of a process do to its clocks: pauses that stay open, extensions nobody agreed to.

A path is followed as it is drawn, whatever its conditions; branches that run side by side are taken
for alternatives. So what is found on some path is a warning, and an error only where no path is
right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from engine.domain.process import Element, Finding, Way
from engine.usecases.clock_elements import ClockElement
from engine.usecases.definition import Contents


def reached(ways: Mapping[str, Way], starts: Iterable[str], stops: AbstractSet[str]) -> set[str]:
    """The nodes that paths from `starts` come to; a path goes no further than one of `stops`."""
    found: set[str] = set()
    ahead = list(starts)
    while ahead:
        id_ = ahead.pop()
        if id_ in found or id_ not in ways:
            continue
        found.add(id_)
        if id_ not in stops:
            ahead += [*ways[id_].next, *ways[id_].edges]
    return found


def unfitting_paths(contents: Contents, elements: list[ClockElement]) -> Iterator[Finding]:
    """What is wrong with the ways from one clock verb to the next."""
    for each in elements:
        if each.verb == "pause":
            yield from _pause(contents, each, elements)
        elif each.verb == "resume":
            yield from _resume(contents, each, elements)
        elif each.verb == "extend":
            yield from _extension(contents, each)
    for rule in contents.manifest.on_answer:
        task = contents.process.elements.get(rule.task)
        if rule.verb == "pause" and task is not None:
            asked = ClockElement(task, rule.verb, rule.clocks, "", rule.pause)
            yield from _pause(contents, asked, elements)


def _finding(code: str, element: Element, error: bool = False, **params: object) -> Finding:
    return Finding(
        code,
        element.file,
        element=element.id,
        line=element.line,
        severity="error" if error else "warning",
        params=params,
    )


def _pause(
    contents: Contents, each: ClockElement, elements: list[ClockElement]
) -> Iterator[Finding]:
    ways, kinds = contents.process.ways, contents.process.elements
    manifest = contents.manifest
    for clock in each.clocks:
        ends = {
            other.element.id
            for other in elements
            if clock in other.clocks
            and (
                other.verb in ("stop", "reset")
                or (other.verb == "resume" and other.pause == each.pause)
            )
        }
        terms = manifest.terms(clock)
        by_hand = terms is not None and "resume" in terms.buttons
        by_hand = by_hand or any(
            rule.verb == "resume" and clock in rule.clocks and rule.pause == each.pause
            for rule in manifest.on_answer
        )
        found = reached(ways, ways[each.element.id].next, ends)
        if not by_hand and not found & ends:
            yield _finding("pause_never_resumed", each.element, True, clock=clock, pause=each.pause)
        elif not by_hand and any(kinds[id_].kind == "endEvent" for id_ in found if id_ in kinds):
            yield _finding("pause_not_always_resumed", each.element, clock=clock, pause=each.pause)


def _resume(
    contents: Contents, each: ClockElement, elements: list[ClockElement]
) -> Iterator[Finding]:
    for clock in each.clocks:
        terms = contents.manifest.terms(clock)
        paused = any(
            other.verb == "pause" and clock in other.clocks and other.pause == each.pause
            for other in elements
        )
        paused = paused or any(
            rule.verb == "pause" and clock in rule.clocks and rule.pause == each.pause
            for rule in contents.manifest.on_answer
        )
        if not paused and (terms is None or "pause" not in terms.buttons):
            yield _finding("resume_without_pause", each.element, clock=clock, pause=each.pause)


def _extension(contents: Contents, each: ClockElement) -> Iterator[Finding]:
    ways, kinds = contents.process.ways, contents.process.elements
    roles = {
        terms.extension.role
        for clock in each.clocks
        if (terms := contents.manifest.terms(clock)) is not None and terms.extension.role
    }
    starts = [id_ for id_, element in kinds.items() if element.kind == "startEvent"]
    for role in sorted(roles):
        agreed = {id_ for id_, element in kinds.items() if element.properties.get("role") == role}
        found = reached(ways, starts, agreed)
        if each.element.id in found:
            yield _finding("extension_unapproved", each.element, role=role)
    told = {id_ for id_, element in kinds.items() if is_letter_to_applicant(element)}
    waits = waiting(contents)
    found = reached(ways, ways[each.element.id].next, told | waits)
    if found & waits:
        yield _finding("extension_untold", each.element)


def waiting(contents: Contents) -> set[str]:
    """Where somebody goes on with the case, or it ends."""
    kinds = ("userTask", "manualTask", "endEvent")
    return {id_ for id_, each in contents.process.elements.items() if each.kind in kinds}


def is_letter_to_applicant(element: Element) -> bool:
    """Whether the element sends a letter to the applicant."""
    to = element.properties.get("to", "applicant")
    return bool(element.properties.get("letter")) and to == "applicant"
