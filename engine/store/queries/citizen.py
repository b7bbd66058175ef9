"""What a citizen sees of their own: drafts and cases."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.domain.access import Actor
from engine.kernel.errors import NotFound
from engine.store.queries.case_record import CaseRecord, case_record
from engine.store.queries.case_rows import CaseRows
from engine.store.rows import Rows
from engine.store.statements import Join
from engine.store.tables import Case, Document, Draft, Letter, Task, User
from engine.store.uow import ReadSession


def own_cases(session: ReadSession, actor: Actor) -> list[Case]:
    """The citizen's cases, the newest first."""
    return list(
        session.scalars(
            select(Case)
            .where(Case.applicant_id == actor.user_id)
            .order_by(Case.received_at.desc(), Case.id.desc())
        )
    )


def own_record(session: ReadSession, actor: Actor, reference: str) -> CaseRecord:
    """The record of the citizen's case with this number. Raises NotFound for anybody else's."""
    case = session.scalar(select(Case).where(Case.reference == reference.strip().upper()))
    if case is None or case.applicant_id != actor.user_id:
        raise NotFound(what="case")
    return case_record(session, actor, case.id)


def progress_of(session: ReadSession, record: CaseRecord) -> tuple[Case, list[Task]]:
    """Where the matter stands, and what staff have to do: of the main case as long as the
    citizen's own follows it. Of the main case nothing else may be shown to them."""
    case, tasks = record.case, record.tasks
    if record.main is not None and case.state == "open" and case.decided_at is None:
        case = record.main
        tasks = list(session.scalars(select(Task).where(Task.case_id == case.id)))
    working = [
        task
        for task in tasks
        if task.audience == "staff" and task.part_of is None and task.state in ("open", "held")
    ]
    return case, working


def own_draft(session: ReadSession, actor: Actor, draft_id: str) -> Draft:
    """The citizen's draft. Raises NotFound."""
    draft = session.get(Draft, draft_id)
    if draft is None or draft.owner_id != actor.user_id:
        raise NotFound(what="draft")
    return draft


def unfinished_draft(session: Session, actor: Actor, service: str) -> Draft | None:
    """The newest draft for `service` that was not filed."""
    return session.scalar(
        select(Draft)
        .where(Draft.owner_id == actor.user_id, Draft.service == service, Draft.case_id.is_(None))
        .order_by(Draft.updated_at.desc())
        .limit(1)
    )


def own_task(rows: Rows, actor: Actor, task_id: str) -> tuple[Task, Case]:
    """An open task of the citizen's case that is theirs to do. Raises NotFound."""
    tables = "tasks t JOIN cases c ON c.id = t.case_id WHERE t.id = %s"
    found = rows.joined(Join({"t": Task, "c": Case}, tables, (task_id,)))
    task, case = found[0] if found else (None, None)
    mine = case is not None and case.applicant_id == actor.user_id
    if task is None or case is None or not mine or task.audience != "applicant":
        raise NotFound(what="task")
    return task, case


def own_letter(session: ReadSession, actor: Actor, letter_id: str) -> tuple[Letter, Case]:
    """A letter to the citizen. Raises NotFound."""
    letter = session.get(Letter, letter_id)
    if letter is None:
        return _archived_letter(session, actor, letter_id)
    case = session.get(Case, letter.case_id)
    if case is None or case.applicant_id != actor.user_id or not letter.to_applicant:
        raise NotFound(what="letter")
    return letter, case


def _archived_letter(session: ReadSession, actor: Actor, letter_id: str) -> tuple[Letter, Case]:
    """It may be in one of their own archived cases, which are few: the newest first."""
    for case in own_cases(session, actor):
        if case.archived_at is not None:
            for letter in CaseRows(session, case).all(Letter):
                if letter.id == letter_id and letter.to_applicant:
                    return letter, case
    raise NotFound(what="letter")


def file_names(session: ReadSession, ids: list[str], owner_id: str) -> dict[str, str]:
    """The names of the owner's documents by id."""
    if not ids:
        return {}
    rows = session.execute(
        select(Document.id, Document.name).where(
            Document.id.in_(ids), Document.owner_id == owner_id
        )
    )
    return {row.id: row.name for row in rows}


def tracked_case(session: ReadSession, reference: str, phone: str) -> Case | None:
    """The case with this number, if the applicant's telephone is this one."""
    digits = func.replace(func.replace(User.phone, "-", ""), " ", "")
    return session.scalar(
        select(Case)
        .join(User, User.id == Case.applicant_id)
        .where(
            Case.reference == reference.strip().upper(),
            digits == phone.replace("-", "").replace(" ", "").strip(),
        )
    )
