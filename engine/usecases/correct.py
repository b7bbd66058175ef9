"""Correct: the applicant answers a correction request (补正)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.domain.access import Actor
from engine.domain.ports import Form
from engine.kernel.errors import NotFound
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.case_lock import state_of
from engine.usecases.complete import applicant_task, checked, finish_task
from engine.usecases.definition import definition_for


@dataclass(frozen=True)
class CorrectAnswers:
    """`answers` to the flagged fields; everything else stays as it was first given."""

    actor: Actor
    task_id: str
    answers: Mapping[str, Any]


def correct(work: Work, command: CorrectAnswers) -> Case:
    """Amend the flagged answers and hand the case back to the office.

    Raises NotFound, TaskNotOpen, AnswersInvalid(fields).
    """
    case, task = applicant_task(work, command.actor, command.task_id)
    if not task.corrects or task.form is None:
        raise NotFound(what="task")
    made = definition_for(work, case.package_version_id)
    earlier = state_of(work, case).data.get(task.corrects, {})
    fields = with_dependents(made.forms[task.form], task.flagged)
    amended = amend(earlier, command.answers, fields)
    answers = checked(work, made, case, task.form, amended)
    finish_task(work, made, case, task, command.actor, answers, task.corrects)
    return case


def with_dependents(form: Form, flagged: list[str]) -> list[str]:
    """The flagged fields and those that only a change of them brings up; empty for all fields."""
    fields = list(flagged)
    for name in form["schema"]["properties"]:
        condition = form["ui"].get(name, {}).get("visibleIf")
        if flagged and name not in fields and condition and _names(condition) & set(fields):
            fields.append(name)
    return fields


def _names(condition: Any) -> set[str]:
    if isinstance(condition, list):
        return {name for part in condition for name in _names(part)}
    if not isinstance(condition, Mapping):
        return set()
    own = {condition["field"]} if "field" in condition else set()
    return own | {name for value in condition.values() for name in _names(value)}


def amend(
    earlier: Mapping[str, Any], answers: Mapping[str, Any], flagged: list[str]
) -> dict[str, Any]:
    """The earlier answers with the flagged ones replaced; an emptied field is left out.

    With nothing flagged the whole form may be amended.
    """
    fields = set(flagged) or set(earlier) | set(answers)
    kept = {name: value for name, value in earlier.items() if name not in fields}
    return kept | {name: value for name, value in answers.items() if name in fields}
