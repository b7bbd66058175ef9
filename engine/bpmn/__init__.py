"""The BPMN adapter: files in, an executable process out; state in, step out. No I/O, no clock.

The only importer of SpiffWorkflow, lxml and the script sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping

from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException

from engine.bpmn.check import DiagramCheck, processes_in
from engine.bpmn.decisions import DecisionTable, read_decision
from engine.bpmn.documents import read_xml
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
    findings: list[Finding] = []
    decisions: dict[str, DecisionTable] = {}
    roots = {}
    for file, content in sorted(files.items()):
        if file.endswith(".dmn"):
            table, found = read_decision(file, content)
            findings += found
            if table is not None:
                decisions[table.id] = table
        elif file.endswith(".bpmn"):
            root, found = read_xml(file, content)
            findings += found
            if root is not None:
                roots[file] = root
    processes = dict(processes_in(roots))
    if process_id not in processes:
        if roots or not findings:
            at = next(iter(roots), "process.bpmn")
            findings.append(Finding("process_missing", at, params={"process": process_id}))
        return None, findings
    check = DiagramCheck(frozenset(decisions), frozenset(processes))
    for file, root in roots.items():
        check.file(file, root)
    findings += check.findings
    if any(finding.severity == "error" for finding in findings):
        return None, findings
    parser = PackageParser()
    try:
        for file, root in roots.items():
            parser.add_bpmn_xml(root, file)
        spec = parser.get_spec(process_id)
        subprocesses = parser.get_subprocess_specs(process_id)
    except (ValidationException, RecursionError) as error:
        findings.append(
            Finding(
                "diagram_refused",
                processes[process_id],
                element=getattr(error, "tag", None) and getattr(error, "id", None),
                line=getattr(error, "line_number", None),
                params={"reason": str(error)[:300]},
            )
        )
        return None, findings
    return PackagedProcess(check.elements, spec, subprocesses, decisions), findings
