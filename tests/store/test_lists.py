"""The lists of a large office: pages without gaps, search, and figures that agree with the rows."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.queries.inbox import inbox, inbox_counts
from engine.store.queries.search import find_cases
from engine.store.tables import Case, FigureSnapshot, Task, User
from engine.store.uow import Work
from engine.usecases.figures import SETTLED, STALE, figures, refresh_figures
from engine.usecases.start_case import StartCase, start_case
from tests.support.play import REQUEST, actor, done, drain, filed, open_task


def undated(work: Work, task_ids: list[str]) -> None:
    for task in work.session.scalars(select(Task).where(Task.id.in_(task_ids))):
        task.due_at = None


@pytest.mark.parametrize("size", [1, 3, 50])
def test_pages_follow_each_other_without_a_gap(
    office: Application, clock: SettableClock, size: int
) -> None:
    tasks = []
    for number in range(9):
        if number % 3 == 0:
            clock.advance(timedelta(days=1))  # three are due on each day
        tasks.append(open_task(office, filed(office)))
    office.uow.run(undated, [task.id for task in tasks[-2:]])
    dated = sorted(tasks[:-2], key=lambda task: (task.due_at or clock.now(), task.id))
    wanted = [task.id for task in dated] + sorted(task.id for task in tasks[-2:])
    clerk, seen, after = actor(office, "foi_officer"), [], None
    while True:
        with office.uow.read() as session:
            page = inbox(session, clerk, "department", after=after, limit=size)
        seen += [row[0].id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == wanted
    with office.uow.read() as session:
        assert inbox(session, clerk, "department", service="C001").rows == []
        assert inbox_counts(session, clerk)["department"] == 9


def test_the_department_that_waits_for_the_applicant_sees_it(office: Application) -> None:
    case = done(
        office, filed(office), "check_request", "foi_officer",
        outcome="correction", correction_fields=["title"], correction_note="please say which one",
    )  # fmt: skip
    clerk, other = actor(office, "foi_officer"), actor(office, "licence_officer")
    with office.uow.read() as session:
        waiting = inbox(session, clerk, "waiting_applicant").rows
        assert [row[1].id for row in waiting] == [case.id]
        assert inbox(session, other, "waiting_applicant").rows == []
        mine = inbox(session, clerk, "done").rows
        assert [row[0].element for row in mine] == ["check_request"]
        assert inbox_counts(session, clerk) == {
            "department": 0, "mine": 0, "waiting_applicant": 1,
        }  # fmt: skip


def test_cases_are_found_by_number_name_and_telephone(office: Application) -> None:
    first, second = filed(office), filed(office, by="citizen2")
    clerk, stranger = actor(office, "foi_officer"), actor(office, "water")
    manager = actor(office, "manager")
    wanted = {
        first.reference: {first.id},
        first.reference.lower()[:9]: {first.id, second.id},
        str(int(second.reference.split("-")[2])): {second.id},
        "张": {first.id},
        "伟": {first.id},  # nobody's name begins so
        "mary": {second.id},
        "13900139000": {second.id},
        "0139": {second.id},
        "%": set(),
        "_": set(),
        "\\": set(),
        "nobody": set(),
        "": {first.id, second.id},
    }
    with office.uow.read() as session:
        for text, ids in wanted.items():
            for who in (clerk, manager):
                assert {case.id for case, _ in find_cases(session, who, text)} == ids, text
            assert find_cases(session, stranger, text) == []
        assert [case.id for case, _ in find_cases(session, clerk)] == [second.id, first.id]
        assert find_cases(session, clerk, state="closed") == []


def namesakes(work: Work, count: int) -> None:
    pattern = work.session.scalars(select(User).where(User.user_name == "citizen")).one()
    for number in range(count):
        work.session.add(
            User(
                id=f"n{number:031}", user_name=f"namesake{number}", display_name=f"张{number}",
                password_hash="", roles=["citizen"], created_at=pattern.created_at,
            )
        )  # fmt: skip


def test_a_common_name_gives_the_newest_cases(office: Application) -> None:
    office.uow.run(namesakes, 250)
    cases = []
    for name in ("namesake3", "citizen2", "namesake7"):
        command = StartCase(actor(office, name), "F001", REQUEST)
        cases.append(office.uow.run(start_case, command))
    for who in ("foi_officer", "manager"):
        with office.uow.read() as session:
            found = [case.id for case, _ in find_cases(session, actor(office, who), "张")]
        assert found == [cases[2].id, cases[0].id]


def test_figures_agree_with_the_cases(office: Application, clock: SettableClock) -> None:
    for number in range(4):
        case = filed(office)
        if number:
            done(office, case, "check_request", "foi_officer", outcome="accept")
    clock.advance(timedelta(days=60))
    drain(office)
    filed(office)
    live = figures(office.uow)
    office.uow.run(refresh_figures, None)
    kept = figures(office.uow)
    assert (kept.cells, kept.months) == (live.cells, live.months)
    with office.uow.read() as session:
        rows = session.scalars(select(Case).where(Case.state == "open", Case.decided_at.is_(None)))
        cases = list(rows)
    assert Counter((case.department, case.service) for case in cases) == {
        key: cell.open for key, cell in live.cells.items()
    }
    late = [case for case in cases if case.legal_due_at and case.legal_due_at < clock.now()]
    assert sum(cell.overdue_legal for cell in live.cells.values()) == len(late)
    # What comes later is seen when it is counted again, or when nobody has counted for long.
    filed(office)
    assert figures(office.uow).cells == live.cells
    clock.advance(STALE + timedelta(seconds=1))
    counts = figures(office.uow).cells.values()
    assert sum(cell.open for cell in counts) == len(cases) + 1


def test_a_month_that_is_over_is_counted_for_the_last_time(
    office: Application, clock: SettableClock
) -> None:
    case = filed(office)
    office.uow.run(decided, case.id)
    month = f"{office.ports.calendar.local_date(clock.now()):%Y-%m}"
    office.uow.run(refresh_figures, None)
    clock.advance(timedelta(days=31) + SETTLED)
    office.uow.run(refresh_figures, None)
    office.uow.run(forget_decisions, None)
    assert figures(office.uow).months[month].closed == 1
    with office.uow.read() as session:
        assert session.get_one(FigureSnapshot, month).at < clock.now() + timedelta(seconds=1)


def decided(work: Work, case_id: str) -> None:
    work.session.get_one(Case, case_id).decided_at = work.now


def forget_decisions(work: Work, _: None) -> None:
    """What a count that looked again would find."""
    for case in work.session.scalars(select(Case).where(Case.decided_at.is_not(None))):
        case.decided_at = work.now
