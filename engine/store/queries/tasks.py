"""Open tasks of staff for programs: found by case, element, holder and department."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from engine.store.tables import Case, PackageVersion, Task, User
from engine.store.uow import ReadSession


@dataclass(frozen=True)
class TaskFilter:
    """Open tasks for which everything given holds; `department` is the one that may be seen, None
    for all, and `assignee` a user name."""

    department: str | None
    ids: Collection[str] | None = None
    case_id: str | None = None
    business_key: str | None = None
    versions: Collection[str] | None = None
    element: str | None = None
    assignee: str | None = None
    assigned: bool | None = None
    departments: Collection[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        made: list[ColumnElement[bool]] = [
            Task.state == "open",
            Task.audience == "staff",
            # What serves another task is none of the model's.
            Task.part_of.is_(None),
        ]
        if self.department is not None:
            made.append(Task.department == self.department)
        if self.departments is not None:
            made.append(Task.department.in_(list(self.departments)))
        if self.ids is not None:
            made.append(Task.id.in_(list(self.ids)))
        if self.case_id is not None:
            made.append(Task.case_id == self.case_id)
        if self.business_key is not None:
            key = self.business_key
            cases = select(Case.id).where(or_(Case.business_key == key, Case.reference == key))
            made.append(Task.case_id.in_(cases))
        if self.versions is not None:
            of_versions = Case.package_version_id.in_(list(self.versions))
            made.append(Task.case_id.in_(select(Case.id).where(of_versions)))
        if self.element is not None:
            made.append(Task.element == self.element)
        if self.assignee is not None:
            users = select(User.id).where(User.user_name == self.assignee)
            made.append(Task.assignee_id.in_(users))
        if self.assigned is not None:
            free = Task.assignee_id.is_(None)
            made.append(~free if self.assigned else free)
        return made


class TaskRow(NamedTuple):
    """`assignee` is a user name."""

    task: Task
    case: Case
    version: PackageVersion
    assignee: str | None


def find(
    session: ReadSession, wanted: TaskFilter, by: str, descending: bool, first: int, at_most: int
) -> list[TaskRow]:
    """A page of the open tasks that fit, ordered by ``created``, ``dueDate``, ``priority`` or
    ``id``. The most urgent priority is the highest."""
    columns: dict[str, Any] = {
        "created": Task.opened_at,
        "dueDate": Task.due_at,
        "priority": -Task.priority,
        "id": Task.id,
    }
    column = columns[by]
    rows = session.execute(
        select(Task, Case, PackageVersion, User.user_name)
        .join(Case, Case.id == Task.case_id)
        .join(PackageVersion, PackageVersion.id == Case.package_version_id)
        .outerjoin(User, User.id == Task.assignee_id)
        .where(*wanted.conditions())
        .order_by(column.desc() if descending else column, Task.id)
        .offset(first)
        .limit(at_most)
    )
    return [TaskRow(*row) for row in rows]


def count(session: ReadSession, wanted: TaskFilter) -> int:
    statement = select(func.count()).select_from(Task).where(*wanted.conditions())
    return session.scalar(statement) or 0
