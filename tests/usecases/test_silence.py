"""What silence means is carried out by the engine, and named in ledger and audit."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.audit import first_broken_event
from engine.store.tables import Case, Incident, Letter, Task
from engine.usecases.incidents import RetryIncident, retry_incident
from engine.usecases.invariants import violations
from engine.usecases.repair import CorrectData, correct_data
from tests.support.clocks import (
    clerk,
    due_of,
    events_of,
    ledger_of,
    line_of,
    published_clocks,
    rungs_waiting,
    verb,
)
from tests.support.play import actor, done, drain, open_task
from tests.support.small_package import begun
from tests.unit.bpmn.models import script_task

RULE = """
[silence.quiet]
rule = "%s"
basis = { zh-CN = "第三十二条", en = "art. 32" }
%s
"""


def pass_days(wired: Application, clock: SettableClock, days: int) -> None:
    clock.advance(timedelta(days=days))
    drain(wired)


def test_consent_completes_the_task_with_the_rules_answers(
    office: Application, clock: SettableClock
) -> None:
    toml = RULE % ("deemed_consent", 'task = "a"\nanswers = { answer = "consents" }')
    published_clocks(office, line_of(("a", clerk("a", limit="step")), ("b", clerk("b"))), toml)
    case = begun(office)
    pass_days(office, clock, 3)
    assert open_task(office, case).element == "a"
    pass_days(office, clock, 1)
    assert open_task(office, case).element == "b"
    with office.uow.read() as session:
        task = session.scalars(select(Task).where(Task.element == "a")).one()
        assert (task.answers, task.finished_by) == ({"answer": "consents"}, "system")
        assert first_broken_event(session, case.id) is None
    assert events_of(office, case, "silence_applied") == [
        {"rule": "deemed_consent", "name": "quiet", "element": "a"}
    ]
    assert list(violations(office.uow)) == []


def test_whoever_answers_in_time_is_not_silent(office: Application, clock: SettableClock) -> None:
    toml = RULE % ("deemed_consent", 'task = "a"\nanswers = { answer = "consents" }')
    published_clocks(office, line_of(("a", clerk("a", limit="step")), ("b", clerk("b"))), toml)
    case = begun(office)
    done(office, case, "a", "foi_officer")
    assert rungs_waiting(office, case) == []
    pass_days(office, clock, 30)
    assert events_of(office, case, "silence_applied") == []
    assert open_task(office, case).element == "b"


def test_acceptance_starts_the_clocks_from_receipt(
    office: Application, clock: SettableClock
) -> None:
    more = 'task = "a"\nanswers = { ok = true }\nstarts = ["legal", "promised"]\nlimit = "reply"'
    body = line_of(("a", clerk("a", limit="step")), ("b", clerk("b")))
    published_clocks(office, body, RULE % ("deemed_accepted", more))
    case = begun(office)
    pass_days(office, clock, 6)
    assert due_of(office, case, "legal") == date(2026, 3, 30)
    (line,) = ledger_of(office, case, "promised")
    assert line.line["reason"] == "deemed_accepted"
    assert line.line["basis"]["en"] == "art. 32"
    assert office.ports.calendar.local_date(line.at) == date(2026, 3, 8)
    assert list(violations(office.uow)) == []


def test_withdrawal_decides_tells_and_ends_the_case(
    office: Application, clock: SettableClock
) -> None:
    toml = '[outcomes]\ngone = { zh-CN = "视为放弃", en = "Withdrawn" }\n' + RULE % (
        "deemed_withdrawn",
        'clock = "legal"\noutcome = "gone"\nletter = "gone"',
    )
    body = line_of(("go", verb("go", "start", "legal", limit="more")), ("a", clerk("a")))
    published_clocks(office, body, toml, ("gone",))
    case = begun(office)
    pass_days(office, clock, 7)
    with office.uow.read() as session:
        assert session.get_one(Case, case.id).state == "open"
    pass_days(office, clock, 1)
    with office.uow.read() as session:
        row = session.get_one(Case, case.id)
        assert (row.state, row.outcome, row.waiting_for) == ("closed", "gone", "nobody")
        assert session.scalars(select(Letter.letter)).all() == ["gone"]
    assert [e.verb for e in ledger_of(office, case, "legal")] == ["start", "stop"]
    assert list(violations(office.uow)) == []


def test_a_timer_of_the_model_names_the_rule(office: Application, clock: SettableClock) -> None:
    # As shipped: nobody tells the applicant within five days what is missing.
    from tests.support.licences import applied

    case = applied(office)
    pass_days(office, clock, 8)
    assert open_task(office, case).element == "examine"
    assert [e["rule"] for e in events_of(office, case, "silence_applied")] == ["deemed_accepted"]
    line = ledger_of(office, case, "legal")[0].line
    assert (line["reason"], line["basis"]["en"]) == (
        "deemed_accepted",
        "Administrative Licence Law, art. 32",
    )


@pytest.mark.parametrize("paused", [False, True])
def test_silence_waits_as_long_as_the_clock_does(
    office: Application, clock: SettableClock, paused: bool
) -> None:
    toml = RULE % ("deemed_consent", 'task = "a"\nanswers = { answer = "consents" }')
    toml += '[clocks.task]\nbuttons = { pause = "caseworker", resume = "caseworker" }\n'
    published_clocks(office, line_of(("a", clerk("a", limit="step")), ("b", clerk("b"))), toml)
    case = begun(office)
    if paused:
        from tests.usecases.test_clock_verbs import press

        press(office, case, "foi_officer", "pause", f"task:{open_task(office, case).key}")
    pass_days(office, clock, 30)
    assert open_task(office, case).element == ("a" if paused else "b")


def test_a_step_that_fails_on_silence_is_one_incident_and_is_done_again(
    office: Application, clock: SettableClock
) -> None:
    toml = RULE % ("deemed_consent", 'task = "a"\nanswers = { answer = "consents" }')
    body = line_of(
        ("a", clerk("a", limit="step")), ("odd", script_task("odd", "share = 1 / nought")),
        ("b", clerk("b")),
    )  # fmt: skip
    published_clocks(office, body, toml)
    case = begun(office)
    correct(office, case, {"nought": 0})
    for _ in range(20):
        pass_days(office, clock, 1)
    with office.uow.read() as session:
        (incident,) = session.scalars(select(Incident).where(Incident.case_id == case.id)).all()
    assert (incident.source, incident.element) == ("job", "odd")
    correct(office, case, {"nought": 2})
    admin = actor(office, "admin")
    office.uow.run(retry_incident, RetryIncident(admin, incident.id))
    drain(office)
    assert open_task(office, case).element == "b"
    assert len(events_of(office, case, "silence_applied")) == 1
    assert list(violations(office.uow)) == []


def correct(wired: Application, case: Case, data: dict[str, int]) -> None:
    wired.uow.run(correct_data, CorrectData(actor(wired, "admin"), case.id, data, "x"))
