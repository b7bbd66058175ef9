"""The ladder of a case: each told once, nothing lost after a long sleep, and no storm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store import jobs
from engine.store.queries.notices import notices_of, unread_count
from engine.store.tables import Case, ClockRow, Job, Letter, Task, User
from engine.store.uow import Work
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.invariants import violations
from engine.usecases.notices import ReadNotices, read_notices
from tests.support.clocks import (
    clerk,
    clock_of,
    events_of,
    line_of,
    notices_of_case,
    published_clocks,
    rungs_waiting,
    verb,
)
from tests.support.play import actor, done, drain, open_task
from tests.support.small_package import begun

TOML = """
[clocks.legal]
limit = "reply"
[[ladder]]
clock = "legal"
at = "half"
to = "assignee"
[[ladder]]
clock = "legal"
at = "-3wd"
to = ["assignee", "supervisor"]
raise_priority = true
[[ladder]]
clock = "legal"
at = "0"
to = ["assignee", "manager"]
[[ladder]]
clock = "legal"
at = "+1wd"
to = ["applicant", "department:SUPERVISION"]
letter = "late"
"""
BODY = line_of(
    ("go", verb("go", "start", "legal")), ("a", clerk("a")),
    ("hold", verb("hold", "pause", "legal", name="x")), ("b", clerk("b")),
    ("on", verb("on", "resume", "legal", name="x")), ("c", clerk("c")),
)  # fmt: skip


@pytest.fixture
def case(office: Application) -> Case:
    """Filed on 2 March 2026: half on the 16th, due on the 30th, three days before on the 25th."""
    published_clocks(office, BODY, TOML, ("late",))
    return begun(office)


def told(wired: Application, case: Case) -> list[tuple[str, str, str]]:
    """Day, rung and recipient of the case's notices."""
    with wired.uow.read() as session:
        names = {user.id: user.user_name for user in session.scalars(select(User))}
    return sorted(
        (
            f"{each.created_at.astimezone(wired.ports.calendar.zone):%m-%d %H:%M}",
            each.rung,
            names.get(each.user_id or "") or str(each.department),
        )
        for each in notices_of_case(wired, case)
    )


def until(wired: Application, clock: SettableClock, day: datetime) -> None:
    """Let time pass, with a worker that is always there."""
    while True:
        with wired.uow.read() as session:
            due = jobs.next_due(session)
        if due is None or due > day:
            break
        clock.set(max(due, clock.now()))
        drain(wired)
    clock.set(day)


def test_each_rung_is_told_once_by_one_job(
    office: Application, case: Case, clock: SettableClock
) -> None:
    task, officer = open_task(office, case), actor(office, "foi_officer")
    until(office, clock, datetime(2026, 3, 20, 4, tzinfo=UTC))
    assert told(office, case) == [("03-16 09:00", "half", "FOI")]
    office.uow.run(claim, ClaimTask(officer, task.id))
    for day in range(21, 32):
        waiting = rungs_waiting(office, case)
        assert len(waiting) <= 1
        until(office, clock, datetime(2026, 3, day, 4, tzinfo=UTC))
        drain(office)
    assert told(office, case) == [
        ("03-16 09:00", "half", "FOI"),
        ("03-25 09:00", "-3wd", "foi_lead"),
        ("03-25 09:00", "-3wd", "foi_officer"),
        ("03-31 00:00", "0", "*"),
        ("03-31 00:00", "0", "foi_officer"),
        ("03-31 09:00", "+1wd", "SUPERVISION"),
    ]
    assert rungs_waiting(office, case) == []
    with office.uow.read() as session:
        assert session.get_one(Task, task.id).priority == 2
        letters = session.scalars(select(Letter).where(Letter.letter == "late")).all()
    assert [letter.to_applicant for letter in letters] == [True]
    assert [e["rung"] for e in events_of(office, case, "clock_warned")] == ["half", "-3wd"]
    assert [e["rung"] for e in events_of(office, case, "clock_breached")] == ["0", "+1wd"]
    assert list(violations(office.uow)) == []


def test_after_a_long_sleep_everybody_gets_the_strongest_and_only_that(
    office: Application, case: Case, clock: SettableClock
) -> None:
    clock.advance(timedelta(days=60))
    drain(office)
    # The department stood on three rungs, its head on one, the office's managers on one.
    assert [(rung, who) for _, rung, who in told(office, case)] == [
        ("+1wd", "SUPERVISION"),
        ("-3wd", "foi_lead"),
        ("0", "*"),
        ("0", "FOI"),
    ]
    clock.advance(timedelta(days=60))
    drain(office)
    assert len(told(office, case)) == 4
    assert len(events_of(office, case, "clock_breached")) == 1
    assert list(violations(office.uow)) == []


