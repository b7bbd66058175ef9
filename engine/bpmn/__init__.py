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
are data_not_plain, deadlock, decision_unknown, engine_refused, error_not_caught, expression_failed,
no_condition_met, no_rule_matched, several_rules_matched, state_too_large, timer_unreadable,
too_many_steps, unexpected.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.bpmn.needs import with_needed
from engine.bpmn.overrides import with_settings
from engine.bpmn.package import Package, read_package
from engine.bpmn.report import DeployReport, ElementReport, deploy_report
from engine.bpmn.running.state import process_data
from engine.domain.process import Finding, Process

__all__ = [
    "DeployReport",
    "ElementReport",
    "Package",
    "deploy_report",
    "process_data",
    "read_package",
    "read_process",
    "with_needed",
    "with_settings",
]


def read_process(
    files: Mapping[str, bytes], process_id: str
) -> tuple[Process | None, list[Finding]]:
    """The process `process_id` of a package's ``*.bpmn`` and ``*.dmn`` files, with findings.

    Bad content never raises; the process is None when any finding is an error.
    """
    models = {name: content for name, content in files.items() if name.endswith((".bpmn", ".dmn"))}
    package = read_package(models)
    findings = list(package.findings)
    if process_id not in package.processes and (
        package.processes or not any(finding.severity == "error" for finding in findings)
    ):
        at = next((name for name in sorted(models) if name.endswith(".bpmn")), "process.bpmn")
        findings.append(Finding("process_missing", at, params={"process": process_id}))
    if any(finding.severity == "error" for finding in findings) or not package.can_run():
        return None, findings
    return package.process(process_id), findings
