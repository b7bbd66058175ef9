"""The rows of what a step waits for from outside, and what it has thrown for others."""

from __future__ import annotations

from datetime import timedelta

from engine.domain.process import Step
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.tables import Case, ExternalJob, Message, Subscription
from engine.store.uow import Work
from engine.usecases.connector_jobs import promise_connector

LIFE_OF_THROWN = timedelta(days=30)
"""How long a message of one case waits for another case to want it."""
PRIORITY = "job_priority"
"""The setting of a task that says how important its external job is."""
MAX_PRIORITY = 2**31


def sync_subscriptions(work: Work, case: Case, step: Step) -> None:
    """Write down what the case waits for, and have messages that wait already delivered."""
    if step.closed.subscriptions:
        work.rows.later(
            "DELETE FROM subscriptions WHERE case_id = %s AND `key` IN %s",
            case.id,
            sorted(step.closed.subscriptions),
        )
    for each in step.subscriptions:
        if each.key not in step.opened.subscriptions:
            continue
        work.rows.add(
            Subscription(
                id=new_id(),
                case_id=case.id,
                key=each.key,
                element=each.element,
                kind=each.kind,
                name=each.name,
                correlation=each.correlation,
                opened_at=work.now,
            )
        )
        if each.kind == "message":
            _have_delivered(work, each.name, each.correlation, f"{case.id}:{each.key}")


def _have_delivered(work: Work, name: str, correlation: str | None, receiver: str) -> None:
    where = "state = 'waiting' AND name = %s AND expires_at > %s"
    params: list[object] = [name, work.now]
    if correlation is not None:
        where += " AND (correlation = %s OR correlation IS NULL)"
        params.append(correlation)
    where += " ORDER BY received_at, id LIMIT 20"
    for (id_,) in work.rows.values(f"SELECT id FROM messages WHERE {where}", *params):  # noqa: S608
        jobs.promise(work, "message", f"message:{id_}:{receiver}", {"message_id": id_})


def sync_external_jobs(work: Work, case: Case, step: Step) -> None:
    """Offer the work that job workers are to do, and withdraw what is no longer needed."""
    if step.closed.jobs:
        work.rows.later(
            "UPDATE external_jobs SET state = 'cancelled', finished_at = %s "
            "WHERE case_id = %s AND `key` IN %s AND state = 'open'",
            work.now,
            case.id,
            sorted(step.closed.jobs),
        )
    for each in step.jobs:
        if each.key in step.opened.jobs:
            row = ExternalJob(
                id=new_id(),
                case_id=case.id,
                key=each.key,
                element=each.element,
                topic=each.topic,
                retries=each.retries,
                settings=dict(each.properties),
                priority=_priority(each.properties.get(PRIORITY)),
                state="open",
                created_at=work.now,
            )
            work.rows.add(row)
            promise_connector(work, row)


def _priority(given: object) -> int:
    """What the task's setting says, within bounds; 0 if it says nothing usable."""
    try:
        return min(MAX_PRIORITY, max(-MAX_PRIORITY, int(str(given or 0))))
    except ValueError:
        return 0


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
            work.rows.add(row)
            jobs.promise(work, "message", f"message:{row.id}", {"message_id": row.id})
            continue
        listening = work.rows.values(
            "SELECT DISTINCT case_id FROM subscriptions "
            "WHERE kind = 'signal' AND name = %s AND case_id <> %s",
            thrown.name,
            case.id,
        )
        for (other,) in listening:
            payload = {"name": thrown.name, "data": {}}
            jobs.promise(work, "signal", f"signal:{key}:{other}", payload, case_id=other)


def stop_waiting(work: Work, case: Case) -> None:
    """A case that has ended waits for nothing from outside."""
    work.rows.later_for("DELETE FROM subscriptions WHERE case_id IN %s", case.id)
    work.rows.later_for(
        "UPDATE external_jobs SET state = 'cancelled', finished_at = %s "
        "WHERE state = 'open' AND case_id IN %s",
        case.id,
        work.now,
    )
