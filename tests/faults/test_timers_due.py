"""A thousand timers are due at once after an outage: each fires once, a case's in their order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import func, select

from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.audit import first_broken_event
from engine.store.tables import Case, Event, Job
from engine.usecases.invariants import violations
from engine.usecases.job_runner import run_due
from engine.usecases.start_case import StartCase, read_starts, start_case
from tests.support.play import REQUEST, actor, drain
from tests.support.small_package import person, published
from tests.unit.bpmn.coverage.play import boundary, catch, timer
from tests.unit.bpmn.models import flow, node

CASES = 200
# Three timers wait beside each other, drawn in another order than they fall due; a fourth comes
# every day for as long as the task waits.
BODY = (
    node("startEvent", "s")
    + node("parallelGateway", "fork")
    + "".join(
        catch(f"h{hours}", timer(f"PT{hours}H")) + node("endEvent", f"e{hours}")
        for hours in (3, 1, 2)
    )
    + person("a")
    + boundary("daily", "a", timer("R/P1D", "timeCycle"), interrupting=False)
    + node("endEvent", "ea")
    + node("endEvent", "ed")
    + flow("s", "fork")
    + "".join(flow("fork", f"h{h}") + flow(f"h{h}", f"e{h}") for h in (3, 1, 2))
    + flow("fork", "a")
    + flow("a", "ea")
    + flow("daily", "ed")
)
ORDER = ["h1", "h2", "h3", "daily"]


def begun_together(wired: Application, count: int) -> list[Case]:
    """So many cases of the service F001."""
    commands = [StartCase(actor(wired, "citizen"), "F001", REQUEST)] * 50
    cases: list[Case] = []
    while len(cases) < count:
        for each in wired.uow.run_together(start_case, commands, read_starts):
            assert isinstance(each, Case), each
            cases.append(each)
    return cases


def fired(wired: Application) -> dict[str, list[str]]:
    """The timers that every case has passed, in the order of its audit."""
    found: dict[str, list[str]] = {}
    with wired.uow.read() as session:
        rows = session.execute(
            select(Event.case_id, Event.details)
            .where(Event.kind == "process_advanced")
            .order_by(Event.case_id, Event.number)
        )
        for case_id, details in rows:
            passed = [each for each in details["passed"] if each in ORDER]
            found.setdefault(case_id, []).extend(passed)
    return found


def test_all_that_fell_due_in_an_outage(office: Application, clock: SettableClock) -> None:
    """Four workers at once; ten days were missed."""
    published(office, BODY)
    cases = begun_together(office, CASES)
    clock.advance(timedelta(days=10))
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: run_due(office.uow, at_most=10_000), range(4))) >= CASES
    drain(office)
    assert fired(office) == {case.id: ORDER for case in cases}
    with office.uow.read() as session:
        waiting = session.scalars(select(Job.due_at).where(Job.kind == "timer")).all()
        assert len(waiting) == CASES
        assert min(waiting) > clock.now()
        # The cycle goes on a day after it was made up for.
        assert max(waiting) <= clock.now() + timedelta(days=1)
        assert all(first_broken_event(session, case.id) is None for case in cases[:20])
        assert not session.scalar(
            select(func.count()).select_from(Job).where(Job.state.in_(["running", "failed"]))
        )
    assert list(violations(office.uow)) == []
