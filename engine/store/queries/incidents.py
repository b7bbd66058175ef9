"""What operators look at: failed steps, and where a case stands."""

from __future__ import annotations

from sqlalchemy import select

from engine.store.tables import Case, ExternalJob, Incident, Job, Subscription, Task
from engine.store.uow import ReadSession

MOST = 200


def open_incidents(session: ReadSession) -> list[tuple[Incident, str]]:
    """The incidents that are not resolved, newest first, with the cases' references."""
    rows = session.execute(
        select(Incident, Case.reference)
        .join(Case, Case.id == Incident.case_id)
        .where(Incident.state == "open")
        .order_by(Incident.created_at.desc(), Incident.id)
        .limit(MOST)
    )
    return [(incident, reference) for incident, reference in rows]


def incidents_of(session: ReadSession, case_id: str | None = None) -> list[Incident]:
    """The incidents that are not resolved, of one case or of all, newest first."""
    statement = select(Incident).where(Incident.state == "open")
    if case_id is not None:
        statement = statement.where(Incident.case_id == case_id)
    ordered = statement.order_by(Incident.created_at.desc(), Incident.id)
    return list(session.scalars(ordered.limit(10 * MOST)))


def places_of(session: ReadSession, case_id: str) -> list[tuple[str, str, str]]:
    """The key, element and kind of everything the case waits at."""
    found = [
        (task.key, task.element, "task")
        for task in session.scalars(
            select(Task).where(
                Task.case_id == case_id,
                Task.state.in_(["open", "held"]),
                Task.part_of.is_(None),
            )
        )
    ]
    found += [
        (job.payload["key"], job.payload["element"], "timer")
        for job in session.scalars(
            select(Job).where(
                Job.case_id == case_id, Job.kind == "timer", Job.state.in_(["waiting", "failed"])
            )
        )
    ]
    found += [
        (row.key, row.element, row.kind)
        for row in session.scalars(select(Subscription).where(Subscription.case_id == case_id))
    ]
    found += [
        (row.key, row.element, "job")
        for row in session.scalars(
            select(ExternalJob).where(ExternalJob.case_id == case_id, ExternalJob.state == "open")
        )
    ]
    return found
