"""Dispatch when two do it at once, on a real MariaDB and from several processes' connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.kernel import errors
from engine.store.audit import first_broken_event
from engine.store.tables import Absence, Case, Letter, Task, TaskMove
from engine.store.uow import UnitOfWork
from engine.usecases.absences import EnterAbsence, enter_absence
from engine.usecases.claim import ClaimNextTask, ClaimTask, claim, claim_next
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.invariants import violations
from engine.usecases.merge import MergeCases, merge
from engine.usecases.people import AddUser, add_user
from engine.usecases.return_task import ReturnTask, return_task
from tests.support.complaints import complained, dispatched, main_task
from tests.support.play import actor, drain, open_task

pytestmark = pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
ROUNDS = 8


@pytest.fixture
def others(office: Application) -> Iterator[list[UnitOfWork]]:
    """The product as four processes would have it."""
    more = [UnitOfWork(office.engine, office.ports) for _ in range(3)]
    yield [office.uow, *more]
    for unit in more:
        unit.close()


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Do all of them at the same instant; what became of each: ok, or the error's code."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> str:
        barrier.wait()
        try:
            act()
        except errors.EngineError as error:
            return error.code
        return "ok"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def hire(office: Application, name: str, department: str) -> None:
    command = AddUser(SYSTEM, name, name, "!", ("caseworker",), department)
    office.uow.run(add_user, command)


def sound(office: Application) -> None:
    """Nothing in the database contradicts anything else."""
    assert list(violations(office.uow)) == []
    with office.uow.read() as session:
        for case_id in session.scalars(select(Case.id)):
            assert first_broken_event(session, case_id) is None


def test_two_who_return_one_task_return_it_once(
    office: Application, others: list[UnitOfWork]
) -> None:
    hire(office, "roads2", "ROADS")
    who = [actor(office, name) for name in ("roads", "roads2")]
    for _ in range(ROUNDS):
        case = dispatched(office)
        task = main_task(office, case)
        told = at_once(
            *(
                lambda unit=unit, each=each, id_=task.id: unit.run(
                    return_task, ReturnTask(each, id_, "duplicate")
                )
                for unit, each in zip(others, who, strict=False)
            )
        )
        assert sorted(told) == ["ok", "task_not_open"]
        with office.uow.read() as session:
            moves = select(func.count()).where(TaskMove.case_id == case.id)
            assert session.scalar(moves) == session.get_one(Case, case.id).returns == 1
    sound(office)


def test_a_task_is_claimed_or_returned_never_both(
    office: Application, others: list[UnitOfWork]
) -> None:
    hire(office, "roads2", "ROADS")
    claimer, returner = actor(office, "roads"), actor(office, "roads2")
    seen = set()
    for _ in range(ROUNDS):
        task = main_task(office, dispatched(office))
        told = at_once(
            lambda id_=task.id: others[1].run(claim, ClaimTask(claimer, id_)),
            lambda id_=task.id: others[2].run(return_task, ReturnTask(returner, id_, "duplicate")),
        )
        with office.uow.read() as session:
            row = session.get_one(Task, task.id)
        if row.state == "held":
            assert (told[1], row.assignee_id) == ("ok", None)
        else:
            assert told == ["ok", "task_not_yours"]
            assert row.assignee_id == claimer.user_id
        seen.add(row.state)
    assert seen
    sound(office)


def test_a_case_merged_while_the_main_one_closes_is_answered_or_stays_alone(
    office: Application, others: list[UnitOfWork]
) -> None:
    hotline = actor(office, "hotline")
    answers = {"outcome": "not_accepted", "reason": "court", "advice": "请等待裁判"}
    for _ in range(ROUNDS):
        main, other = complained(office), complained(office, "citizen2")
        task = open_task(office, main)
        office.uow.run(claim, ClaimTask(hotline, task.id))
        told = at_once(
            lambda id_=task.id: others[1].run(complete, CompleteTask(hotline, id_, answers)),
            lambda a=other.id, b=main.id: others[2].run(merge, MergeCases(hotline, a, b)),
        )
        assert told[0] == "ok"
        drain(office)
        with office.uow.read() as session:
            row = session.get_one(Case, other.id)
            found = select(func.count()).where(
                Letter.case_id == other.id, Letter.letter == "not_accepted"
            )
            answered = session.scalar(found)
        if told[1] == "ok":
            assert (row.main_id, row.outcome, answered) == (main.id, "not_accepted", 1)
        else:
            assert (told[1], row.main_id, row.outcome, answered) == (
                "merge_refused", None, None, 0,
            )  # fmt: skip
    sound(office)


def test_two_substitutes_for_each_other_are_never_entered(
    office: Application, others: list[UnitOfWork]
) -> None:
    hire(office, "roads2", "ROADS")
    one, two = actor(office, "roads"), actor(office, "roads2")
    day = date(2026, 3, 3)
    told = at_once(
        lambda: others[1].run(enter_absence, EnterAbsence(one, one.user_id, day, day, two.user_id)),
        lambda: others[2].run(enter_absence, EnterAbsence(two, two.user_id, day, day, one.user_id)),
    )
    assert sorted(told) == ["absence_refused", "ok"]
    with office.uow.read() as session:
        assert session.scalar(select(func.count()).select_from(Absence)) == 1


def test_fifty_clients_of_one_queue_each_get_their_own(
    office: Application, others: list[UnitOfWork]
) -> None:
    for number in range(50):
        hire(office, f"clerk{number}", "HOTLINE")
    clerks = [actor(office, f"clerk{number}") for number in range(50)]
    cases = [complained(office, "citizen2") for _ in range(70)]

    def take(number: int) -> list[str]:
        taken = []
        unit = others[number % len(others)]
        while (task := unit.run(claim_next, ClaimNextTask(clerks[number]))) is not None:
            taken.append(task.id)
        return taken

    with ThreadPoolExecutor(50) as pool:
        taken = [id_ for ids in pool.map(take, range(50)) for id_ in ids]
    assert len(taken) == len(set(taken)) == len(cases)
    sound(office)
