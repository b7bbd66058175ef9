"""Whether what a package says of its clocks fits its process: names, limits, buttons, silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.domain.clock_terms import SAME_LENGTH, ClockTerms, SilenceRule
from engine.domain.connector import is_expression
from engine.domain.limit import Limit
from engine.domain.ports import Ports
from engine.domain.process import Element, Finding
from engine.usecases.clock_elements import ClockElement, clock_elements
from engine.usecases.clock_paths import unfitting_paths
from engine.usecases.definition import Contents
from engine.usecases.limit_check import at_setting, unfitting_limits
from engine.usecases.refusal_check import unfitting_refusals


def unfitting_clocks(contents: Contents, ports: Ports) -> Iterator[Finding]:
    """Everything that is wrong with the clocks of a package, and what looks like a mistake."""
    elements = clock_elements(contents)
    yield from unfitting_limits(contents, ports.calendars)
    for each in elements:
        yield from _of_element(contents, each)
    for terms in contents.manifest.clocks.values():
        yield from _of_terms(contents, terms, elements)
    yield from unfitting_paths(contents, elements)
    yield from _tasks(contents)
    yield from _ladder(contents)
    yield from _answer_verbs(contents)
    for rule in contents.manifest.silence:
        yield from _silence(contents, ports, rule)
    yield from unfitting_refusals(contents)


def at_element(code: str, element: Element, **params: object) -> Finding:
    """An error at an element of the model."""
    return Finding(code, element.file, element=element.id, line=element.line, params=params)


def _of_element(contents: Contents, each: ClockElement) -> Iterator[Finding]:
    manifest = contents.manifest
    for clock in each.clocks:
        terms = manifest.terms(clock)
        if terms is None:
            yield at_element("clock_unknown", each.element, clock=clock)
            continue
        if terms.pauses and each.verb in ("pause", "resume") and each.pause not in terms.pauses:
            yield at_element("pause_unknown", each.element, clock=clock, pause=each.pause)
        needs = each.verb in ("start", "reset") and not (each.limit or terms.limit)
        if needs or (each.verb == "extend" and not (each.limit or terms.extension.limits)):
            yield at_element("clock_limit_missing", each.element, clock=clock)
        if each.verb == "extend" and each.limit and not is_expression(each.limit):
            yield from _extension(contents, each, terms)


def _extension(contents: Contents, each: ClockElement, terms: ClockTerms) -> Iterator[Finding]:
    allowed = terms.extension.limits
    if allowed and each.limit not in allowed:
        yield at_element("extension_not_allowed", each.element, clock=terms.key, limit=each.limit)
    for by in limits_named(contents, each.limit):
        if any(by.unit != limit.unit for limit in _counted(contents, terms.key)):
            yield at_element(
                "extension_unit_differs", each.element, clock=terms.key, limit=each.limit
            )
            return


def _counted(contents: Contents, clock: str) -> Iterator[Limit]:
    """The limits that a clock is begun with, as far as the model says them."""
    terms = contents.manifest.terms(clock)
    names = {terms.limit} if terms is not None and terms.limit else set()
    for each in clock_elements(contents):
        begins = clock in each.clocks and each.verb in ("start", "reset")
        if begins and each.limit and not is_expression(each.limit):
            names.add(each.limit)
    for name in names:
        yield from limits_named(contents, str(name))


def limits_named(contents: Contents, name: str) -> list[Limit]:
    """The limit of this name, as the package and each service have it."""
    manifest = contents.manifest
    tables = [manifest.limits, *(service.limits for service in manifest.services.values())]
    return [table[name] for table in tables if name in table]


def _of_terms(
    contents: Contents, terms: ClockTerms, elements: Iterable[ClockElement]
) -> Iterator[Finding]:
    if not terms.declared:
        return
    manifest, where = contents.manifest, f"clocks.{terms.key}"
    extension = terms.extension
    cap = extension.cap if extension.cap != SAME_LENGTH else None
    for name in filter(None, (terms.limit, cap, *extension.limits)):
        if not limits_named(contents, name):
            yield at_setting(manifest, "limit_missing", where, limit=name)
    letters = [terms.moved_letter, extension.letter, *(p.letter for p in terms.pauses.values())]
    for letter in filter(None, letters):
        if letter not in contents.letters:
            yield at_setting(manifest, "letter_missing", where, letter=letter, locale="")
    for most in limits_named(contents, cap) if cap else ():
        for name in extension.limits:
            for by in limits_named(contents, name):
                if by.unit != most.unit or by.value > most.value:
                    path = f"{where}.extension"
                    yield at_setting(manifest, "extension_over_cap", path, limit=name, cap=cap)
    started = {
        clock for each in elements if each.verb in ("start", "reset") for clock in each.clocks
    }
    started |= {clock for rule in manifest.silence for clock in rule.starts}
    started |= {clock for rule in manifest.on_answer for clock in rule.clocks}
    runs_by_itself = terms.kind in ("stage", "department", "task") or "start" in terms.buttons
    if terms.key not in started and not runs_by_itself:
        yield at_setting(manifest, "clock_unstarted", where, "warning", clock=terms.key)
    if terms.kind in ("stage", "department") and not terms.limit:
        yield at_setting(manifest, "clock_limit_missing", where, clock=terms.key)


def _tasks(contents: Contents) -> Iterator[Finding]:
    """A correction must have an end, and a stage's task a date."""
    ways = contents.process.ways
    for element in contents.process.elements.values():
        if element.kind not in ("userTask", "manualTask"):
            continue
        own = element.properties
        timed = any(ways[edge].timer for edge in ways[element.id].edges if edge in ways)
        corrects = own.get("kind") == "correction" or own.get("corrects")
        if corrects and not (timed or own.get("limit")):
            yield at_element("correction_without_limit", element)
        elif own.get("stage") and own.get("audience") != "applicant" and not own.get("limit"):
            yield Finding(
                "stage_task_without_limit",
                element.file,
                element=element.id,
                line=element.line,
                severity="warning",
            )


