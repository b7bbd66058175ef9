"""A task as staff see it: in the inbox, and on its case's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Row

from api.rest import schemas as shapes
from api.rest.words import Words, remaining_working_days
from api.sentences import say
from engine.domain.access import manages
from engine.domain.dispatch import dispute_of
from engine.domain.joint import joint_from_mapping
from engine.store.queries.case_record import CaseRecord
from engine.store.queries.inbox import task_flags
from engine.store.tables import Case, Task
from engine.usecases.definition import Definition
from engine.usecases.return_task import may_be_returned
from engine.usecases.substitution import Acting


def task_name(made: Definition, task: Task, locale: str) -> str:
    """What is asked; of a task that serves another, what is to be done about that one."""
    label = made.label(task.element, locale)
    return say(locale, f"part.{task.kind}", element=label) if task.part_of else label


def reason_text(reason: Mapping[str, Any] | None, locale: str) -> str | None:
    """Why a task is its department's, in words."""
    if not reason:
        return None
    by = str(reason.get("by"))
    if by == "rule" and reason.get("rule") is None:
        by = "default"
    text = str(reason.get("text") or "")
    return say(locale, f"dispatch.{by}", rule=reason.get("rule"), text=text).strip(" :：")


def task_row(
    words: Words,
    acting: Acting,
    row: Row[Task, Case, str, str | None],
    flags: dict[str, set[str]],
) -> shapes.TaskRow:
    """One line of the inbox."""
    task, case, applicant, assignee = row
    now = words.wired.ports.clock.now()
    due, calendar = case.promised_due_at, words.calendar(case)
    if task.due_at is not None:
        due = task.due_at
        if task.audience == "staff":
            calendar = words.wired.ports.calendars.of_department(task.department)
    return shapes.TaskRow(
        id=task.id,
        case_id=case.id,
        reference=case.reference,
        service=case.service,
        service_name=words.service(case.service),
        applicant_name=applicant,
        element=task.element,
        name=task_name(words.definition(case), task, words.locale),
        state=task.state,
        role=task.role,
        priority=task.priority,
        department=task.department,
        department_name=words.department(task.department),
        assignee_id=task.assignee_id,
        assignee_name=assignee,
        mine=acting.has(case, task),
        may_claim=acting.may_claim(case, task),
        opened_at=task.opened_at,
        due_at=task.due_at,
        promised_due_at=case.promised_due_at,
        legal_due_at=case.legal_due_at,
        remaining_working_days=remaining_working_days(calendar, due, now),
        flags=sorted(flags[case.id] | task_flags(task)),
        for_name=acting.for_name(case, task),
    )


class CaseTasks:
    """The tasks on a case's page, and what the reader may do with each."""

    def __init__(self, record: CaseRecord, words: Words, made: Definition, acting: Acting) -> None:
        self.record, self.words, self.made, self.acting = record, words, made, acting

    def view(self, task: Task) -> shapes.CaseTask:
        case, acting, names = self.record.case, self.acting, self.record.names
        mine = task.state == "open" and acting.has(case, task)
        return shapes.CaseTask(
            id=task.id,
            element=task.element,
            name=task_name(self.made, task, self.words.locale),
            audience=task.audience,
            department_name=self.words.department(task.department),
            assignee_name=names.get(task.assignee_id or task.finished_by or ""),
            state=task.state,
            due_at=task.due_at,
            finished_at=task.finished_at,
            mine=mine,
            may_claim=acting.may_claim(case, task),
            has_form=task.form is not None,
            kind=task.kind,
            priority=task.priority,
            dispatch_reason=reason_text(task.dispatch_reason, self.words.locale),
            owner_name=names.get(task.owner_id or ""),
            question=task.question,
            for_name=acting.for_name(case, task),
            joint=list(self.joint(task)),
            may_return=self.may_return(task, mine),
            may_reassign=self.may_reassign(task),
            asked=mine and task.owner_id is not None,
            may_take_back=task.state == "open" and acting.owns(case, task),
            part=task.part_of is not None,
        )

    def may_return(self, task: Task, mine: bool) -> bool:
        """Whether the button is shown; whether it is too late is told when it is pressed."""
        actor = self.acting.actor
        ours = task.department == actor.department and (
            mine or task.assignee_id is None or "manager" in actor.roles
        )
        dispute = dispute_of(self.record.case.dispatch, task.element)
        returnable = may_be_returned(self.made, task) and dispute.refusal() is None
        return task.state == "open" and ours and returnable

    def may_reassign(self, task: Task) -> bool:
        staff = task.state == "open" and task.audience == "staff"
        return staff and manages(self.acting.actor, task.department)

    def joint(self, task: Task) -> Iterator[shapes.JointAnswerView]:
        joint, words = joint_from_mapping(task.joint), self.words
        for each in joint.answers:
            yield shapes.JointAnswerView(
                department_name=words.department(each.department),
                position=each.position,
                position_name=say(words.locale, f"position.{each.position}"),
                text=each.text,
                by=each.by,
                on=each.on,
            )
        for code in joint.waiting:
            yield shapes.JointAnswerView(
                department_name=words.department(code),
                position=None,
                position_name=None,
                text="",
                by="",
                on="",
            )

    def return_reasons(self) -> Iterator[shapes.ReasonView]:
        rules = self.made.manifest.dispatch
        for reason in rules.reasons.values() if rules.returns else ():
            yield shapes.ReasonView(
                code=reason.code,
                title=reason.title[self.words.locale],
                needs_basis=reason.needs_basis,
            )
