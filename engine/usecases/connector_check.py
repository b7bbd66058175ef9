"""What a package says to connectors: whether there is such a connector, and it could work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.domain.connector import COMMON, Connectors, Setting, is_expression
from engine.domain.process import Element, Finding
from engine.usecases.definition import Contents

KINDS = frozenset({"serviceTask", "sendTask"})


def unfitting_connectors(contents: Contents, connectors: Connectors) -> Iterator[Finding]:
    """Each setting of a connector's task that is missing, wrong or out of reach."""
    for element in contents.process.elements.values():
        if "connector" in element.properties:
            yield from _ElementCheck(element, connectors).findings()


class _ElementCheck:
    def __init__(self, element: Element, connectors: Connectors) -> None:
        self.element, self.connectors = element, connectors
        self.name = element.properties["connector"]

    def findings(self) -> Iterator[Finding]:
        description = self.connectors.descriptions.get(self.name)
        if self.element.kind not in KINDS:
            yield self.wrong("connector_elsewhere")
        elif description is None:
            yield self.wrong("connector_unknown", connector=self.name)
        else:
            for setting in (*description.settings, *COMMON):
                yield from self._of(setting)

    def _of(self, setting: Setting) -> Iterator[Finding]:
        given = {
            name: value
            for name, value in self.element.properties.items()
            if value and setting.is_for(name)
        }
        if setting.required and not given:
            yield self.wrong("connector_setting_missing", connector=self.name, setting=setting.name)
        for name, value in given.items():
            if is_expression(value):
                if setting.literal:
                    yield self.wrong("connector_setting_literal", setting=name)
            elif (expected := setting.expected(value)) is not None:
                yield self.wrong("connector_setting_wrong", setting=name, expected=expected)
            elif setting.kind == "url":
                yield from self._url(name, value)

    def _url(self, name: str, url: str) -> Iterator[Finding]:
        try:
            allowed = self.connectors.allows(url)
        except ValueError:
            yield self.wrong("connector_url_wrong", setting=name, url=url)
            return
        if not allowed:
            # Another installation may allow it, or this one tomorrow.
            found = self.wrong("connector_host_refused", setting=name, url=url)
            yield replace(found, severity="warning")

    def wrong(self, code: str, **params: str) -> Finding:
        element = self.element
        return Finding(code, element.file, element.id, element.line, params=params)
