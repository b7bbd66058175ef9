"""Models of others' making, in the folder that BANSHI_CORPUS names: what becomes of each."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from engine.bpmn import DeployReport, deploy_report
from engine.simulation import Answers, Outcome, simulate

MAX_SECONDS = 3.0


def corpus() -> list[Path]:
    """The files of the corpus; none if the variable is not set."""
    folder = os.environ.get("BANSHI_CORPUS")
    if not folder or not Path(folder).is_dir():
        return []
    suffixes = (".bpmn", ".xml", ".dmn")
    return sorted(path for path in Path(folder).rglob("*") if path.name.endswith(suffixes))


@dataclass
class Tried:
    """One file: its report, and what its processes did; `seconds` for the report alone."""

    path: Path
    report: DeployReport
    seconds: float
    outcomes: dict[str, Outcome] = field(default_factory=dict)


def tried(path: Path) -> Tried:
    began = time.perf_counter()
    report, package = deploy_report({path.name: path.read_bytes()})
    made = Tried(path, report, time.perf_counter() - began)
    if package.can_run():
        for process in package.processes:
            made.outcomes[process] = simulate(package, process, Answers(), max_steps=2_000)
    return made


def summary(files: list[Path]) -> str:
    """The counts by folder, as a Markdown table."""
    rows: dict[str, Counter[str]] = {}
    for path in files:
        made = tried(path)
        row = rows.setdefault(path.parent.name, Counter())
        row["files"] += 1
        row["publishable" if made.report.publishable else "refused"] += 1
        for outcome in made.outcomes.values():
            row[outcome.reason] += 1
    names = ("files", "publishable", "refused", "finished", "waiting", "limit", "failed")
    lines = [
        "| models | files | publishable | refused | runs finished | wait for something "
        "| at a limit | incident |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for folder, row in sorted(rows.items()):
        lines.append(f"| {folder} | " + " | ".join(str(row[name]) for name in names) + " |")
    return "\n".join(lines)
