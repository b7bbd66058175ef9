"""The staff's lists of tasks, by due date, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from engine.domain.access import Actor
from engine.store.tables import Case, ClockEntry, Event, Task, User
from engine.store.uow import ReadSession

View = Literal["department", "mine", "waiting_applicant", "done"]


@dataclass(frozen=True)
class InboxPage:
    """`rows` hold Task, Case, the applicant's name and the assignee's; `next` continues after."""

    rows: list[Row[Task, Case, str, str | None]]
    next: str | None


def _rows() -> Select[Task, Case, str, str | None]:
    applicant, assignee = User.__table__.alias("applicant"), User.__table__.alias("assignee")
    return (
        select(Task, Case, applicant.c.display_name, assignee.c.display_name)
        .join(Case, Case.id == Task.case_id)
        .join(applicant, applicant.c.id == Case.applicant_id)
        .outerjoin(assignee, assignee.c.id == Task.assignee_id)
    )


def _conditions(actor: Actor, view: View) -> list[ColumnElement[bool]]:
    if view == "mine":
        return [Task.assignee_id == actor.user_id, Task.state == "open"]
    if view == "done":
        return [Task.finished_by == actor.user_id, Task.state == "done"]
    if view == "waiting_applicant":
        return [
            Task.audience == "applicant",
            Task.kind != "rating",
            Task.state == "open",
            Case.department == actor.department,
        ]
    return [Task.department == actor.department, Task.state == "open", Task.audience == "staff"]


def inbox(
    session: ReadSession,
    actor: Actor,
    view: View,
    service: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> InboxPage:
    """The tasks of `view` for `actor`, the earliest due first (finished ones: newest first).

    `after` is the id of the last task seen.
    """
    statement = _rows().where(*_conditions(actor, view))
    if service:
        statement = statement.where(Case.service == service)
    if view == "done":
        statement = statement.order_by(Task.finished_at.desc(), Task.id.desc())
    else:
        statement = statement.order_by(Task.due_at.is_(None), Task.due_at, Task.id)
    if after is not None:
        statement = _continue(session, statement, view, after)
    rows = list(session.execute(statement.limit(limit + 1)))
    more = len(rows) > limit
    return InboxPage(rows[:limit], rows[limit - 1][0].id if more else None)


def _continue(
    session: ReadSession,
    statement: Select[Task, Case, str, str | None],
    view: View,
    after: str,
) -> Select[Task, Case, str, str | None]:
    last = session.get(Task, after)
    if last is None:
        return statement
    if view == "done":
        return statement.where(
            or_(
                Task.finished_at < last.finished_at,
                and_(Task.finished_at == last.finished_at, Task.id < last.id),
            )
        )
    if last.due_at is None:
        return statement.where(Task.due_at.is_(None), Task.id > last.id)
    return statement.where(
        or_(
            Task.due_at.is_(None),
            Task.due_at > last.due_at,
            and_(Task.due_at == last.due_at, Task.id > last.id),
        )
    )


def inbox_counts(session: ReadSession, actor: Actor) -> dict[str, int]:
    """How many tasks each open view holds."""
    counts: dict[str, int] = {}
    views: tuple[View, ...] = ("department", "mine", "waiting_applicant")
    for view in views:
        statement = (
            select(func.count())
            .select_from(Task)
            .join(Case, Case.id == Task.case_id)
            .where(*_conditions(actor, view))
        )
        counts[view] = session.scalar(statement) or 0
    return counts


def task_row(session: ReadSession, task_id: str) -> Row[Task, Case, str, str | None] | None:
    """One task with its case and the names of applicant and assignee."""
    return session.execute(_rows().where(Task.id == task_id)).first()


def flags_of(session: ReadSession, case_ids: list[str]) -> dict[str, set[str]]:
    """For each case what an officer should know at a glance: corrected, extended, paused, …"""
    flags: dict[str, set[str]] = {case_id: set() for case_id in case_ids}
    words = {"reset": "corrected", "extend": "extended"}
    for case_id, verb in session.execute(
        select(ClockEntry.case_id, ClockEntry.verb)
        .where(ClockEntry.case_id.in_(case_ids), ClockEntry.verb.in_(list(words)))
        .distinct()
    ):
        flags[case_id].add(words[verb])
    for case_id, kind in session.execute(
        select(Event.case_id, Event.kind)
        .where(Event.case_id.in_(case_ids), Event.kind.in_(["task_returned"]))
        .distinct()
    ):
        flags[case_id].add("returned" if kind == "task_returned" else kind)
    return flags
