"""The made-up city: its rows hold together, and what it says of itself is in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from api.demo.city import CityNotEmpty, LoadCity, load_city
from api.wiring import Application
from engine.store.queries.inbox import inbox
from engine.store.tables import Case, Rating, Task, User
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.invariants import violations
from tests.support.play import actor, filed

COMMAND = LoadCity(cases=600, years=1.0, backlog=0.2)


def test_everything_in_it_holds_and_goes_on(office: Application) -> None:
    told: list[int] = []
    rows = load_city(office, COMMAND, told.append)
    assert sum(told) == rows["cases"] == 600
    assert list(violations(office.uow)) == []
    with office.uow.read() as session:
        share = session.scalar(select(func.count()).where(Case.state == "open"))
        assert share
        assert 0.1 < share / 600 < 0.3
        case_id = session.scalars(
            select(Task.case_id).where(Task.element == "check", Task.state == "open")
        ).first()
        task = session.scalars(select(Task).where(Task.case_id == case_id)).one()
        page = inbox(session, actor(office, "city_hall_1"), "department")
        assert len(page.rows) > 20
    # An open case goes on through the real product, and a new one gets the next number.
    answers = {"check": {"complete": True}, "examine": {"proposal": "granted"}}
    for element in ("check", "examine", "sign"):
        with office.uow.read() as session:
            task = session.scalars(
                select(Task).where(Task.case_id == case_id, Task.state == "open")
            ).one()
            holder = session.get(User, task.assignee_id) if task.assignee_id else None
        who = "lead" if element == "sign" else "1"
        name = holder.user_name if holder else f"city_{str(task.department).lower()}_{who}"
        clerk = actor(office, name)
        office.uow.run(claim, ClaimTask(clerk, task.id))
        given = answers.get(element, {"outcome": "granted"})
        case = office.uow.run(complete, CompleteTask(clerk, task.id, given))
    assert (case.state, case.outcome) == ("closed", "granted")
    assert filed(office).reference
    assert list(violations(office.uow)) == []
    with pytest.raises(CityNotEmpty):
        load_city(office, COMMAND)


def test_it_is_as_regular_as_it_says(small_office: Application) -> None:
    load_city(small_office, LoadCity(cases=6_000, years=2.0, backlog=0.0))
    onward = {
        (each.source, each.target): each.prior for each in small_office.ports.catalogue.relations
    }
    with small_office.uow.read() as session:
        cases = list(session.scalars(select(Case).order_by(Case.received_at)))
        grades = defaultdict(list)
        for case, grade in session.execute(
            select(Case, Rating.grade).join(Rating, Rating.case_id == Case.id)
        ):
            late = case.promised_due_at and case.decided_at > case.promised_due_at
            grades[bool(late)].append(grade)
    histories = defaultdict(list)
    for case in cases:
        histories[case.applicant_id].append(case.service)
    pairs = Counter(pair for each in histories.values() for pair in pairwise(each))
    followed = sum(count for pair, count in pairs.items() if pair in onward)
    assert followed > 0.95 * pairs.total()
    assert sum(grades[True]) / len(grades[True]) < sum(grades[False]) / len(grades[False]) - 0.5
    working = Counter(
        small_office.ports.calendar.is_working_day(
            small_office.ports.calendar.local_date(case.received_at)
        )
        for case in {case.applicant_id: case for case in reversed(cases)}.values()
    )
    assert working[True] > 5 * working[False]


def test_the_same_seed_gives_the_same_city(
    small_office: Application, tmp_path_factory: pytest.TempPathFactory
) -> None:
    load_city(small_office, LoadCity(cases=200, years=1.0, seed=7))
    first = _cases(small_office)
    again = _another(small_office, tmp_path_factory)
    assert again == first


def _cases(office: Application) -> list[tuple[str, str, str]]:
    with office.uow.read() as session:
        rows = session.scalars(select(Case).order_by(Case.reference))
        return [(row.id, row.reference, row.service) for row in rows]


def _another(office: Application, folders: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    from api.demo.office import open_office
    from api.migrations import migrate
    from api.settings import read_settings
    from api.wiring import wire
    from api.worker.waker import ThreadWaker

    folder = folders.mktemp("city")
    settings = read_settings({"BANSHI_DATA_DIR": str(folder), "BANSHI_DEMO": "1"})
    other = wire(settings, office.ports.clock, ThreadWaker())
    try:
        migrate(other.engine)
        open_office(other)
        load_city(other, LoadCity(cases=200, years=1.0, seed=7))
        return _cases(other)
    finally:
        other.close()
