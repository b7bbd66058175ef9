"""A package's models read together: an executable process, and all that is found wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.bpmn.decisions import Decision, read_decisions
from engine.bpmn.documents import line_of, local_name, read_xml
from engine.bpmn.model import ProcessModel
from engine.bpmn.reading.names import BPMN, processes_in
from engine.bpmn.reading.paths import check_paths
from engine.bpmn.reading.scopes import GLOBAL_TASKS, Reading, read_processes
from engine.bpmn.reading.source import Source
from engine.bpmn.rules import check_rules
from engine.bpmn.running.process import PackagedProcess
from engine.bpmn.running.specs import make_specs
from engine.domain.process import Finding

BLOCKING = frozenset(
    {
        "boundary_at_event_subprocess",
        "boundary_event_untriggered",
        "boundary_in_other_scope",
        "cancel_boundary_without_transaction",
        "cancel_end_without_transaction",
        "catch_event_untriggered",
        "condition_missing",
        "definitions_missing",
        "event_must_interrupt",
        "event_position_wrong",
        "event_subprocess_start_count",
        "event_subprocess_start_untriggered",
        "flow_after_end",
        "flow_at_compensation_activity",
        "flow_at_event_subprocess",
        "flow_crosses_pool",
        "flow_crosses_subprocess",
        "flow_into_event",
        "flow_into_start",
        "id_repeated",
        "link_target_missing",
        "link_target_repeated",
        "reference_empty",
        "reference_unknown",
        "reference_wrong_kind",
        "timer_empty",
        "timer_missing",
        "timer_repeated",
    }
)
"""Breaches of the standard's rules after which it is not clear how the model would run."""
ONLY_TO_RUN = frozenset(
    {
        "call_target_missing",
        "call_target_unknown",
        "condition_missing",
        "decision_unknown",
        "expression_refused",
        "language_unsupported",
        "loop_without_condition",
        "multi_instance_number_missing",
        "loop_without_way_out",
        "timer_unreadable",
    }
)
"""What a process needs to be run, and a drawing does not."""


@dataclass
class Package:
    """All processes and decisions of some files, with findings."""

    findings: list[Finding] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    decisions: dict[str, Decision] = field(default_factory=dict)
    spec: Any = None

    @property
    def processes(self) -> Mapping[str, ProcessModel]:
        return self.reading.processes

    def can_run(self) -> bool:
        return self.spec is not None

    def publishable(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    def process(self, process_id: str) -> PackagedProcess:
        """The executable process. Raises KeyError."""
        if process_id not in self.processes:
            raise KeyError(process_id)
        return PackagedProcess(
            process_id,
            self.reading.elements,
            self.spec,
            self.processes,
            self.decisions,
            self.reading.settings,
        )


def read_package(files: Mapping[str, bytes]) -> Package:
    """Read every ``*.dmn`` file and all others as BPMN. Bad content never raises."""
    package = Package()
    roots: dict[str, Any] = {}
    for file, content in sorted(files.items()):
        if file.endswith(".dmn"):
            decisions, found = read_decisions(file, content)
            package.findings += found
            for id_, decision in decisions.items():
                if id_ in package.decisions:
                    package.findings.append(Finding("id_repeated", file, id_, params={"id": id_}))
                package.decisions.setdefault(id_, decision)
        else:
            root, found = read_xml(file, content)
            package.findings += found
            if root is not None:
                roots[file] = root
    for file, root in list(roots.items()):
        if root.tag != f"{{{BPMN}}}definitions":
            package.findings.append(
                Finding("definitions_missing", file, params={"kind": local_name(root)[:60]})
            )
            del roots[file]
    _read_roots(package, roots)
    return package


def _read_roots(package: Package, roots: Mapping[str, Any]) -> None:
    processes: dict[str, str] = {}
    for file, process in processes_in(roots):
        id_ = process.get("id") or ""
        if id_ in processes and processes[id_] != file:
            package.findings.append(Finding("id_repeated", file, id_, params={"id": id_}))
        processes[id_] = file
    own: list[Finding] = []
    known = frozenset(processes) | frozenset(
        each.get("id") or ""
        for root in roots.values()
        for each in root
        if local_name(each) in GLOBAL_TASKS
    )
    decisions = frozenset(package.decisions)
    sources = {
        file: Source(file, root, own, decisions, known) for file, root in sorted(roots.items())
    }
    for source in sources.values():
        read_processes(package.reading, source)
    for process in package.processes.values():
        check_paths(sources[process.file], process, package.processes)
    rules = check_rules(roots)
    drawings = _drawings(package, sources)
    package.findings += [
        replace(finding, severity="warning")
        if finding.code in ONLY_TO_RUN and (finding.file, finding.element) in drawings
        else finding
        for finding in _once([*rules, *own])
    ]
    _note_drawings(package, sources)
    _make_specs(package, {id(finding) for finding in rules}, drawings)


def _drawings(package: Package, sources: Mapping[str, Source]) -> set[tuple[str, str | None]]:
    """The elements of processes that are not meant to be run."""
    found: set[tuple[str, str | None]] = set()
    for process in package.processes.values():
        element = sources[process.file].by_id.get(process.id)
        if not process.executable and element is not None:
            found |= {(process.file, each.get("id")) for each in element.iter()}
    return found


def _note_drawings(package: Package, sources: Mapping[str, Source]) -> None:
    """A file with nothing to run is refused; beside an executable process a drawing is a pool."""
    for source in sources.values():
        here = [
            each
            for each in package.processes.values()
            if each.file == source.file and _is_process(source, each.id)
        ]
        runs = any(process.executable for process in here)
        for process in here:
            if not process.executable:
                element = source.by_id.get(process.id, source.root)
                package.findings.append(
                    Finding(
                        "process_not_executable",
                        source.file,
                        process.id,
                        line_of(element),
                        "warning" if runs else "error",
                    )
                )


def _is_process(source: Source, id_: str) -> bool:
    element = source.by_id.get(id_)
    return element is None or local_name(element) not in GLOBAL_TASKS


def _make_specs(package: Package, rules: set[int], drawings: set[tuple[str, str | None]]) -> None:
    runs = any(process.executable for process in package.processes.values())
    for finding in package.findings:
        if finding.severity != "error" or finding.code == "process_not_executable":
            continue
        if runs and (finding.file, finding.element) in drawings:
            continue
        if id(finding) not in rules or finding.code in BLOCKING:
            return
    if package.processes:
        package.spec = make_specs(package.processes)


def _once(findings: list[Finding]) -> list[Finding]:
    """Each thing said once, at its most severe."""
    kept: dict[tuple[str, str, str | None], Finding] = {}
    for finding in findings:
        key = (finding.file, finding.code, finding.element)
        if key not in kept or (finding.severity == "error" and kept[key].severity == "warning"):
            kept[key] = finding
    return list(kept.values())
