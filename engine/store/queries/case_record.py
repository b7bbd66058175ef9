"""Everything written about one case."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, union

from engine.domain.access import Actor, may_see_case
from engine.kernel.errors import NotFound, StateUnreadable
from engine.store.queries.case_rows import CaseRows
from engine.store.tables import (
    ArchivedDepartment,
    Case,
    CaseState,
    ClockEntry,
    ClockRow,
    Document,
    Event,
    Letter,
    Rating,
    Suggestion,
    Task,
    TaskMove,
    User,
)
from engine.store.uow import ReadSession


@dataclass(frozen=True)
class CaseRecord:
    """The rows of one case, each list in the order it happened. `names` are people by id."""

    case: Case
    state: CaseState
    applicant: User
    tasks: list[Task]
    clocks: list[ClockRow]
    entries: list[ClockEntry]
    events: list[Event]
    letters: list[Letter]
    documents: list[Document]
    suggestions: list[Suggestion]
    rating: Rating | None
    names: dict[str, str]
    moves: list[TaskMove]
    main: Case | None
    followers: list[Case]


def departments_of(session: ReadSession, case_id: str) -> frozenset[str]:
    """The departments that have or had a task in the case."""
    tables = (Task, TaskMove, ArchivedDepartment)
    each = [select(table.department).where(table.case_id == case_id) for table in tables]
    return frozenset(code for code in session.scalars(union(*each)) if code)


def visible_case(session: ReadSession, actor: Actor, case_id: str) -> Case:
    """The case, if the actor may see it. Raises NotFound otherwise, whether it exists or not."""
    case = session.get(Case, case_id)
    if case is None or not may_see_case(actor, case.applicant_id, departments_of(session, case_id)):
        raise NotFound(what="case")
    return case


def case_record(session: ReadSession, actor: Actor, case_id: str) -> CaseRecord:
    """The whole record of a case the actor may see, archived or not.

    Raises NotFound, StateUnreadable or ArchiveDamaged.
    """
    case = visible_case(session, actor, case_id)
    rows = CaseRows(session, case)
    found = _record(session, case, rows)
    if rows.moved():
        session.refresh(case)
        found = _record(session, case, CaseRows(session, case))
    if found is None:
        raise StateUnreadable
    return found


def _record(session: ReadSession, case: Case, rows: CaseRows) -> CaseRecord | None:
    tasks, state = rows.all(Task, "opened_at", "id"), rows.first(CaseState)
    if state is None:
        return None
    moves = rows.all(TaskMove, "left_at")
    people: set[str | None] = {case.applicant_id}
    for task in tasks:
        people |= {task.assignee_id, task.finished_by, task.owner_id}
    for move in moves:
        people |= {move.by_id, move.decided_by}
    names = {
        user.id: user.display_name
        for user in session.scalars(select(User).where(User.id.in_([p for p in people if p])))
    }
    return CaseRecord(
        case=case,
        state=state,
        applicant=session.get_one(User, case.applicant_id),
        tasks=tasks,
        clocks=rows.all(ClockRow, "key"),
        entries=rows.all(ClockEntry, "number"),
        events=rows.all(Event, "number"),
        letters=rows.all(Letter, "created_at", "id"),
        documents=rows.all(Document, "uploaded_at", "id"),
        suggestions=rows.all(Suggestion, "position"),
        rating=session.get(Rating, case.id),
        names=names,
        moves=moves,
        main=session.get(Case, case.main_id) if case.main_id else None,
        followers=followers_of(session, case),
    )


def followers_of(session: ReadSession, case: Case) -> list[Case]:
    """The cases merged into this one, the oldest first."""
    if not case.followers:
        return []
    following = select(Case).where(Case.main_id == case.id)
    return list(session.scalars(following.order_by(Case.received_at, Case.id)))


def visible_document(session: ReadSession, actor: Actor, document_id: str) -> Document:
    """A document of a case the actor may see, or one they uploaded themselves. Raises NotFound."""
    row = session.get(Document, document_id)
    if row is None:
        raise NotFound(what="document")
    if row.case_id is not None:
        visible_case(session, actor, row.case_id)
    elif row.owner_id != actor.user_id:
        raise NotFound(what="document")
    return row
