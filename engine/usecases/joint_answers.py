"""Ask co-handlers (协办) and answer as one: joint handling, and countersigning (会签)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.access import Actor
from engine.domain.field_error import FieldError
from engine.domain.joint import (
    ORDERS,
    POSITIONS,
    JointAnswer,
    Order,
    Position,
    joint_from_mapping,
)
from engine.kernel.errors import AnswersInvalid, NotFound
from engine.store.audit import record
from engine.store.tables import Department, Task
from engine.store.uow import Work
from engine.usecases.case_lock import staff_task
from engine.usecases.definition import definition_for
from engine.usecases.department_clocks import follow_departments
from engine.usecases.joint_parts import open_joint_parts, take_answer
from engine.usecases.parts import JOINT, main_of
from engine.usecases.substitution import as_holder

LONGEST = 4_000


@dataclass(frozen=True)
class AskJointly:
    """The one who has the lead's task asks `departments`, all at once or in their order."""

    actor: Actor
    task_id: str
    departments: tuple[str, ...]
    question: str
    order: Order = "parallel"


def ask_jointly(work: Work, command: AskJointly) -> Task:
    """Open a task for each department; the lead's is not finished before they have answered.

    Raises NotFound, TaskNotOpen, TaskNotYours, AnswersInvalid(fields).
    """
    case, task = staff_task(work, command.actor, command.task_id)
    if task.part_of is not None:
        raise NotFound(what="task")
    actor = as_holder(work, command.actor, case, task)
    joint = joint_from_mapping(task.joint)
    _check(work, command, joint.departments | {str(task.department)})
    joint = joint.with_more(command.departments, command.order)
    task.joint = joint.as_mapping()
    made = definition_for(work, case.package_version_id)
    question = command.question.strip()
    case.revision += 1
    record(
        work,
        case,
        "joint_requested",
        actor,
        element=task.element,
        departments=list(command.departments),
        reason=question[:500],
    )
    open_joint_parts(work, made, case, task, joint, command.departments, question)
    follow_departments(work, made, case)
    return task


def _check(work: Work, command: AskJointly, taken: frozenset[str]) -> None:
    wrong, named = [], set(command.departments)
    known = work.rows.select(Department, "code IN %s", sorted(named) or [""])
    unknown = named - {row.code for row in known}
    if not named or unknown or named & taken or len(named) < len(command.departments):
        wrong.append(FieldError("departments", "not_an_option", {}))
    if not command.question.strip():
        wrong.append(FieldError("question", "required", {}))
    if command.order not in ORDERS:
        wrong.append(FieldError("order", "not_an_option", {}))
    if wrong:
        raise AnswersInvalid(fields=tuple(wrong))


@dataclass(frozen=True)
class AnswerJointly:
    """A co-handler's answer; who agrees need not write anything."""

    actor: Actor
    task_id: str
    position: Position
    text: str = ""
    revision: int | None = None


def answer_jointly(work: Work, command: AnswerJointly) -> Task:
    """Finish one's own task with the answer, which the lead's task then shows.

    Raises NotFound, TaskNotOpen, TaskNotYours, QuestionOpen, StaleRevision, AnswersInvalid(fields).
    """
    case, part = staff_task(work, command.actor, command.task_id, command.revision)
    if part.kind != JOINT or part.part_of is None:
        raise NotFound(what="task")
    actor = as_holder(work, command.actor, case, part)
    text = command.text.strip()[:LONGEST]
    if command.position not in POSITIONS:
        raise AnswersInvalid(fields=(FieldError("position", "not_an_option", {}),))
    if not text and command.position != "agree":
        raise AnswersInvalid(fields=(FieldError("text", "required", {}),))
    part.state, part.finished_at, part.finished_by = "done", work.now, actor.user_id
    part.answers = {"position": command.position, "text": text}
    case.revision += 1
    record(
        work,
        case,
        "joint_answered",
        actor,
        element=part.element,
        department=part.department,
        position=command.position,
        reason=text[:500],
    )
    on = work.ports.calendar.local_date(work.now).isoformat()
    answer = JointAnswer(str(part.department), command.position, text, actor.display_name, on)
    take_answer(work, case, main_of(work, part), answer)
    follow_departments(work, definition_for(work, case.package_version_id), case)
    return part
