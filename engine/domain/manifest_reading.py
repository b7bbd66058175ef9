"""Reading `package.toml`: tables, words and texts, with a finding for each thing that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.domain.limit import Limit, limit_from_mapping
from engine.domain.locales import LOCALES
from engine.domain.process import Finding

MANIFEST = "package.toml"
KEY = re.compile(r"[a-z][a-z0-9_]{1,39}")
Text = Mapping[str, str]
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?")
_SETTING = re.compile(r"\s*([A-Za-z0-9_.\"-]+)\s*=")


def lines_of(text: str) -> dict[str, int]:
    """The line of each table and setting, by its path; ``services[2].limits.reply`` is one."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    here = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            name = header[2].replace('"', "").replace(" ", "")
            if header[1] == "[[":
                counts[name] = counts.get(name, 0) + 1
                here = f"{name}[{counts[name]}]"
            else:
                first, dot, rest = name.partition(".")
                here = f"{first}[{counts[first]}]{dot}{rest}" if first in counts else name
            lines.setdefault(here, number)
        elif setting := _SETTING.match(line):
            path = setting[1].replace('"', "")
            lines.setdefault(f"{here}.{path}" if here else path, number)
    return lines


@dataclass
class Reader:
    """Reads with a finding for each thing that is wrong, so that all are told at once."""

    raw: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, code: str, element: str, **params: Any) -> None:
        line = line_at(self.lines, element)
        self.findings.append(Finding(code, MANIFEST, element=element, line=line, params=params))

    def table(self, path: str, of: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        value = (self.raw if of is None else of).get(path, {})
        if isinstance(value, Mapping):
            return value
        self.wrong("manifest_setting_wrong", path, expected="table")
        return {}

    def tables(self, path: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The rows of an array of tables, each with where it stands."""
        rows = self.raw.get(path, [])
        if not isinstance(rows, list):
            self.wrong("manifest_setting_wrong", path, expected=f"[[{path}]]")
            return []
        found = []
        for number, row in enumerate(rows, start=1):
            where = f"{path}[{number}]"
            if isinstance(row, Mapping):
                found.append((where, row))
            else:
                self.wrong("manifest_setting_wrong", where, expected="table")
        return found

    def word(self, table: Mapping[str, Any], name: str, where: str, form: re.Pattern[str]) -> str:
        value = table.get(name)
        if isinstance(value, str) and form.fullmatch(value):
            return value
        self.wrong("manifest_setting_wrong", f"{where}.{name}", expected=form.pattern)
        return ""

    def optional_word(
        self, table: Mapping[str, Any], name: str, where: str, form: re.Pattern[str] = KEY
    ) -> str | None:
        """The word if the table has one."""
        return self.word(table, name, where, form) if name in table else None

    def words(self, table: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
        """One text, or a list of texts."""
        value = table.get(name, [])
        several = [value] if isinstance(value, str) else value
        if isinstance(several, list) and all(isinstance(each, str) for each in several):
            return tuple(several)
        self.wrong("manifest_setting_wrong", f"{where}.{name}", expected="text")
        return ()

    def only(self, table: Mapping[str, Any], where: str, known: tuple[str, ...]) -> None:
        """A setting that nobody knows is a slip of the keyboard."""
        for name in sorted(set(table) - set(known)):
            self.wrong("manifest_setting_unknown", f"{where}.{name}", known=", ".join(known))

    def text(self, value: Any, where: str) -> Text:
        if isinstance(value, Mapping) and all(
            isinstance(value.get(locale), str) and value[locale].strip() for locale in LOCALES
        ):
            return {locale: value[locale] for locale in LOCALES}
        self.wrong("text_missing", where, locales=", ".join(LOCALES))
        return dict.fromkeys(LOCALES, "")

    def optional_text(self, table: Mapping[str, Any], name: str, where: str) -> Text:
        """The text if the table has one, otherwise nothing."""
        return self.text(table[name], f"{where}.{name}") if name in table else {}

    def texts(self, name: str) -> dict[str, Text]:
        return {key: self.text(value, f"{name}.{key}") for key, value in self.table(name).items()}

    def limits(self, table: Mapping[str, Any], where: str) -> dict[str, Limit]:
        limits = {}
        for name, value in table.items():
            try:
                limits[name] = limit_from_mapping(value)
            except (ValueError, TypeError, AttributeError) as error:
                self.wrong("limit_wrong", f"{where}.{name}", reason=str(error))
        return limits


def line_at(lines: Mapping[str, int], path: str) -> int | None:
    """The line of a path, or of what it is in."""
    while path:
        if path in lines:
            return lines[path]
        path = path.rpartition(".")[0]
    return None
