"""The deploy report: each element executed, adapted or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.bpmn.package import Package, read_package
from engine.domain.process import Finding

Verdict = Literal["executed", "adapted", "refused"]

ADAPTED = frozenset(
    {
        "decision_not_named",
        "listener_ignored",
        "script_missing",
        "send_task_without_letter",
        "service_as_job",
        "timer_kind_differs",
    }
)
"""Warnings that say an element runs, but not in every way as its model has it."""


@dataclass(frozen=True)
class ElementReport:
    file: str
    element: str
    kind: str
    name: str
    line: int
    verdict: Verdict
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeployReport:
    """`publishable` is whether the files could be published; `elements` are in file order."""

    publishable: bool
    elements: tuple[ElementReport, ...]
    findings: tuple[Finding, ...]


def deploy_report(files: Mapping[str, bytes]) -> tuple[DeployReport, Package]:
    """What would become of the models if they were published. Bad content never raises."""
    package = read_package(files)
    by_element: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in package.findings:
        by_element.setdefault((finding.file, finding.element), []).append(finding)
    elements = tuple(
        ElementReport(
            each.file,
            each.id,
            each.kind,
            each.name,
            each.line,
            _verdict(by_element.get((each.file, each.id), [])),
            tuple(finding.code for finding in by_element.get((each.file, each.id), [])),
        )
        for each in package.reading.elements.values()
    )
    found = bool(package.processes or package.decisions)
    findings = list(package.findings)
    if not found and not any(finding.severity == "error" for finding in findings):
        findings.append(Finding("process_missing", next(iter(files), ""), params={"process": ""}))
    publishable = found and not any(finding.severity == "error" for finding in findings)
    return DeployReport(publishable, elements, tuple(findings)), package


def _verdict(findings: list[Finding]) -> Verdict:
    if any(finding.severity == "error" for finding in findings):
        return "refused"
    return "adapted" if any(finding.code in ADAPTED for finding in findings) else "executed"
