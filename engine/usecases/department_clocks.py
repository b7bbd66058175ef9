"""The clock of a department: it runs while the department has a task of the case.

A package has such clocks if it declares ``[clocks.department]``. What a department has used up
stays used: a task that it returns has cost it its own time, and when it gets the case again its
clock goes on. The time in between, when others had the case, is left out under the name of
`ELSEWHERE`. Who has the case is what `engine.usecases.department_time` says; the dates of the case
itself never stop for it.
"""

from __future__ import annotations

from typing import Any

from engine.domain.access import SYSTEM
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.clock_rows import clocks_of
from engine.usecases.clocks import ClockChange, change_clock
from engine.usecases.definition import Definition
from engine.usecases.department_time import holding_now

ELSEWHERE = "elsewhere"
"""The pause of a department's clock while other departments have the case."""
KIND = "department"


def follow_departments(work: Work, made: Definition, case: Case) -> None:
    """Let exactly the clocks of the departments run that have a task of the case now."""
    if KIND not in made.manifest.clocks:
        return
    work.rows.flush()
    holding = holding_now(work, case.id)
    for row in list(clocks_of(work, case).values()):
        kind, _, department = row.key.partition(":")
        away = department not in holding and row.state != "stopped"
        if kind == KIND and away and not _is_elsewhere(row.body):
            change_clock(work, made, case, ClockChange("pause", row.key, pause=ELSEWHERE), SYSTEM)
    for department in sorted(holding):
        _run(work, made, case, f"{KIND}:{department}")


def _run(work: Work, made: Definition, case: Case, key: str) -> None:
    row = clocks_of(work, case).get(key)
    if row is None or row.state == "stopped":
        change_clock(work, made, case, ClockChange("start", key), SYSTEM)
    elif _is_elsewhere(row.body):
        change_clock(work, made, case, ClockChange("resume", key, pause=ELSEWHERE), SYSTEM)


def _is_elsewhere(body: dict[str, Any]) -> bool:
    return any(name == ELSEWHERE for name, _ in body.get("pauses", []))
