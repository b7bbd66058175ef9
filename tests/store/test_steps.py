"""What a step sends to the database, and what two steps at once do to each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.kernel.errors import EngineError, TaskAlreadyClaimed, TaskNotOpen
from engine.store.audit import first_broken_event
from engine.store.rows import Rows
from engine.store.tables import Case, CaseState, Event, Task
from engine.store.uow import UnitOfWork
from engine.usecases.claim import ClaimNextTask, ClaimTask, claim, claim_next
from engine.usecases.complete import CompleteTask, complete, read_tasks
from engine.usecases.definition import definition
from engine.usecases.start_case import StartCase, read_starts, start_case
from engine.usecases.unclaim import UnclaimTask, unclaim
from tests.support.clocks import clerk, published_clocks
from tests.support.play import REQUEST, actor, done, filed, open_task
from tests.support.small_package import begun, person, published
from tests.unit.bpmn.models import flow, node

LOOP = (
    node("startEvent", "s")
    + person("a")
    + node("exclusiveGateway", "again", default="out")
    + node("endEvent", "e")
    + flow("s", "a")
    + flow("a", "again")
    + '<bpmn:sequenceFlow id="back" sourceRef="again" targetRef="a">'
    + "<bpmn:conditionExpression>a.turns &lt; 60</bpmn:conditionExpression></bpmn:sequenceFlow>"
    + '<bpmn:sequenceFlow id="out" sourceRef="again" targetRef="e"/>'
)

PARALLEL = (
    node("startEvent", "s")
    + node("parallelGateway", "split")
    + person("a")
    + person("b")
    + node("parallelGateway", "join")
    + node("endEvent", "e")
    + "".join(
        flow(*each)
        for each in (
            ("s", "split"), ("split", "a"), ("split", "b"),
            ("a", "join"), ("b", "join"), ("join", "e"),
        )
    )
)  # fmt: skip


def _open_tasks(wired: Application, case: Case) -> dict[str, str]:
    with wired.uow.read() as session:
        rows = session.scalars(select(Task).where(Task.case_id == case.id, Task.state == "open"))
        return {row.element: row.id for row in rows}


def _counted(wired: Application, act: Callable[[], Any]) -> int:
    """How many statements a command sends, begin and commit left out."""
    sent: list[int] = []
    send = Rows._send

    def counting(self: Rows, statements: Any, reading: bool = False) -> Any:
        sent.append(len([each for each in statements if each[0] != "COMMIT"]))
        return send(self, statements, reading)

    Rows._send = counting  # type: ignore[method-assign]
    try:
        act()
    finally:
        Rows._send = send  # type: ignore[method-assign]
    return sum(sent)


def test_a_step_sends_the_same_few_statements_however_old_the_case_is(
    office: Application,
) -> None:
    published(office, LOOP)
    case, who = begun(office), actor(office, "foi_officer")
    counts, sizes = [], []
    for turn in range(1, 41):
        task = open_task(office, case)
        office.uow.run(claim, ClaimTask(who, task.id))
        office.uow.recent.drop(case.id)
        command = CompleteTask(who, task.id, {"turns": turn})
        counts.append(_counted(office, lambda command=command: office.uow.run(complete, command)))
        with office.uow.read() as session:
            sizes.append(len(session.get_one(CaseState, case.id).state))
    assert set(counts) == {6}, counts
    assert max(sizes) - min(sizes) < 24


def test_a_task_with_a_limit_costs_its_clock_and_its_lines(office: Application) -> None:
    body = LOOP.replace(person("a"), clerk("a", limit="step"))
    published_clocks(office, body, "")
    case, who = begun(office), actor(office, "foi_officer")
    counts = []
    for turn in range(1, 11):
        task = open_task(office, case)
        office.uow.run(claim, ClaimTask(who, task.id))
        office.uow.recent.drop(case.id)
        command = CompleteTask(who, task.id, {"turns": turn})
        counts.append(_counted(office, lambda command=command: office.uow.run(complete, command)))
    # Besides the six of any step: its clocks are read, one is stopped, one begins, two lines.
    assert set(counts) == {10}, counts


def test_a_step_of_a_case_just_written_reads_nothing(office: Application) -> None:
    published(office, LOOP)
    case, who = begun(office), actor(office, "foi_officer")
    task = open_task(office, case)
    office.uow.run(claim, ClaimTask(who, task.id))
    command = CompleteTask(who, task.id, {"turns": 1})
    assert _counted(office, lambda: office.uow.run(complete, command)) == 5


def test_the_task_beside_and_the_end_of_the_case_read_nothing(office: Application) -> None:
    published(office, PARALLEL)
    case, who = begun(office), actor(office, "foi_officer")
    tasks = _open_tasks(office, case)
    for name in ("a", "b"):
        office.uow.run(claim, ClaimTask(who, tasks[name]))
    first = CompleteTask(who, tasks["a"], {"turns": 1})
    assert _counted(office, lambda: office.uow.run(complete, first)) == 4
    last = CompleteTask(who, tasks["b"], {"turns": 1})
    sent = _counted(office, lambda: office.uow.run(complete, last))
    with office.uow.read() as session:
        row = session.get_one(Case, case.id)
        assert row.state == "closed"
        assert first_broken_event(session, case.id) is None
    assert sent == 8


def test_a_task_beside_that_another_process_took_is_seen_as_taken(office: Application) -> None:
    published(office, PARALLEL)
    other = UnitOfWork(office.engine, office.ports)
    case, who = begun(office), actor(office, "foi_officer")
    tasks = _open_tasks(office, case)
    try:
        office.uow.run(claim, ClaimTask(who, tasks["a"]))
        other.run(claim, ClaimTask(actor(office, "foi_lead"), tasks["b"]))
        # This process last saw b free, and has written the case since without looking at b.
        office.uow.run(complete, CompleteTask(who, tasks["a"], {"turns": 1}))
        with pytest.raises(TaskAlreadyClaimed):
            office.uow.run(claim, ClaimTask(who, tasks["b"]))
    finally:
        other.close()


def test_a_step_on_old_rows_is_done_again_on_new_ones(office: Application) -> None:
    other = UnitOfWork(office.engine, office.ports)
    case, who = filed(office), actor(office, "foi_officer")
    task = open_task(office, case)
    office.uow.run(claim, ClaimTask(who, task.id))
    with office.uow.read() as session:
        before = session.get_one(Case, case.id).events
    try:
        # Another process goes on with the case, so that what this one recalls is old.
        manager = actor(office, "foi_lead")
        other.run(unclaim, UnclaimTask(who, task.id))
        other.run(claim, ClaimTask(manager, task.id))
    finally:
        other.close()
    with pytest.raises(TaskAlreadyClaimed) as refused:
        office.uow.run(claim, ClaimTask(who, task.id))
    assert refused.value.params["holder"] == manager.display_name
    with office.uow.read() as session:
        assert session.get_one(Case, case.id).events == before + 2
        assert first_broken_event(session, case.id) is None


def test_two_who_complete_one_task_at_once_do_it_once(office: Application) -> None:
    published(office, LOOP)
    who = actor(office, "foi_officer")
    others = [UnitOfWork(office.engine, office.ports) for _ in range(3)]
    units = [office.uow, *others]
    try:
        for _ in range(10):
            case = begun(office)
            task = open_task(office, case)
            office.uow.run(claim, ClaimTask(who, task.id))
            barrier = threading.Barrier(len(units))

            def attempt(unit: UnitOfWork, task: Task = task, barrier: Any = barrier) -> str:
                barrier.wait()
                try:
                    unit.run(complete, CompleteTask(who, task.id, {"turns": 1}))
                except TaskNotOpen:
                    return "not open"
                return "done"

            with ThreadPoolExecutor(len(units)) as pool:
                results = list(pool.map(attempt, units))
            assert sorted(results) == ["done", "not open", "not open", "not open"]
            with office.uow.read() as session:
                kinds = list(session.scalars(select(Event.kind).where(Event.case_id == case.id)))
                assert kinds.count("task_completed") == 1
                assert first_broken_event(session, case.id) is None
    finally:
        for unit in others:
            unit.close()


def test_clients_that_take_from_one_queue_each_get_their_own(office: Application) -> None:
    cases = [filed(office) for _ in range(24)]
    who = [actor(office, "foi_officer"), actor(office, "foi_lead")]

    def take(number: int) -> list[str]:
        taken = []
        while (task := office.uow.run(claim_next, ClaimNextTask(who[number % 2]))) is not None:
            taken.append(task.id)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [id_ for ids in pool.map(take, range(8)) for id_ in ids]
    assert len(taken) == len(set(taken)) == len(cases)
    with office.uow.read() as session:
        for case in cases:
            assert first_broken_event(session, case.id) is None


def test_many_cases_go_on_in_one_transaction(office: Application) -> None:
    published(office, LOOP)
    who, clerk = actor(office, "citizen"), actor(office, "foi_officer")
    starts = [StartCase(who, "F001", REQUEST) for _ in range(12)]
    filed_now = office.uow.run_together(start_case, starts, read_starts)
    assert all(isinstance(each, Case) for each in filed_now)
    cases = [each for each in filed_now if isinstance(each, Case)]
    assert len({case.reference for case in cases}) == 12
    tasks = [open_task(office, case) for case in cases]
    for task in tasks[:-1]:
        office.uow.run(claim, ClaimTask(clerk, task.id))
    commands = [CompleteTask(clerk, task.id, {"turns": 99}) for task in tasks]
    results = office.uow.run_together(complete, commands, read_tasks)
    # The last was claimed by nobody: it alone fails, and the others are done.
    assert isinstance(results[-1], EngineError)
    assert [case.state for case in results[:-1] if isinstance(case, Case)] == ["closed"] * 11
    with office.uow.read() as session:
        for case in cases:
            assert first_broken_event(session, case.id) is None
            row = session.get_one(Case, case.id)
            made = definition(session, row.package_version_id, office.ports)
            waits = made.process.waits(session.get_one(CaseState, case.id).state)
            assert bool(waits) == (row.state == "open")


def test_what_a_case_waits_for_is_what_its_rows_say(office: Application) -> None:
    case = done(office, filed(office), "check_request", "foi_officer", outcome="accept")
    with office.uow.read() as session:
        made = definition(session, case.package_version_id, office.ports)
        waits = made.process.waits(session.get_one(CaseState, case.id).state)
        keys = session.scalars(
            select(Task.key).where(Task.case_id == case.id, Task.state == "open")
        )
        assert waits.tasks == set(keys)
