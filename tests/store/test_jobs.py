"""Jobs: who gets them, for how long, and in which order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import select

from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.kernel.ids import new_id
from engine.store import jobs
from engine.store.audit import first_broken_event
from engine.store.queue_cursors import QueueCursors
from engine.store.tables import Case, Event, Incident, Job
from engine.store.uow import Work
from engine.usecases.job_runner import run_due
from tests.support.play import drain
from tests.support.small_package import begun, person, published
from tests.unit.bpmn.models import node, path, script_task, timer

REMINDED = (
    node("startEvent", "s")
    + person("a")
    + timer("b", "a", "P3D", interrupting=False)
    + script_task("c", "reminded = True")
    + node("endEvent", "d")
    + node("endEvent", "e")
    + path("s", "a", "e")
    + path("b", "c", "d")
)


def promised(wired: Application, *rows: tuple[str, int], kind: str = "message") -> list[str]:
    """Jobs with these keys and priorities; their keys."""

    def write(work: Work, _: None) -> None:
        for key, priority in rows:
            jobs.promise(work, kind, key, {"message_id": "none"}, priority=priority)

    wired.uow.run(write, None)
    return [key for key, _ in rows]


def leased(wired: Application, at_most: int = 10, worker: str | None = None) -> list[str]:
    wanted = jobs.LeaseDue(worker or new_id(), ["timers"], at_most)
    return [job.unique_key for job in wired.uow.run(jobs.lease_due, wanted)]


def test_each_job_goes_to_one_worker(office: Application) -> None:
    keys = promised(office, *((f"k{number}", 2) for number in range(60)))
    with ThreadPoolExecutor(6) as pool:
        taken = [key for got in pool.map(lambda _: leased(office), range(6)) for key in got]
    taken += leased(office, 60)
    assert sorted(taken) == sorted(keys)


def test_the_urgent_go_first(office: Application) -> None:
    promised(office, ("slow", 3), ("plain", 2), ("urgent", 1))
    assert leased(office, 1) == ["urgent"]
    assert leased(office, 1) == ["plain"]


def test_a_promise_made_twice_is_one_job(office: Application) -> None:
    promised(office, ("once", 2))
    promised(office, ("once", 2))
    assert leased(office) == ["once"]


def test_a_dead_workers_job_comes_back_in_seconds(
    office: Application, clock: SettableClock
) -> None:
    promised(office, ("k", 2))
    assert leased(office, worker="died") == ["k"]
    assert leased(office) == []
    clock.advance(jobs.LEASE + timedelta(seconds=1))
    assert leased(office) == ["k"]


def test_a_worker_that_still_works_keeps_its_job(office: Application, clock: SettableClock) -> None:
    promised(office, ("k", 2))
    wanted = jobs.LeaseDue("busy", ["timers"], 1)
    (job,) = office.uow.run(jobs.lease_due, wanted)
    clock.advance(jobs.LEASE - timedelta(seconds=1))
    office.uow.run(jobs.renew, jobs.Leases("busy", [job.id]))
    clock.advance(jobs.LEASE - timedelta(seconds=1))
    assert leased(office) == []


def test_a_worker_that_stops_gives_back_what_it_has_not_begun(office: Application) -> None:
    promised(office, ("k", 2))
    (job,) = office.uow.run(jobs.lease_due, jobs.LeaseDue("stops", ["timers"], 1))
    office.uow.run(jobs.release, jobs.Leases("stops", [job.id]))
    with office.uow.read() as session:
        row = session.get_one(Job, job.id)
        assert (row.state, row.attempts) == ("waiting", 0)
    assert leased(office) == ["k"]


def test_slow_queues_do_not_hold_up_timers(office: Application) -> None:
    promised(office, ("letter", 2), kind="letter")
    promised(office, ("message", 2))
    wanted = jobs.LeaseDue(new_id(), ["timers"], 10)
    assert [job.kind for job in office.uow.run(jobs.lease_due, wanted)] == ["message"]


def test_timers_due_together_all_happen_once(office: Application, clock: SettableClock) -> None:
    published(office, REMINDED)
    cases = [begun(office) for _ in range(70)]
    clock.advance(timedelta(days=3, seconds=1))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run_due(office.uow), range(4)))
    drain(office)
    with office.uow.read() as session:
        for case in cases:
            passed = session.scalars(
                select(Event.details).where(
                    Event.case_id == case.id, Event.kind == "process_advanced"
                )
            )
            assert sum("c" in each["passed"] for each in passed) == 1
            assert first_broken_event(session, case.id) is None
        timers = session.scalars(select(Job).where(Job.kind == "timer")).all()
        assert timers == []


def test_a_case_that_fails_does_not_stop_the_others(
    office: Application, clock: SettableClock
) -> None:
    published(office, REMINDED.replace("reminded = True", "reminded = 1 / application.title"))
    bad = begun(office)
    published(office, REMINDED)
    good = [begun(office) for _ in range(5)]
    clock.advance(timedelta(days=3, seconds=1))
    drain(office)
    with office.uow.read() as session:
        (incident,) = session.scalars(select(Incident))
        assert (incident.case_id, incident.element) == (bad.id, "c")
        assert session.get_one(Case, bad.id).state == "open"
        for case in good:
            last = session.scalars(
                select(Event)
                .where(Event.case_id == case.id, Event.kind == "process_advanced")
                .order_by(Event.number.desc())
            ).first()
            assert last is not None
            assert "c" in last.details["passed"]


def test_old_finished_jobs_are_cleared_away(office: Application, clock: SettableClock) -> None:
    promised(office, ("old", 2))
    drain(office)
    clock.advance(jobs.KEPT + timedelta(days=1))
    promised(office, ("new", 2))
    drain(office)
    office.uow.run(jobs.tidy, None)
    with office.uow.read() as session:
        keys = set(session.scalars(select(Job.unique_key).where(Job.kind == "message")))
    assert keys == {"new"}


def test_what_comes_before_the_cursor_of_a_worker_is_found_soon(office: Application) -> None:
    cursors = QueueCursors()

    def taken(at_most: int) -> list[str]:
        wanted = jobs.LeaseDue("w", ["timers"], at_most, cursors=cursors)
        return [job.unique_key for job in office.uow.run(jobs.lease_due, wanted)]

    promised(office, ("a", 2), ("b", 2), ("c", 2))
    first = taken(2)
    # Given back, it stands before the cursor from which the worker goes on.
    office.uow.run(_give_back, first[0])
    promised(office, ("urgent", 1))
    assert {*first, *taken(9)} == {"a", "b", "c"}
    cursors.forget()
    assert {*taken(9)} == {first[0], "urgent"}


def test_a_worker_that_goes_on_from_its_cursor_leaves_nothing(
    office: Application, clock: SettableClock
) -> None:
    published(office, REMINDED)
    cases = [begun(office) for _ in range(3)]
    clock.advance(timedelta(days=2))
    cases += [begun(office) for _ in range(3)]
    cursors = QueueCursors()
    clock.advance(timedelta(days=1, hours=1))
    assert run_due(office.uow, at_most=2, queues=["timers"], cursors=cursors) == 2
    clock.advance(timedelta(days=3))
    # Some stand behind the cursor, and one before it; a run does not end before it has them all.
    assert run_due(office.uow, queues=["timers"], cursors=cursors) == 4
    with office.uow.read() as session:
        reminded = [session.get_one(Case, case.id).revision for case in cases]
    assert len(set(reminded)) == 1


def _give_back(work: Work, key: str) -> None:
    row = work.rows.first(Job, "unique_key = %s", key)
    assert row is not None
    jobs.release(work, jobs.Leases("w", [row.id]))
