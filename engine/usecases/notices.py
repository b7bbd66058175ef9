"""Telling staff of a case: a notice for a person or a department, and mail where there is an
address."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update

from engine.domain.access import Actor
from engine.domain.clock_terms import Rung, is_of_task
from engine.domain.ports import NoticeFacts, Ports
from engine.domain.process import Effect
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.queries.notices import OFFICE, of_actor
from engine.store.tables import Case, ClockRow, Notice, Task, User
from engine.store.uow import ReadSession, Work
from engine.usecases.clock_calendar import service_calendar
from engine.usecases.definition import Definition, definition

STAFF_DEPARTMENT = "department:"
STAFF_ROLE = "role:"


class Recipient(NamedTuple):
    """A person, a department, or with neither the applicant."""

    user_id: str | None = None
    department: str | None = None


APPLICANT = Recipient()


def recipients(
    to: Iterable[str], case: Case, tasks: Collection[Task], staff: Collection[User]
) -> list[Recipient]:
    """Whom the words of a rung mean, each once. `staff` are the people of the tasks' departments.

    A task that nobody has claimed is its whole department's. Where a department has no head the
    office's managers are told.
    """
    departments = {t.department for t in tasks if t.department} or {case.department or OFFICE}
    heads = [user for user in staff if "manager" in user.roles and user.department in departments]
    found: dict[Recipient, None] = {}
    for who in to:
        if who == "applicant":
            found[APPLICANT] = None
        elif who == "assignee":
            claimed = [Recipient(task.assignee_id) for task in tasks if task.assignee_id]
            rest = {t.department or OFFICE for t in tasks if not t.assignee_id}
            unclaimed = [Recipient(None, code) for code in sorted(rest)]
            nobody = [Recipient(None, code) for code in sorted(departments)] if not tasks else []
            found.update(dict.fromkeys([*claimed, *unclaimed, *nobody]))
        elif who == "supervisor":
            people = [Recipient(user.id) for user in heads] or [Recipient(None, OFFICE)]
            found.update(dict.fromkeys(people))
        elif who == "manager":
            found[Recipient(None, OFFICE)] = None
        elif who == "department":
            found.update(dict.fromkeys(Recipient(None, code) for code in sorted(departments)))
        elif who.startswith(STAFF_DEPARTMENT):
            found[Recipient(None, who.removeprefix(STAFF_DEPARTMENT))] = None
        elif who.startswith(STAFF_ROLE):
            role = who.removeprefix(STAFF_ROLE)
            found.update({Recipient(user.id): None for user in staff if role in user.roles})
    return list(found)


def write_notice(
    work: Work, case: Case, row: ClockRow, rung: Rung, to: Recipient, email: str | None
) -> None:
    """Put a notice into the inbox of its recipient, and promise to mail it to `email` if given."""
    id_ = new_id()
    work.rows.insert(
        Notice,
        {
            "id": id_,
            "case_id": case.id,
            "clock": row.key,
            "rung": rung.at,
            "due_at": row.due_at,
            "user_id": to.user_id,
            "department": to.department,
            "text": dict(rung.text),
            "created_at": work.now,
        },
    )
    if email:
        jobs.promise(work, "mail", f"mail:{id_}", {"notice_id": id_}, case_id=case.id)


def letter_of_rung(letter: str, email: str | None) -> Effect:
    """What the model's own send task would ask for; to the applicant without an address."""
    to = {"to": email} if email else {}
    return Effect(letter, "letter.send", {"letter": letter, **to}, {})


def notice_facts(session: ReadSession, ports: Ports, notice: Notice) -> NoticeFacts:
    """What there is to say of a notice, for whoever has the words."""
    case = session.get_one(Case, notice.case_id)
    made: Definition = definition(session, case.package_version_id, ports)
    service = ports.catalogue.services.get(case.service)
    terms = made.manifest.terms(notice.clock)
    calendar = service_calendar(ports.calendars, made, case.service)
    task = None
    if is_of_task(notice.clock):
        key = notice.clock.partition(":")[2]
        element = session.scalar(
            select(Task.element).where(Task.case_id == case.id, Task.key == key)
        )
        task = made.labels(element) if element else None
    return NoticeFacts(
        reference=case.reference,
        service=service.name if service else made.manifest.title,
        clock=notice.clock,
        clock_title=terms.title if terms is not None else {},
        task=task,
        rung=notice.rung,
        due_on=calendar.local_date(notice.due_at),
        text=notice.text,
    )


@dataclass(frozen=True)
class ReadNotices:
    """Mark notices as read; all of the actor's with no `ids`."""

    actor: Actor
    ids: tuple[str, ...] = ()


def read_notices(work: Work, command: ReadNotices) -> int:
    """How many were marked. Those of others are passed over."""
    mine: ColumnElement[bool] = of_actor(command.actor)
    statement = update(Notice).where(mine, Notice.read_at.is_(None))
    if command.ids:
        statement = statement.where(Notice.id.in_(command.ids))
    at: datetime = work.now
    values = {"read_at": at, "read_by": command.actor.user_id}
    result = work.session.execute(
        statement.values(values).execution_options(synchronize_session=False)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
