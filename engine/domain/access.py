"""Who may do what. Pure rules over plain facts; every route and use case asks here.

What is not yours does not exist for you: callers turn a refusal to see into `NotFound`.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

ROLES = ("citizen", "caseworker", "designer", "manager", "administrator", "job_worker")
"""A ``job_worker`` is a program: it fetches and reports jobs, and sees nothing else."""


@dataclass(frozen=True)
class Principal:
    """Somebody who is away and for whom another acts."""

    user_id: str
    display_name: str


@dataclass(frozen=True)
class Actor:
    """Who is asking. `department` is the code of a member of staff's department, if any.

    A manager without a department looks after the whole office. `acting_for` is set for a
    substitute who does what is another's to do.
    """

    user_id: str
    user_name: str
    display_name: str
    roles: frozenset[str]
    department: str | None = None
    locale: str = "zh-CN"
    skills: frozenset[str] = frozenset()
    acting_for: Principal | None = None

    @property
    def holder_id(self) -> str:
        """Whose the task is that the actor takes or has."""
        return self.acting_for.user_id if self.acting_for else self.user_id

    @property
    def is_staff(self) -> bool:
        return bool(self.roles - {"citizen", "job_worker"})

    @property
    def oversees_office(self) -> bool:
        return "manager" in self.roles and self.department is None


SYSTEM = Actor("system", "system", "system", frozenset({"system"}))
"""The engine itself: timers, jobs and start-up."""


def may_see_case(actor: Actor, applicant: str, departments: AbstractSet[str]) -> bool:
    """The applicant, a department that has or had a task in the case, and the office's manager."""
    if actor.user_id == applicant and "citizen" in actor.roles:
        return True
    if actor.oversees_office:
        return True
    return handles_tasks(actor) and actor.department in departments


def handles_tasks(actor: Actor) -> bool:
    """Whether the actor works on cases at all."""
    return bool(actor.roles & {"caseworker", "manager"})


def may_take_task(actor: Actor, audience: str, department: str | None, role: str) -> bool:
    """A staff task goes to its department and role; a manager may also take caseworkers' tasks."""
    if audience != "staff" or actor.department is None or actor.department != department:
        return False
    return role in actor.roles or (role == "caseworker" and "manager" in actor.roles)


def has_skill(actor: Actor, skill: str | None) -> bool:
    """Whether the actor can do what the task asks for."""
    return skill is None or skill in actor.skills


def may_manage_tasks(actor: Actor) -> bool:
    """Whether the actor may say who does what, in their department or the whole office."""
    return "manager" in actor.roles


def manages(actor: Actor, department: str | None) -> bool:
    """Whether the actor may say who does what in this department."""
    own = department is not None and actor.department == department
    return may_manage_tasks(actor) and (actor.oversees_office or own)


def may_preview_dispatch(actor: Actor) -> bool:
    """Who writes the rules, and who looks after the whole office."""
    return may_publish(actor) or actor.oversees_office


def may_publish(actor: Actor) -> bool:
    return bool(actor.roles & {"designer", "administrator"})


def may_see_performance(actor: Actor) -> bool:
    return bool(actor.roles & {"manager", "administrator"})


def may_administer(actor: Actor) -> bool:
    return "administrator" in actor.roles


def may_recount(actor: Actor) -> bool:
    """Who may move the dates of many cases: the office's manager and administrators."""
    return may_administer(actor) or actor.oversees_office


def may_correct_receipt(actor: Actor) -> bool:
    """A manager, of a case that they may see."""
    return "manager" in actor.roles


def may_work_jobs(actor: Actor) -> bool:
    return bool(actor.roles & {"job_worker", "administrator"})


def may_start_for(actor: Actor, applicant: str) -> bool:
    """A designer begins cases of their own, to try a model; an administrator anybody's."""
    return may_administer(actor) or (may_publish(actor) and actor.user_id == applicant)
