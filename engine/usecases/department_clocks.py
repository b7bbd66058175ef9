"""The clock of a department: it runs while the department has a task of the case.

A package has such clocks if it declares ``[clocks.department]``. What a department has used up
stays used: when it gets the case again its clock goes on, and the time in between, when others had
it, is left out under the name of `ELSEWHERE`. The dates of the case itself never stop for that.
"""

from __future__ import annotations

from engine.domain.access import SYSTEM, Actor
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.clock_rows import clocks_of
from engine.usecases.clocks import ClockChange, change_clock
from engine.usecases.definition import Definition

ELSEWHERE = "elsewhere"
"""The pause of a department's clock while other departments have the case."""
KIND = "department"


def start_department_clock(
    work: Work, made: Definition, case: Case, department: str, actor: Actor = SYSTEM
) -> None:
    """The department has the case from now on. Nothing happens if its clock runs already."""
    if KIND not in made.manifest.clocks:
        return
    key = f"{KIND}:{department}"
    row = clocks_of(work, case).get(key)
    if row is None or row.state == "stopped":
        change_clock(work, made, case, ClockChange("start", key), actor)
    elif _is_elsewhere(row.body):
        change_clock(work, made, case, ClockChange("resume", key, pause=ELSEWHERE), actor)


def stop_department_clock(
    work: Work, made: Definition, case: Case, department: str, actor: Actor = SYSTEM
) -> None:
    """The department has the case no longer. Nothing happens if its clock does not run."""
    row = clocks_of(work, case).get(f"{KIND}:{department}")
    if row is not None and row.state != "stopped" and not _is_elsewhere(row.body):
        change_clock(work, made, case, ClockChange("pause", row.key, pause=ELSEWHERE), actor)


def follow_departments(work: Work, made: Definition, case: Case, holding: set[str]) -> None:
    """Let exactly the clocks of the departments run that have an open task of the case."""
    if KIND not in made.manifest.clocks:
        return
    for row in list(clocks_of(work, case).values()):
        if row.kind == KIND and row.key.partition(":")[2] not in holding:
            stop_department_clock(work, made, case, row.key.partition(":")[2])
    for department in sorted(holding):
        start_department_clock(work, made, case, department)


def _is_elsewhere(body: dict[str, list[list[str]]]) -> bool:
    return any(name == ELSEWHERE for name, _ in body.get("pauses", []))
