"""Choosing a person for a task: present, able to do it, and with the least to do."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from engine.domain.access import Actor, has_skill, may_take_task
from engine.store.tables import User
from engine.store.uow import Work
from engine.usecases.people import actor_of

WEIGHTS = "5 - priority"
"""An urgent task weighs four times as much as one that can wait."""


def least_loaded(
    work: Work, department: str, role: str, skill: str | None, given: Counter[str]
) -> Actor | None:
    """Who of the department gets the task; None for its queue.

    Left out are the absent, those who lack the skill, and those who have had their daily number
    of tasks. `given` counts what was given to each in this very step.
    """
    staff = work.rows.select(User, "department = %s AND active = %s ORDER BY id", department, True)
    able = {
        user.id: user
        for user in staff
        if may_take_task(actor_of(user), "staff", department, role)
        and role in user.roles
        and has_skill(actor_of(user), skill)
    }
    if not able:
        return None
    ids, since = sorted(able), _today(work)
    absent, open_now, done_today = work.rows.values_of_each(
        (
            "SELECT DISTINCT user_id FROM absences "
            "WHERE user_id IN %s AND begins_at <= %s AND ends_at > %s",
            (ids, work.now, work.now),
        ),
        (
            f"SELECT assignee_id, SUM({WEIGHTS}), "  # noqa: S608
            "SUM(CASE WHEN claimed_at >= %s THEN 1 ELSE 0 END) FROM tasks "
            "WHERE assignee_id IN %s AND state = 'open' GROUP BY assignee_id",
            (since, ids),
        ),
        (
            "SELECT finished_by, COUNT(*) FROM tasks "
            "WHERE finished_by IN %s AND finished_at >= %s GROUP BY finished_by",
            (ids, since),
        ),
    )
    away = {user_id for (user_id,) in absent}
    load = {user_id: int(weight or 0) for user_id, weight, _ in open_now}
    today = Counter({user_id: int(count) for user_id, count in done_today})
    today.update({user_id: int(count or 0) for user_id, _, count in open_now})
    today.update(given)
    free = [
        id_
        for id_ in ids
        if id_ not in away
        and (able[id_].daily_capacity is None or today[id_] < (able[id_].daily_capacity or 0))
    ]
    if not free:
        return None
    chosen = min(free, key=lambda id_: (load.get(id_, 0) + 2 * given[id_], today[id_], id_))
    given[chosen] += 1
    return actor_of(able[chosen])


def _today(work: Work) -> object:
    calendar = work.ports.calendar
    return calendar.end_of(calendar.local_date(work.now) - timedelta(days=1))
