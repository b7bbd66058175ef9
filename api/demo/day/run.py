"""Playing the day: tickets come in, the hotline sends them on, departments handle or return them.

The day is played through the product's use cases on a clock that jumps a quarter of an hour at a
time. At noon all workers stand still for two hours, so that warnings must neither be lost nor come
twice. The next working day everybody goes on, with few new tickets, so that what was left has
become a day old when it is looked at. Some tickets are too hard for anybody: the days after, on
which the rest is done some times a day, show who is warned of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from random import Random
from typing import Any

from sqlalchemy import Select, select

from api.demo.day.figures import DayFigures, count_day, is_open, note_unowned
from api.demo.day.office import DayOffice, open_day_office, place_of
from api.wiring import Application
from engine.domain.access import Actor
from engine.kernel.clock import SettableClock
from engine.kernel.errors import EngineError
from engine.store.tables import Case, Task
from engine.usecases.claim import ClaimNextTask, ClaimTask, claim, claim_next
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.dispatch_again import DispatchAgain, dispatch_again
from engine.usecases.return_task import ReturnTask, return_task
from engine.usecases.start_case import StartCase, start_case

STEP = timedelta(minutes=15)
FIRST_DAY = 0.98
"""The share of the tickets that come on the first day."""
OUTAGE = (time_of_day(11), time_of_day(13))
RETURNS = 0.06
HARD = 0.04
"""The share of the tickets that nobody gets done."""
DAYS_AFTER = 7
"""Working days on which people work and are looked at some times a day."""
OUTAGE_DAY = 4
"""The working day, counted from the first, on which all workers stand still."""
HANDLED = 0.5
"""How much of a task somebody gets done in a step."""
AHEAD = 3
"""Tasks of the queue that each person takes in a step, once their own are few."""
CATEGORIES = ("road", "water", "environment", "market")


@dataclass(frozen=True)
class DayPlan:
    seed: int
    departments: int = 20
    tickets: int = 5_000


def simulate_day(
    wired: Application,
    clock: SettableClock,
    plan: DayPlan,
    progress: Callable[[int], None] = lambda count: None,
) -> DayFigures:
    """Play the day on an empty database; `progress` is told how many more tickets came in."""
    began, chance = time.perf_counter(), Random(plan.seed)  # noqa: S311 - a repeatable day
    codes = [f"D{number:02}" for number in range(1, plan.departments + 1)]
    calendar = wired.ports.calendar
    day = calendar.local_date(clock.now())
    office = open_day_office(wired, codes, day, chance)
    figures = DayFigures(
        plan.seed, plan.departments, sum(map(len, office.staff.values())), plan.tickets
    )
    played = _Day(wired, office, codes, chance)
    first, second = (list(_steps(wired, each)) for each in (day, calendar.add_working_days(day, 1)))
    coming = _spread(plan, first, second, chance)
    for at in (*first, *second):
        clock.set(at)
        for _ in range(coming.get(at, 0)):
            played.file()
        progress(coming.get(at, 0))
        if not OUTAGE[0] <= at.astimezone(calendar.zone).time() < OUTAGE[1]:
            _work_off(wired)
            played.work(morning=at == second[0])
        note_unowned(wired, figures)
    for number in range(2, DAYS_AFTER + 2):
        for at in list(_steps(wired, calendar.add_working_days(day, number)))[::16]:
            clock.set(at)
            if number != OUTAGE_DAY:
                _work_off(wired)
                played.work(morning=True)
            note_unowned(wired, figures)
    count_day(wired, figures)
    figures.seconds = round(time.perf_counter() - began, 1)
    return figures


def _steps(wired: Application, day: date) -> Iterator[datetime]:
    zone = wired.ports.calendar.zone
    at = datetime.combine(day, time_of_day(0), zone)
    end = at + timedelta(days=1)
    while at < end:
        if is_open(wired, at):
            yield at
        at += STEP


def _spread(
    plan: DayPlan, first: list[datetime], second: list[datetime], chance: Random
) -> dict[datetime, int]:
    """How many tickets come in each step."""
    coming: dict[datetime, int] = {}
    for _ in range(plan.tickets):
        at = chance.choice(first if chance.random() < FIRST_DAY else second)
        coming[at] = coming.get(at, 0) + 1
    return coming


def _work_off(wired: Application) -> None:
    while wired.run_due():
        pass


class _Day:
    """Everybody's work, a step at a time."""

    def __init__(
        self, wired: Application, office: DayOffice, codes: list[str], chance: Random
    ) -> None:
        self.wired, self.office, self.codes, self.chance = wired, office, codes, chance
        self.hard: set[str] = set()

    def file(self) -> None:
        answers = {
            "category": self.chance.choice(CATEGORIES),
            "title": "路灯不亮",
            "description": "门前路灯一周不亮",
            "danger": self.chance.random() < 0.02,
            "place": place_of(self.chance.choice(self.codes)),
            "contact_name": "张先生",
            "phone": "13800138000",
        }
        case = self.wired.uow.run(start_case, StartCase(self.office.citizen, "C001", answers))
        if self.chance.random() < HARD:
            self.hard.add(case.id)

    def work(self, morning: bool) -> None:
        """A quarter of an hour; in the `morning` what stayed in the queues is handed out first."""
        for code, staff in self.office.staff.items():
            if morning:
                self._hand_out(code, staff)
            self._department(code, staff)
        # What departments have answered is called back the same quarter of an hour.
        self._hotline()

    def _hotline(self) -> None:
        """Accept whatever has come, and say whose the returned ones are."""
        clerk, lead = self.office.clerk, self.office.lead
        free = select(Task).where(Task.department == "HOTLINE", Task.state == "open")
        for task in self._tasks(free.where(Task.element == "accept", Task.part_of.is_(None))):
            self._do(clerk, task, {"outcome": "accept"})
        for task in self._tasks(free.where(Task.element == "follow_up", Task.part_of.is_(None))):
            self._do(clerk, task, {"outcome": "content", "note": "满意"})
        for task in self._tasks(free.where(Task.part_of.is_not(None))):
            who = clerk if task.kind == "redispatch" else lead
            self.wired.uow.run(claim, ClaimTask(who, task.id))
            to = self.chance.choice(self.codes)
            self.wired.uow.run(dispatch_again, DispatchAgain(who, task.id, to, "按职责重新派单"))

    def _department(self, code: str, staff: list[Actor]) -> None:
        own = {each.user_id: each for each in staff}
        mine = select(Task).where(Task.department == code, Task.state == "open")
        found = self._tasks(mine.where(Task.assignee_id.in_(own)))
        tasks = [task for task in found if task.case_id not in self.hard]
        for task in tasks[: round(len(staff) * HANDLED)]:
            who = own[str(task.assignee_id)]
            if self.chance.random() < RETURNS and self._returned(who, task):
                continue
            self._do(who, task, {"outcome": "done", "result": "resolved", "reply": "已修复。"})
        if len(tasks) < len(staff):
            for who in staff:
                for _ in range(AHEAD):
                    self.wired.uow.run(claim_next, ClaimNextTask(who))

    def _hand_out(self, code: str, staff: list[Actor]) -> None:
        queued = select(Task).where(Task.department == code, Task.state == "open")
        left = len(self._tasks(queued.where(Task.assignee_id.is_(None))))
        for number in range(left):
            self.wired.uow.run(claim_next, ClaimNextTask(staff[number % len(staff)]))

    def _returned(self, who: Actor, task: Task) -> bool:
        command = ReturnTask(who, task.id, "not_our_area", "图示不在辖区")
        try:
            self.wired.uow.run(return_task, command)
        except EngineError:
            return False  # it was adjudicated, or had been theirs too long
        return True

    def _do(self, who: Actor, task: Task, answers: dict[str, object]) -> None:
        if task.assignee_id is None:
            self.wired.uow.run(claim, ClaimTask(who, task.id))
        self.wired.uow.run(complete, CompleteTask(who, task.id, answers))

    def _tasks(self, wanted: Select[Any]) -> list[Task]:
        """In the order of the tickets' numbers, which is the same for the same seed."""
        with self.wired.uow.read() as session:
            numbered = wanted.join(Case, Case.id == Task.case_id)
            return list(session.scalars(numbered.order_by(Case.reference, Task.opened_at)))
