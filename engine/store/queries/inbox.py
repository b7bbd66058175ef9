"""The staff's lists of tasks, by due date, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from engine.domain.access import Actor
from engine.domain.clock_terms import CASE_DATES
from engine.store.tables import Case, ClockEntry, Task, User
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


@dataclass(frozen=True)
class Absent:
    """Somebody for whom the reader acts now, and the services for which; none for all."""

    user_id: str
    services: frozenset[str] = frozenset()


def _conditions(actor: Actor, view: View, absent: Sequence[Absent]) -> list[ColumnElement[bool]]:
    if view == "mine":
        whose = [Task.assignee_id == actor.user_id]
        for each in absent:
            theirs = Task.assignee_id == each.user_id
            if each.services:
                of_these = select(Case.id).where(Case.service.in_(sorted(each.services)))
                theirs = and_(theirs, Task.case_id.in_(of_these))
            whose.append(theirs)
        return [or_(*whose), Task.state == "open"]
    if view == "done":
        # Only a finished task has both.
        return [Task.finished_by == actor.user_id, Task.finished_at.is_not(None)]
    audience = "applicant" if view == "waiting_applicant" else "staff"
    return [
        Task.department == actor.department,
        Task.audience == audience,
        Task.state == "open",
    ]


def inbox(
    session: ReadSession,
    actor: Actor,
    view: View,
    service: str | None = None,
    after: str | None = None,
    limit: int = 50,
    absent: Sequence[Absent] = (),
) -> InboxPage:
    """The tasks of `view` for `actor`, the earliest due first (finished ones: newest first).

    One's own are also those of the `absent` for whom one acts. `after` is the id of the last task
    seen.
    """
    last = session.get(Task, after) if after is not None else None
    ids: list[str] = []
    # Each part is one stretch of an index, read only as far as the page goes.
    for part in _newest(last) if view == "done" else _by_due_date(last):
        statement = select(Task.id).where(*_conditions(actor, view, absent), *part.where)
        if service:
            statement = statement.join(Case, Case.id == Task.case_id).where(Case.service == service)
        statement = statement.order_by(*part.order).limit(limit + 1 - len(ids))
        ids += session.scalars(statement)
        if len(ids) > limit:
            break
    found = {row[0].id: row for row in session.execute(_rows().where(Task.id.in_(ids[:limit])))}
    rows = [found[id_] for id_ in ids[:limit]]
    return InboxPage(rows, rows[-1][0].id if len(ids) > limit else None)


@dataclass(frozen=True)
class _Part:
    where: Sequence[ColumnElement[bool]]
    order: Sequence[Any]


def _newest(last: Task | None) -> list[_Part]:
    order = [Task.finished_at.desc(), Task.id.desc()]
    if last is None or last.finished_at is None:
        return [_Part([], order)]
    at = last.finished_at
    return [_Part([Task.finished_at <= at, or_(Task.finished_at < at, Task.id < last.id)], order)]


def _by_due_date(last: Task | None) -> list[_Part]:
    """Those with a date in its order, then those without."""
    dated: list[ColumnElement[bool]] = [Task.due_at.is_not(None)]
    undated: list[ColumnElement[bool]] = [Task.due_at.is_(None)]
    if last is not None and last.due_at is not None:
        # Written so that the index is entered at the date; a comparison of pairs would not be.
        dated = [Task.due_at >= last.due_at, or_(Task.due_at > last.due_at, Task.id > last.id)]
    elif last is not None:
        return [_Part([*undated, Task.id > last.id], [Task.id])]
    return [_Part(dated, [Task.due_at, Task.id]), _Part(undated, [Task.id])]


def inbox_counts(
    session: ReadSession, actor: Actor, absent: Sequence[Absent] = ()
) -> dict[str, int]:
    """How many tasks each open view holds."""
    counts: dict[str, int] = {}
    views: tuple[View, ...] = ("department", "mine", "waiting_applicant")
    for view in views:
        statement = select(func.count()).select_from(Task).where(*_conditions(actor, view, absent))
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
        .where(
            ClockEntry.case_id.in_(case_ids),
            ClockEntry.verb.in_(list(words)),
            ClockEntry.clock.in_(CASE_DATES),
        )
        .distinct()
    ):
        flags[case_id].add(words[verb])
    for case_id, returns, main_id, followers in session.execute(
        select(Case.id, Case.returns, Case.main_id, Case.followers).where(Case.id.in_(case_ids))
    ):
        if returns:
            flags[case_id].add("returned")
        if main_id or followers:
            flags[case_id].add("merged")
    return flags


def task_flags(task: Task) -> set[str]:
    """What an officer should know of the task itself."""
    flags = set()
    if task.joint is not None or task.kind == "joint":
        flags.add("co_handled")
    if task.owner_id is not None:
        flags.add("delegated")
    return flags
