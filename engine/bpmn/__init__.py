"""The BPMN adapter: files in, an executable process out; state in, step out. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException

from engine.bpmn.check import Checked, check_structure
from engine.bpmn.check_nodes import NodeCheck
from engine.bpmn.decisions import DecisionTable, read_decision
from engine.bpmn.documents import read_xml
from engine.bpmn.model import processes_in
from engine.bpmn.parser import PackageParser
from engine.bpmn.runtime import PackagedProcess
from engine.domain.process import Finding, Process

__all__ = ["read_process"]


def read_process(
    files: Mapping[str, bytes], process_id: str
) -> tuple[Process | None, list[Finding]]:
    """The process `process_id` of a package's ``*.bpmn`` and ``*.dmn`` files, with findings.

    Bad content never raises; the process is None when any finding is an error.
    """
    decisions, findings = _decisions(files)
    roots: dict[str, Any] = {}
    for file, content in sorted(files.items()):
        if file.endswith(".bpmn"):
            root, found = read_xml(file, content)
            findings += found
            if root is not None:
                roots[file] = root
    processes = {process.get("id") or "": process for _, process in processes_in(roots)}
    if process_id not in processes:
        if roots or not findings:
            at = next(iter(roots), "process.bpmn")
            findings.append(Finding("process_missing", at, params={"process": process_id}))
        return None, findings
    checked = check_structure(roots)
    NodeCheck(checked, frozenset(decisions), processes).check()
    findings += checked.findings
    if any(finding.severity == "error" for finding in findings):
        return None, findings
    try:
        made: Process = _parse(roots, process_id, checked, decisions)
        return made, findings
    except (ValidationException, RecursionError) as error:
        file = next(
            name for name, process in processes_in(roots) if process.get("id") == process_id
        )
        findings.append(
            Finding(
                "diagram_refused",
                file,
                element=getattr(error, "id", None) or None,
                params={"reason": str(error)[:300]},
            )
        )
        return None, findings


def _decisions(files: Mapping[str, bytes]) -> tuple[dict[str, DecisionTable], list[Finding]]:
    decisions: dict[str, DecisionTable] = {}
    findings: list[Finding] = []
    for file, content in sorted(files.items()):
        if file.endswith(".dmn"):
            table, found = read_decision(file, content)
            findings += found
            if table is not None and table.id in decisions:
                findings.append(Finding("id_repeated", file, table.id, params={"id": table.id}))
            elif table is not None:
                decisions[table.id] = table
    return decisions, findings


def _parse(
    roots: Mapping[str, Any],
    process_id: str,
    checked: Checked,
    decisions: Mapping[str, DecisionTable],
) -> PackagedProcess:
    parser = PackageParser()
    for file, root in roots.items():
        parser.add_bpmn_xml(root, file)
    spec = parser.get_spec(process_id)
    return PackagedProcess(
        checked.elements, spec, parser.get_subprocess_specs(process_id), decisions
    )
