"""Acting for somebody who is away (代理): the substitute may do what is the other's to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from engine.domain.access import Actor, Principal, has_skill, may_take_task
from engine.kernel.errors import NotAllowed, QuestionOpen, SkillMissing, TaskNotYours
from engine.store.statements import Join
from engine.store.tables import Absence, Case, Task, User
from engine.store.uow import ReadSession, Work
from engine.usecases.people import actor_of

NOW = "a.substitute_id = %s AND a.begins_at <= %s AND a.ends_at > %s"


@dataclass(frozen=True)
class Substituted:
    """Somebody who is away now, and the services for which they are substituted; none for all."""

    actor: Actor
    services: frozenset[str]

    def covers(self, service: str) -> bool:
        return not self.services or service in self.services


def substituted(work: Work, actor: Actor) -> list[Substituted]:
    """Those for whom the actor acts now."""
    found = work.rows.joined(
        Join(
            {"a": Absence, "u": User},
            f"absences a JOIN users u ON u.id = a.user_id WHERE {NOW} ORDER BY u.id",
            (actor.user_id, work.now, work.now),
        )
    )
    return [Substituted(actor_of(user), frozenset(row.services)) for row, user in found]


def substituted_now(session: ReadSession, actor: Actor, now: datetime) -> list[Substituted]:
    """As `substituted`, for what is only shown."""
    rows = session.execute(
        select(Absence, User)
        .join(User, User.id == Absence.user_id)
        .where(
            Absence.substitute_id == actor.user_id, Absence.begins_at <= now, Absence.ends_at > now
        )
        .order_by(User.id)
    )
    return [Substituted(actor_of(user), frozenset(row.services)) for row, user in rows]


@dataclass(frozen=True)
class Acting:
    """Whose tasks somebody may do now: their own, and those of the people they act for."""

    actor: Actor
    away: tuple[Substituted, ...] = ()

    def has(self, case: Case, task: Task) -> bool:
        """Whether the task is theirs to work on."""
        return task.assignee_id == self.actor.user_id or self.for_name(case, task) is not None

    def for_name(self, case: Case, task: Task) -> str | None:
        """For whom they do it, if it is somebody's who is away."""
        for each in self.away:
            if each.actor.user_id == task.assignee_id and each.covers(case.service):
                return each.actor.display_name
        return None

    def owns(self, case: Case, task: Task) -> bool:
        """Whether a delegated task goes back to them."""
        covered = [each.actor.user_id for each in self.away if each.covers(case.service)]
        return task.owner_id is not None and task.owner_id in (self.actor.user_id, *covered)

    def may_claim(self, case: Case, task: Task) -> bool:
        """Whether they may take the task, which nobody has."""
        if task.state != "open" or task.assignee_id is not None:
            return False
        others = [each.actor for each in self.away if each.covers(case.service)]
        return any(_may_take(each, task) for each in (self.actor, *others))


def acting_now(session: ReadSession, actor: Actor, now: datetime) -> Acting:
    """Whose tasks the actor may do now."""
    return Acting(actor, tuple(substituted_now(session, actor, now)))


def acting_for(actor: Actor, other: Actor) -> Actor:
    """The actor as the other's substitute."""
    return replace(actor, acting_for=Principal(other.user_id, other.display_name))


def as_holder(
    work: Work, actor: Actor, case: Case, task: Task, *, only_asked: bool = False
) -> Actor:
    """The actor if the task is theirs, as a substitute if it is somebody's who is away.

    Somebody who was only asked about it may answer, and nothing else. Raises TaskNotYours,
    QuestionOpen(holder).
    """
    holder = _holder(work, actor, case, task)
    if task.owner_id is not None and not only_asked:
        asked = work.rows.get(User, str(task.assignee_id))
        raise QuestionOpen(holder=asked.display_name if asked else "")
    return holder


def _holder(work: Work, actor: Actor, case: Case, task: Task) -> Actor:
    if task.assignee_id == actor.user_id:
        return actor
    if task.assignee_id is not None:
        for each in substituted(work, actor):
            if each.actor.user_id == task.assignee_id and each.covers(case.service):
                return acting_for(actor, each.actor)
    raise TaskNotYours


def as_taker(work: Work, actor: Actor, case: Case, task: Task) -> Actor:
    """The actor if they may take the task, as a substitute if somebody who is away may.

    A manager may take what nobody of the department has the skill for. Raises NotAllowed,
    SkillMissing.
    """
    if _may_take(actor, task):
        return actor
    for each in substituted(work, actor):
        if each.covers(case.service) and _may_take(each.actor, task):
            return acting_for(actor, each.actor)
    if may_take_task(actor, task.audience, task.department, task.role):
        raise SkillMissing(skill=task.skill)
    raise NotAllowed


def _may_take(actor: Actor, task: Task) -> bool:
    skilled = has_skill(actor, task.skill) or "manager" in actor.roles
    return skilled and may_take_task(actor, task.audience, task.department, task.role)
