"""The rows of what a step waits for from outside, and what it has thrown for others."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_, select

from engine.domain.process import Step
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import Case, ExternalJob, Message, Subscription
from engine.store.uow import Work

LIFE_OF_THROWN = timedelta(days=30)
"""How long a message of one case waits for another case to want it."""


def sync_subscriptions(work: Work, case: Case, step: Step) -> None:
    """Write down what the case waits for, and have messages that wait already delivered."""
    known = {
        row.key: row
        for row in work.session.scalars(select(Subscription).where(Subscription.case_id == case.id))
    }
    wanted = {each.key: each for each in step.subscriptions}
    for key, row in known.items():
        if key not in wanted:
            work.session.delete(row)
    for key, each in wanted.items():
        if key in known:
            continue
        work.session.add(
            Subscription(
                id=new_id(),
                case_id=case.id,
                key=key,
                element=each.element,
                kind=each.kind,
                name=each.name,
                correlation=each.correlation,
                opened_at=work.now,
            )
        )
        if each.kind == "message":
            _have_delivered(work, each.name, each.correlation, f"{case.id}:{key}")


def _have_delivered(work: Work, name: str, correlation: str | None, receiver: str) -> None:
    statement = select(Message.id).where(
        Message.state == "waiting", Message.name == name, Message.expires_at > work.now
    )
    if correlation is not None:
        statement = statement.where(
            or_(Message.correlation == correlation, Message.correlation.is_(None))
        )
    for id_ in work.session.scalars(statement.order_by(Message.received_at, Message.id).limit(20)):
        jobs.promise(work, "message", f"message:{id_}:{receiver}", {"message_id": id_})


def sync_external_jobs(work: Work, case: Case, step: Step) -> None:
    """Offer the work that job workers are to do, and withdraw what is no longer needed."""
    known = {
        row.key: row
        for row in work.session.scalars(
            select(ExternalJob).where(ExternalJob.case_id == case.id, ExternalJob.state == "open")
        )
    }
    wanted = {each.key: each for each in step.jobs}
    for key, row in known.items():
        if key not in wanted:
            row.state, row.finished_at = "cancelled", work.now
    for key, each in wanted.items():
        if key not in known:
            work.session.add(
                ExternalJob(
                    id=new_id(),
                    case_id=case.id,
                    key=key,
                    element=each.element,
                    topic=each.topic,
                    retries=each.retries,
                    settings=dict(each.properties),
                    state="open",
                    created_at=work.now,
                )
            )


def send_thrown(work: Work, case: Case, step: Step) -> None:
    """Put the messages of a step in the inbox, and pass its signals on to the other cases."""
    for number, thrown in enumerate(step.thrown):
        key = f"{case.id}:{case.revision}:{number}"
        if thrown.kind == "message":
            row = Message(
                id=new_id(),
                name=thrown.name,
                correlation=thrown.correlation,
                unique_key=f"thrown:{key}",
                data=dict(thrown.data),
                state="waiting",
                sender=case.id,
                received_at=work.now,
                expires_at=work.now + LIFE_OF_THROWN,
            )
            work.session.add(row)
            jobs.promise(work, "message", f"message:{row.id}", {"message_id": row.id})
            continue
        listening = work.session.scalars(
            select(Subscription.case_id)
            .where(
                Subscription.kind == "signal",
                Subscription.name == thrown.name,
                Subscription.case_id != case.id,
            )
            .distinct()
        )
        for other in list(listening):
            payload = {"name": thrown.name, "data": {}}
            jobs.promise(work, "signal", f"signal:{key}:{other}", payload, case_id=other)


def stop_waiting(work: Work, case: Case) -> None:
    """A case that has ended waits for nothing from outside."""
    work.session.flush()
    work.session.execute(delete(Subscription).where(Subscription.case_id == case.id))
    for row in work.session.scalars(
        select(ExternalJob).where(ExternalJob.case_id == case.id, ExternalJob.state == "open")
    ):
        row.state, row.finished_at = "cancelled", work.now