def _ladder(contents: Contents) -> Iterator[Finding]:
    for number, rung in enumerate(contents.manifest.ladder, start=1):
        if rung.letter is not None and rung.letter not in contents.letters:
            path = f"ladder[{number}]"
            yield at_setting(
                contents.manifest, "letter_missing", path, letter=rung.letter, locale=""
            )


def _answer_verbs(contents: Contents) -> Iterator[Finding]:
    manifest = contents.manifest
    for number, rule in enumerate(manifest.on_answer, start=1):
        path, element = f"on_answer[{number}]", contents.process.elements.get(rule.task)
        if element is None:
            yield at_setting(manifest, "element_unknown_here", path, id=rule.task)
            continue
        form = contents.forms.get(element.properties.get("form", ""))
        fields = form["schema"].get("properties", {}) if form is not None else {}
        for name in filter(None, (rule.name, rule.reason)):
            if form is not None and name not in fields:
                yield at_setting(manifest, "field_unknown_here", path, field=name)
        if rule.limit and not limits_named(contents, rule.limit):
            yield at_setting(manifest, "limit_missing", path, limit=rule.limit)
        for clock in rule.clocks:
            terms = manifest.terms(clock)
            named = terms is not None and terms.pauses and rule.verb in ("pause", "resume")
            if named and rule.pause not in (terms.pauses if terms is not None else {}):
                yield at_setting(manifest, "pause_unknown", path, clock=clock, pause=rule.pause)


def _silence(contents: Contents, ports: Ports, rule: SilenceRule) -> Iterator[Finding]:
    manifest, path = contents.manifest, f"silence.{rule.key}"
    elements, ways = contents.process.elements, contents.process.ways
    for id_ in filter(None, (rule.timer, rule.task)):
        if id_ not in elements:
            yield at_setting(manifest, "element_unknown_here", path, id=id_)
            return
    if rule.timer and not ways[rule.timer].timer:
        yield at_setting(manifest, "silence_place_wrong", path)
    if rule.limit and not limits_named(contents, rule.limit):
        yield at_setting(manifest, "limit_missing", path, limit=rule.limit)
    if rule.letter and rule.letter not in contents.letters:
        yield at_setting(manifest, "letter_missing", path, letter=rule.letter, locale="")
    if rule.outcome and rule.outcome not in manifest.outcomes:
        yield at_setting(manifest, "outcome_unknown", path, outcome=rule.outcome)
    if rule.timer:
        return
    if rule.task and not rule.clock and not elements[rule.task].properties.get("limit"):
        yield at_setting(manifest, "silence_without_limit", path, id=rule.task)
    if rule.rule != "deemed_withdrawn" and not (rule.task and rule.answers):
        yield at_setting(manifest, "silence_without_answers", path)
    yield from _silent_answers(contents, ports, rule, path)


def _silent_answers(
    contents: Contents, ports: Ports, rule: SilenceRule, path: str
) -> Iterator[Finding]:
    """What the engine answers must be what the form would take."""
    element = contents.process.elements.get(rule.task or "")
    form = contents.forms.get(element.properties.get("form", "")) if element is not None else None
    if form is None or not rule.answers:
        return
    service = next(iter(contents.manifest.services.values()), None)
    start = contents.forms.get(service.form) if service is not None else None
    _, errors = ports.forms.validate(form, rule.answers, start)
    for wrong in errors:
        yield at_setting(
            contents.manifest, "silence_answers_wrong", path, field=wrong.field, error=wrong.code
        )
