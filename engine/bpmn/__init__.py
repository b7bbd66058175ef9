"""The BPMN adapter: files in, an executable process out; state in, step out. No I/O, no clock.

The only importer of SpiffWorkflow, lxml and the script sandbox. Its findings:

Documents
    doctype_refused             a DOCTYPE is not accepted
    xml_too_deep                elements nested too deeply
    xml_too_large               more bytes, elements or attributes than allowed (megabytes)
    xml_unreadable              not well-formed XML (reason)
Processes
    call_recursive              a called process leads back to the process that calls it
    diagram_refused             SpiffWorkflow refuses what this check let pass (reason)
    id_repeated                 two elements, processes or decisions share an id (id)
    id_reserved                 the id is missing or taken by the engine (id)
    process_missing             no process of the name package.toml gives (process)
    process_not_executable      isExecutable is not true
    process_too_large           more flow nodes than allowed (nodes)
Nodes and flows
    condition_not_at_gateway    a condition on a flow that leaves no choosing gateway
    element_unreachable         warning: no path leads here
    element_unsupported         would not be run as BPMN says (kind)
    error_not_caught            nothing catches the error this end event throws (error)
    event_gateway_target        an event-based gateway leads to something other than a timer
    flow_after_end              a flow leaves an end event
    flow_into_event             a flow leads into a boundary event
    flow_repeated               two flows lead from this node to the same node
    flow_without_condition      a flow of a choosing gateway, neither conditional nor default
    gateway_without_default     warning: a case for which no condition holds stops here
    no_end_event                a process or subprocess without an end event
    path_without_end            no flow leaves this node
    reference_unknown           names a node, process, flow or error that is not there (reference)
    shape_missing               warning: the element is not drawn
    start_event_count           not exactly one start event (count)
Settings, expressions and timers
    action_setting_missing      the action or letter lacks a setting (setting)
    action_unknown              a service task's action is not known (action)
    expression_refused          an expression or script holds what is not allowed (reason: the part)
    script_missing              a script task without a script
    setting_wrong               a setting has a value that is not known (setting)
    staff_task_without_department
                                a staff task names no department
    timer_unreadable            a timer is no duration, date, limit or expression (timer)
    user_task_without_form      a user task names no form
Decision tables
    decision_cell_unreadable    a cell outside the subset (cell)
    decision_rule_uneven        a rule with more or fewer cells than columns
    decision_table_unreadable   not one decision with one table, named outputs and rules
    decision_unknown            a task calls a decision the package does not have (decision)
    hit_policy_unsupported      a hit policy or aggregation that is not supported (policy)

When a step fails, ExecutionFailed carries ``element``, ``reason`` and often ``detail``. The reasons
are data_not_plain, deadlock, engine_refused, error_not_caught, expression_failed,
no_condition_met, no_rule_matched, several_rules_matched, state_too_large, timer_unreadable,
too_many_steps, unexpected.
"""

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
    return made, findings


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
