"""The check of what must hold finds nothing in order, and everything that is not."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from api.cli import app
from api.wiring import Application
from engine.store.uow import Work
from engine.usecases.invariants import violations
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.support.play import actor, done, drain, filed

DAMAGES: dict[str, str] = {
    "audit_broken": "UPDATE events SET kind = 'x' WHERE case_id = :case",
    "state_unreadable": "UPDATE case_states SET state = x'00' WHERE case_id = :case",
    "state_missing": "DELETE FROM case_states WHERE case_id = :case",
    "row_missing": "DELETE FROM tasks WHERE case_id = :case AND state = 'open'",
    "row_unfounded": "UPDATE tasks SET state = 'open' WHERE case_id = :case AND state = 'done'",
    "clock_differs": "UPDATE cases SET legal_due_at = '2026-01-01 00:00:00' WHERE id = :case",
    "clock_missing": "DELETE FROM sla_clocks WHERE case_id = :case AND `key` LIKE 'task:%'",
    "ledger_missing": "DELETE FROM sla_entries WHERE case_id = :case AND clock = 'legal'",
    "rung_missing": "DELETE FROM jobs WHERE kind = 'clock_rung'",
    "closed_case_waits": "UPDATE cases SET state = 'closed' WHERE id = :case",
    "orphan": "UPDATE events SET case_id = 'nobody' WHERE case_id = :case",
    "lease_dead": "UPDATE jobs SET state = 'running', leased_until = '2020-01-01 00:00:00.000000'",
    "promise_missing": "DELETE FROM jobs WHERE kind IN ('letter', 'mail')",
    "message_stranded": (
        "INSERT INTO messages (id, name, unique_key, data, state, sender, received_at, expires_at) "
        "VALUES ('m', 'paid', 'k', '{}', 'held', 's', '2026-01-01 00:00:00.000000', "
        "'2026-01-02 00:00:00.000000')"
    ),
}


@pytest.fixture
def case_id(office: Application) -> str:
    """A case with a finished task, in an office where all is well."""
    case = done(office, filed(office), "check_request", "foi_officer", outcome="accept")
    withdrawn = filed(office)
    office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), withdrawn.id))
    drain(office)
    filed(office)
    assert list(violations(office.uow)) == []
    return case.id


@pytest.mark.parametrize("code", sorted(DAMAGES))
def test_it_is_noticed(office: Application, case_id: str, code: str) -> None:
    def harm(work: Work, damage: tuple[str, str]) -> None:
        statement, case = damage
        work.session.execute(text(statement), {"case": case} if ":case" in statement else {})

    office.uow.run(harm, (DAMAGES[code], case_id))
    found = list(violations(office.uow))
    assert code in {violation.code for violation in found}


def test_the_doctor_says_so(office: Application, case_id: str) -> None:
    environment = {
        "BANSHI_DATABASE_URL": office.settings.database_url,
        "BANSHI_DATA_DIR": str(office.settings.data_dir),
    }
    right = CliRunner().invoke(app, ["doctor", "--invariants", "--json"], env=environment)
    assert (right.exit_code, json.loads(right.stdout)) == (0, [])

    def harm(work: Work, _: None) -> None:
        work.session.execute(text(DAMAGES["row_missing"]), {"case": case_id})

    office.uow.run(harm, None)
    wrong = CliRunner().invoke(app, ["doctor", "--invariants", "--json"], env=environment)
    assert wrong.exit_code == 1
    assert {each["key"] for each in json.loads(wrong.stdout)} == {case_id}