def test_a_clock_that_moves_takes_its_rungs_with_it(
    office: Application, case: Case, clock: SettableClock
) -> None:
    until(office, clock, datetime(2026, 3, 24, 4, tzinfo=UTC))
    done(office, case, "a", "foi_officer")
    assert rungs_waiting(office, case) == []  # paused
    until(office, clock, datetime(2026, 4, 24, 4, tzinfo=UTC))
    assert [rung for _, rung, _ in told(office, case)] == ["half"]
    done(office, case, "b", "foi_officer")
    until(office, clock, datetime(2026, 4, 28, 4, tzinfo=UTC))
    # Due on 30 April now: three days before it is the 27th.
    assert [day for day, rung, _ in told(office, case) if rung == "-3wd"] == ["04-27 09:00"] * 2
    assert len(rungs_waiting(office, case)) == 1
    assert list(violations(office.uow)) == []


def test_an_old_job_does_nothing(office: Application, case: Case, clock: SettableClock) -> None:
    (first,) = rungs_waiting(office, case)

    def again(work: Work, _: None) -> None:
        jobs.promise(
            work, "clock_rung", "old", {"clock": "legal", "at": "2026-03-05T01:00:00+00:00"},
            case_id=case.id,
        )  # fmt: skip

    office.uow.run(again, None)
    drain(office)
    assert told(office, case) == []
    assert [job.unique_key for job in rungs_waiting(office, case)] == [first.unique_key]


def test_a_warning_promised_by_an_earlier_version_begins_the_ladder(
    office: Application, case: Case, clock: SettableClock
) -> None:
    legal = clock_of(office, case, "legal")

    def as_before(work: Work, _: None) -> None:
        # As migration leaves it: the old job waits, and the clock's row knows of no rung.
        work.session.execute(
            update(ClockRow).where(ClockRow.case_id == case.id).values(next_rung_at=None)
        )
        work.session.execute(Job.__table__.delete().where(Job.kind == "clock_rung"))
        payload: dict[str, Any] = {
            "clock": "legal", "due": legal.due_at.isoformat(), "kind": "warning",
        }  # fmt: skip
        due = datetime(2026, 3, 25, 16, tzinfo=UTC)
        jobs.promise(
            work, "clock_warning", f"warning:{case.id}", payload, case_id=case.id, due_at=due
        )

    office.uow.run(as_before, None)
    until(office, clock, datetime(2026, 3, 26, 4, tzinfo=UTC))
    assert {rung for _, rung, _ in told(office, case)} == {"-3wd"}
    until(office, clock, datetime(2026, 4, 2, 4, tzinfo=UTC))
    assert {rung for _, rung, _ in told(office, case)} == {"-3wd", "0", "+1wd"}


def test_a_package_without_a_ladder_has_the_usual_one(
    office: Application, clock: SettableClock
) -> None:
    published_clocks(
        office, line_of(("go", verb("go", "start", limit="reply")), ("a", clerk("a"))), ""
    )
    case = begun(office)
    until(office, clock, datetime(2026, 4, 2, 4, tzinfo=UTC))
    assert told(office, case) == [
        ("03-18 09:00", "-3wd", "FOI"),
        ("03-24 00:00", "0", "FOI"),
        ("03-24 00:00", "0", "foi_lead"),
        ("03-25 09:00", "-3wd", "FOI"),
        ("03-31 00:00", "0", "FOI"),
        ("03-31 00:00", "0", "foi_lead"),
    ]


def test_notices_are_read_once_and_mailed_where_there_is_an_address(
    office: Application, case: Case, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(
        office.ports.mailer, "send", lambda to, subject, body, id_: sent.append((to, subject)),
        raising=False,
    )  # fmt: skip
    lead, officer = actor(office, "foi_lead"), actor(office, "foi_officer")

    def address(work: Work, _: None) -> None:
        work.session.execute(
            update(User)
            .where(User.id == lead.user_id)
            .values(email="lead@example.org", locale="en")
        )

    office.uow.run(address, None)
    until(office, clock, datetime(2026, 3, 26, 4, tzinfo=UTC))
    drain(office)
    assert sent == [
        ("lead@example.org", f"Legal date 30 March 2026: 3 working days left · {case.reference}")
    ]
    with office.uow.read() as session:
        assert [n.rung for n in notices_of(session, lead)] == ["-3wd", "-3wd", "half"]
        assert [n.rung for n in notices_of(session, officer)] == ["-3wd", "half"]
        assert notices_of(session, actor(office, "roads")) == []
        first = notices_of(session, officer, limit=1)[0]
        assert [n.rung for n in notices_of(session, officer, after=first.id)] == ["half"]
    # Who of a department reads it first has read it for all.
    assert office.uow.run(read_notices, ReadNotices(officer, (first.id,))) == 1
    assert office.uow.run(read_notices, ReadNotices(actor(office, "roads"))) == 0
    with office.uow.read() as session:
        assert unread_count(session, officer) == 1
        assert unread_count(session, lead) == 2
    assert office.uow.run(read_notices, ReadNotices(lead)) == 2
    with office.uow.read() as session:
        assert notices_of(session, officer, unread=True) == []
