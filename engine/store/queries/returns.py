"""Returned tasks (退单) for those who look after the office: who, when, why, and what it cost."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from engine.store.tables import Case, Task, TaskMove, User
from engine.store.uow import ReadSession


class ReturnRow(NamedTuple):
    """`by` and `decided_by` are names."""

    move: TaskMove
    case: Case
    task: Task
    by: str | None
    decided_by: str | None

    @property
    def outcome(self) -> str:
        """``waiting``, ``redispatched``, ``adjudicated``, or ``overtaken`` by the process."""
        if self.move.decided_at is not None:
            return "adjudicated" if self.move.final else "redispatched"
        return "waiting" if self.task.state == "held" else "overtaken"


def returns(
    session: ReadSession, department: str | None = None, limit: int = 100
) -> list[ReturnRow]:
    """The newest returns, by `department` only if there is one."""
    by, decider = User.__table__.alias("by"), User.__table__.alias("decider")
    statement = (
        select(TaskMove, Case, Task, by.c.display_name, decider.c.display_name)
        .join(Case, Case.id == TaskMove.case_id)
        .join(Task, Task.id == TaskMove.task_id)
        .outerjoin(by, by.c.id == TaskMove.by_id)
        .outerjoin(decider, decider.c.id == TaskMove.decided_by)
        .where(TaskMove.kind == "return")
    )
    if department is not None:
        statement = statement.where(TaskMove.department == department)
    rows = session.execute(
        statement.order_by(TaskMove.left_at.desc(), TaskMove.id.desc()).limit(limit)
    )
    return [ReturnRow(*row) for row in rows]
