"""The tasks of co-handlers (协办), beside the lead's: opened in turn, and given up when silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.domain.access import SYSTEM
from engine.domain.dispatch import Desk
from engine.domain.joint import Joint, JointAnswer, joint_from_mapping
from engine.store import jobs
from engine.store.audit import record
from engine.store.tables import Case, Job, Task
from engine.store.uow import Work
from engine.usecases.case_lock import lock_case
from engine.usecases.definition import Definition, definition_for
from engine.usecases.department_clocks import follow_departments
from engine.usecases.parts import JOINT, main_of, open_part, part_due


def open_joint_parts(
    work: Work,
    made: Definition,
    case: Case,
    main: Task | Mapping[str, Any],
    joint: Joint,
    departments: Sequence[str],
    question: str,
) -> None:
    """A task for each of `departments`, planned for those whose turn has not come."""
    for department in departments:
        state = "open" if department in joint.asked else "planned"
        id_ = open_part(
            work, made, case, main, JOINT, Desk(department), state, question[:2000] or None
        )
        if state == "open":
            _promise_lapse(work, made, case, id_, department)
    record(
        work,
        case,
        "joint_asked",
        SYSTEM,
        element=main["element"] if isinstance(main, Mapping) else main.element,
        departments=list(departments),
        order=joint.order,
    )


def _promise_lapse(
    work: Work, made: Definition, case: Case, part_id: str, department: str
) -> datetime:
    """Have the part given up when its time is up; when that is."""
    at = part_due(work.ports.calendars, made, case, JOINT, department, work.now)
    jobs.promise(work, JOINT, lapse_key(part_id), {"part_id": part_id}, case_id=case.id, due_at=at)
    return at


def lapse_key(part_id: str) -> str:
    """The unique key of the job that gives a part up."""
    return f"joint:{part_id}"


def take_answer(work: Work, case: Case, main: Task, answer: JointAnswer) -> None:
    """The lead's task has the answer, and the next in turn is asked."""
    joint = joint_from_mapping(main.joint)
    after = joint.answered(answer)
    main.joint = after.as_mapping()
    for department in after.asked - joint.asked:
        part = work.rows.first(
            Task,
            "case_id = %s AND part_of = %s AND department = %s AND state = 'planned'",
            case.id,
            main.key,
            department,
        )
        if part is not None:
            made = definition_for(work, case.package_version_id)
            part.state, part.opened_at = "open", work.now
            part.due_at = _promise_lapse(work, made, case, part.id, department)


def lapse(work: Work, job: Job) -> None:
    """Time is up: a co-handler who has not answered is silent."""
    case = lock_case(work, str(job.case_id))
    part = work.rows.get(Task, job.payload["part_id"])
    if part is None or part.state not in ("open", "held") or case.state != "open":
        return
    main = main_of(work, part)
    part.state, part.finished_at = "lapsed", work.now
    case.revision += 1
    record(work, case, "joint_lapsed", SYSTEM, element=part.element, department=part.department)
    take_answer(work, case, main, JointAnswer(str(part.department), "silent"))
    follow_departments(work, definition_for(work, case.package_version_id), case)
