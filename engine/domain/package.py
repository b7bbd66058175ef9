"""The manifest of a process package, `package.toml`: read, checked, turned into plain data."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.domain.clock_reading import (
    read_answer_verbs,
    read_clocks,
    read_ladder,
    read_silence,
)
from engine.domain.clock_terms import (
    UNDECLARED,
    USUAL_LADDER,
    AnswerVerb,
    ClockTerms,
    Rung,
    SilenceRule,
    terms_of,
)
from engine.domain.dispatch import DEFAULT_LIMITS, DispatchRules, read_dispatch
from engine.domain.lifecycle import STAGES
from engine.domain.limit import Limit
from engine.domain.manifest_reading import KEY, MANIFEST, Reader, Text, lines_of
from engine.domain.process import Finding

__all__ = ["MANIFEST", "Manifest", "OfferedService", "read_manifest"]
_PREFIX = re.compile(r"[A-Z]{2,6}")
_CALENDAR = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SERVICE = re.compile(r"[A-Z][A-Z0-9]{1,11}")


@dataclass(frozen=True)
class OfferedService:
    """One service that the package runs: its start form and its own limits.

    One that is not `listed` is not in the catalogue and not offered to citizens: its cases are
    begun by programs. `calendar` is its own instead of the package's.
    """

    code: str
    form: str
    limits: Mapping[str, Limit]
    sensitive: bool = False
    listed: bool = True
    calendar: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What `package.toml` says."""

    key: str
    process: str
    reference_prefix: str
    title: Text
    saves_as: str
    services: Mapping[str, OfferedService]
    limits: Mapping[str, Limit]
    labels: Mapping[str, Text]
    stages: Mapping[str, Text]
    outcomes: Mapping[str, Text]
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Settings of elements, by element id, that hold instead of those in the model."""
    calendar: str | None = None
    """The working calendar on which its cases' clocks count; None is the office's main one."""
    dispatch: DispatchRules = field(default_factory=DispatchRules)
    refusals: frozenset[str] = frozenset()
    """The outcomes that refuse what was asked for."""
    clocks: Mapping[str, ClockTerms] = field(default_factory=lambda: UNDECLARED)
    ladder: tuple[Rung, ...] = USUAL_LADDER
    silence: tuple[SilenceRule, ...] = ()
    on_answer: tuple[AnswerVerb, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    """Where each table and setting stands in the file."""

    @property
    def listed(self) -> bool:
        """Whether citizens may be offered any of its services."""
        return any(service.listed for service in self.services.values())

    def limit(self, service: str, name: str) -> Limit:
        """The limit `name` as it holds for `service`. Raises KeyError if there is none."""
        own = self.services[service].limits if service in self.services else {}
        return own[name] if name in own else self.limits[name]

    def calendar_of(self, service: str) -> str | None:
        """The calendar on which the clocks of `service` count; None is the office's main one."""
        own = self.services[service].calendar if service in self.services else None
        return own or self.calendar

    def dispatch_limit(self, service: str, name: str) -> Limit:
        """As `limit`, for ``return``, ``redispatch``, ``adjudicate`` and ``joint``."""
        try:
            return self.limit(service, name)
        except KeyError:
            return DEFAULT_LIMITS[name]

    def terms(self, clock: str) -> ClockTerms | None:
        """What is said of a case's clock; None for one that the package does not have."""
        return terms_of(self.clocks, clock)


def read_manifest(content: bytes) -> tuple[Manifest | None, list[Finding]]:
    """The manifest, or None, with everything that is wrong in it."""
    try:
        text = content.decode("utf-8")
        raw = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        line = re.search(r"line (\d+)", str(error))
        return None, [
            Finding(
                "manifest_unreadable",
                MANIFEST,
                line=int(line[1]) if line else None,
                params={"reason": str(error)},
            )
        ]
    reader = _Reader(raw, lines_of(text))
    manifest = reader.manifest()
    return (None if reader.findings else manifest), reader.findings


class _Reader(Reader):
    """Reads the whole manifest."""

    def calendar(self, table: Mapping[str, Any], where: str) -> str | None:
        return self.optional_word(table, "calendar", where, _CALENDAR)

    def services(self) -> dict[str, OfferedService]:
        rows = self.tables("services")
        if not rows:
            self.wrong("manifest_setting_wrong", "services", expected="[[services]]")
        offered = {}
        for where, row in rows:
            code = self.word(row, "code", where, _SERVICE)
            offered[code] = OfferedService(
                code=code,
                form=self.word(row, "form", where, KEY),
                limits=self.limits(self.table("limits", row), f"{where}.limits"),
                sensitive=row.get("sensitive") is True,
                listed=row.get("listed") is not False,
                calendar=self.calendar(row, where),
            )
        return offered

    def settings(self) -> dict[str, Mapping[str, str]]:
        made: dict[str, Mapping[str, str]] = {}
        for element in self.table("settings"):
            values = self.table(element, self.table("settings"))
            for name, value in values.items():
                if not isinstance(value, str) or value.startswith("=") or "{" in value:
                    self.wrong(
                        "manifest_setting_wrong", f"settings.{element}.{name}", expected="text"
                    )
            made[element] = {name: str(value) for name, value in values.items()}
        return made

    def manifest(self) -> Manifest:
        package = self.table("package")
        stages = self.texts("stages")
        for stage in STAGES:
            if stage not in stages:
                self.wrong("stage_missing", f"stages.{stage}", stage=stage)
        for unknown in set(stages) - set(STAGES):
            self.wrong("stage_unknown", f"stages.{unknown}", stage=unknown)
        outcomes, clocks = self.table("outcomes"), read_clocks(self)
        return Manifest(
            key=self.word(package, "key", "package", KEY),
            process=self.word(package, "process", "package", re.compile(r"[A-Za-z_][\w.-]*")),
            reference_prefix=self.word(package, "reference_prefix", "package", _PREFIX),
            title=self.text(package.get("title"), "package.title"),
            saves_as=self.word(self.table("start"), "saves_as", "start", KEY),
            services=self.services(),
            limits=self.limits(self.table("limits"), "limits"),
            labels=self.texts("labels"),
            stages=stages,
            outcomes=self.texts("outcomes"),
            settings=self.settings(),
            calendar=self.calendar(package, "package"),
            dispatch=read_dispatch(self),
            refusals=frozenset(
                key
                for key, value in outcomes.items()
                if isinstance(value, Mapping) and value.get("refuses") is True
            ),
            clocks=clocks,
            ladder=read_ladder(self, clocks),
            silence=read_silence(self, clocks),
            on_answer=read_answer_verbs(self, clocks),
            lines=self.lines,
        )
