"""Whether the parts of a package fit together: what a file names must exist in another."""

from __future__ import annotations

from collections.abc import Iterator

from engine.domain.lifecycle import STAGES
from engine.domain.locales import LOCALES
from engine.domain.package import MANIFEST, Manifest
from engine.domain.ports import Calendars
from engine.domain.process import Element, Finding
from engine.usecases.definition import Contents

_LABELLED = ("userTask", "manualTask", "sendTask")


def unfitting(contents: Contents, departments: set[str], calendars: Calendars) -> Iterator[Finding]:
    """Each thing that a part of the package names and no other part provides."""
    yield from _unfitting_calendars(contents.manifest, calendars)
    for service in contents.manifest.services.values():
        if service.form not in contents.forms:
            yield Finding(
                "form_missing", MANIFEST, element=service.code, params={"form": service.form}
            )
    for letter, texts in contents.letters.items():
        for locale in LOCALES:
            if locale not in texts:
                yield Finding(
                    "letter_missing",
                    f"letters/{letter}.{locale}.j2",
                    params={"letter": letter, "locale": locale},
                )
    yield from _unfitting_dispatch(contents, departments)
    for element in contents.process.elements.values():
        yield from _unfitting_element(contents, element, departments)


def _unfitting_calendars(manifest: Manifest, calendars: Calendars) -> Iterator[Finding]:
    named = {"package.calendar": manifest.calendar}
    named |= {each.code: each.calendar for each in manifest.services.values()}
    for place, name in named.items():
        if name is None:
            continue
        if name not in calendars.names():
            params = {"calendar": name, "known": ", ".join(sorted(calendars.names()))}
            yield Finding("calendar_unknown", MANIFEST, element=place, params=params)
        elif calendars.named(name).zone != calendars.main().zone:
            yield Finding(
                "calendar_zone_differs",
                MANIFEST,
                element=place,
                severity="warning",
                params={"calendar": name},
            )


def _unfitting_dispatch(contents: Contents, departments: set[str]) -> Iterator[Finding]:
    """The desks and tables of dispatch: each must be there and name a department."""
    rules, elements = contents.manifest.dispatch, contents.process.elements.values()
    for name, desk in (("dispatcher", rules.dispatcher), ("adjudicator", rules.adjudicator)):
        if desk is not None and desk.department not in departments:
            yield Finding(
                "department_unknown",
                MANIFEST,
                element=f"dispatch.{name}",
                severity="warning",
                params={"department": desk.department},
            )
    named = {element.properties.get("dispatch_table") for element in elements}
    for table in sorted({rules.table, *named} - {None, ""}, key=str):
        facts = contents.process.decision_facts(str(table))
        if facts is None or facts.several or "department" not in facts.outputs:
            yield Finding("dispatch_table_wrong", MANIFEST, str(table), params={"table": table})
            continue
        for department in sorted(facts.outputs["department"] - departments):
            yield Finding(
                "department_unknown",
                MANIFEST,
                element=str(table),
                severity="warning",
                params={"department": department},
            )


def _unfitting_element(
    contents: Contents, element: Element, departments: set[str]
) -> Iterator[Finding]:
    manifest = contents.manifest
    limits = set(manifest.limits).union(*(s.limits for s in manifest.services.values()))
    known: dict[str, tuple[str, set[str]]] = {
        "form": ("form_missing", set(contents.forms)),
        "letter": ("letter_missing", set(contents.letters)),
        "limit": ("limit_missing", limits),
        "stage": ("stage_unknown", set(STAGES)),
        "outcome": ("outcome_unknown", set(manifest.outcomes)),
        "department": ("department_unknown", departments),
    }
    for name, (code, names) in known.items():
        value = element.properties.get(name)
        if value and not value.startswith("=") and value not in names:
            yield Finding(
                code,
                element.file,
                element=element.id,
                line=element.line,
                severity="warning" if name == "department" else "error",
                params={name: value, "locale": ""},
            )
    if element.kind in _LABELLED and element.id not in manifest.labels:
        yield Finding("label_missing", element.file, element=element.id, line=element.line)
