"""Migrating running cases: previewed, nothing lost, refused with a reason, revertible."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.kernel.errors import MigrationRefused, NotAllowed
from engine.store.tables import Case, Job, Task
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.invariants import violations
from engine.usecases.migrate import (
    MigrateCase,
    Migration,
    RevertMigration,
    migrate_case,
    migrate_cases,
    open_cases,
    preview,
    revert_migration,
)
from tests.support.clocks import (
    clerk,
    clock_of,
    ledger_of,
    line_of,
    published_clocks,
    rungs_waiting,
)
from tests.support.play import actor, done, drain, open_task
from tests.support.small_package import begun, person, published
from tests.unit.bpmn.coverage.play import boundary, end, start, straight, timer

OLD = straight(start(), person("a"), person("b"), end()) + straight(
    boundary("late", "a", timer("P9D"), False), end("reminded")
)
LONGER = straight(start(), person("a"), person("c"), person("b"), end()) + straight(
    boundary("late", "a", timer("P1D"), False), end("reminded")
)
RENAMED = straight(start(), person("d"), person("b"), end()) + straight(
    boundary("late", "d", timer("P9D"), False), end("reminded")
)


def timers(wired: Application) -> list[tuple[str, object]]:
    with wired.uow.read() as session:
        rows = session.scalars(select(Job).where(Job.kind == "timer", Job.state == "waiting"))
        return [(row.payload["element"], row.due_at) for row in rows]


def test_a_migrated_case_keeps_its_claim_timer_and_place(office: Application) -> None:
    old = published(office, OLD)
    case = begun(office)
    officer = actor(office, "foi_officer")
    office.uow.run(claim, ClaimTask(officer, open_task(office, case).id))
    before, due = open_task(office, case), timers(office)
    new = published(office, LONGER)
    migration = Migration(old, new)
    with office.uow.read() as session:
        (outlook,) = preview(session, office.ports, migration, [case.id])
    assert outlook.refusal is None
    assert [(place.element, place.target) for place in outlook.places] == [("a", "a")]
    office.uow.run(migrate_case, MigrateCase(actor(office, "designer"), case.id, migration))
    after = open_task(office, case)
    assert (after.id, after.key, after.assignee_id) == (before.id, before.key, officer.user_id)
    assert timers(office) == due
    done(office, case, "a", "foi_officer")
    assert open_task(office, case).element == "c"


def test_a_place_that_is_gone_is_mapped_or_refused_and_can_be_reverted(
    office: Application,
) -> None:
    old = published(office, OLD)
    case = begun(office)
    new = published(office, RENAMED)
    designer = actor(office, "designer")
    with office.uow.read() as session:
        (outlook,) = preview(session, office.ports, Migration(old, new), [case.id])
    assert outlook.refusal == "element_gone"
    with pytest.raises(MigrationRefused):
        office.uow.run(migrate_case, MigrateCase(designer, case.id, Migration(old, new)))
    mapped = Migration(old, new, {"a": "d"})
    office.uow.run(migrate_case, MigrateCase(designer, case.id, mapped))
    assert open_task(office, case).element == "d"
    assert [element for element, _ in timers(office)] == ["late"]
    office.uow.run(revert_migration, RevertMigration(designer, case.id))
    assert open_task(office, case).element == "a"
    done(office, case, "a", "foi_officer")
    assert open_task(office, case).element == "b"


def test_a_batch_tells_case_by_case(office: Application) -> None:
    old = published(office, OLD)
    cases = [begun(office) for _ in range(3)]
    done(office, cases[2], "a", "foi_officer")
    new = published(office, straight(start(), person("a"), end()))
    with office.uow.read() as session:
        ids = open_cases(session, old)
    seen = []
    report = migrate_cases(
        office.uow, actor(office, "designer"), Migration(old, new), ids, seen.append
    )
    assert [(each.case_id, each.refusal) for each in report] == [
        (cases[0].id, None), (cases[1].id, None), (cases[2].id, "element_gone"),
    ]  # fmt: skip
    assert seen == report
    with office.uow.read() as session:
        versions = session.scalars(select(Case.package_version_id).order_by(Case.received_at))
        assert sorted(versions) == sorted([new, new, old])
        assert session.scalar(select(Task).where(Task.element == "b")) is not None


def test_only_who_may_publish_migrates(small_office: Application) -> None:
    old = published(small_office, OLD)
    case = begun(small_office)
    new = published(small_office, LONGER)
    with pytest.raises(NotAllowed):
        small_office.uow.run(
            migrate_case, MigrateCase(actor(small_office, "foi_lead"), case.id, Migration(old, new))
        )


def test_hundreds_of_cases_migrate_in_one_batch(small_office: Application) -> None:
    old = published(small_office, OLD)
    for _ in range(200):
        begun(small_office)
    new = published(small_office, LONGER)
    with small_office.uow.read() as session:
        ids = open_cases(session, old)
        assert len(ids) == 200
        outlooks = preview(session, small_office.ports, Migration(old, new), ids)
    assert all(outlook.refusal is None for outlook in outlooks)
    report = migrate_cases(
        small_office.uow, actor(small_office, "designer"), Migration(old, new), ids
    )
    assert all(each.refusal is None for each in report)
    assert timedelta(days=8) < min(
        due - small_office.ports.clock.now()  # type: ignore[operator]
        for _, due in timers(small_office)
    )


def test_clocks_know_the_new_names_and_climb_the_new_ladder(
    office: Application, clock: SettableClock
) -> None:
    silence = (
        '[silence.quiet]\nrule = "deemed_consent"\ntask = "%s"\nanswers = { answer = "yes" }\n'
        'basis = { zh-CN = "第三十四条", en = "art. 34" }\n'
    )
    limits = line_of(("a", clerk("a", limit="step")), ("b", clerk("b")))
    old = published_clocks(office, limits, "")
    case = begun(office)
    renamed = line_of(("d", clerk("d", limit="step")), ("b", clerk("b")))
    new = published_clocks(office, renamed, silence % "d")
    assert rungs_waiting(office, case) == []
    mapped = Migration(old, new, {"a": "d"})
    office.uow.run(migrate_case, MigrateCase(actor(office, "designer"), case.id, mapped))
    key = f"task:{open_task(office, case).key}"
    assert clock_of(office, case, key).begun_by == "d"
    assert [entry.verb for entry in ledger_of(office, case, key)] == ["start", "recount"]
    assert len(rungs_waiting(office, case)) == 1
    assert list(violations(office.uow)) == []
    clock.advance(timedelta(days=4))
    drain(office)
    assert open_task(office, case).element == "b"
