"""Archived and brought back a case is what it was; archived it reads as it did."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from typer.testing import CliRunner

from api.cli import app
from api.wiring import Application
from engine.domain.access import Actor
from engine.kernel.clock import SettableClock
from engine.kernel.errors import ArchiveDamaged
from engine.store.archive import LEFT, PACKED
from engine.store.queries import case_record as queries
from engine.store.queries.case_record import CaseRecord, case_record
from engine.store.queries.search import find_cases
from engine.store.tables import (
    ArchivedCase,
    ArchivedDepartment,
    Base,
    Case,
    Event,
    Incident,
    Job,
)
from engine.store.uow import ReadSession, Work
from engine.usecases import archive as module
from engine.usecases.archive import (
    ArchiveCases,
    Archived,
    UnarchiveCase,
    archive_cases,
    archive_closed,
    count_archivable,
    unarchive_case,
)
from engine.usecases.invariants import violations
from tests.support.databases import everything
from tests.support.play import actor, filed

CLERK = Actor("shell", "shell", "shell", frozenset({"administrator"}))
_LINES = ("case_archived", "case_unarchived")
_OWN = ("archived_at", "events", "head")
"""What archiving changes in the row of the case itself."""


def archive(wired: Application, before: datetime | None = None) -> Archived:
    made = archive_closed(wired.uow, CLERK, before or wired.ports.clock.now())
    assert made.failed == {}
    return made


def closed_ids(wired: Application) -> list[str]:
    with wired.uow.read() as session:
        return list(session.scalars(select(Case.id).where(Case.state != "open").order_by(Case.id)))


def rows_of(wired: Application) -> dict[str, set[str]]:
    """Every row but the two lines that archiving adds to an audit, and what counts them."""
    columns = [column.name for column in Case.__table__.columns]
    kept: dict[str, set[str]] = {}
    for table, rows in everything(wired.settings.database_url).items():
        kept[table] = {repr(row) for row in rows}
        if table == "cases":
            kept[table] = {
                repr([v for c, v in zip(columns, row, strict=True) if c not in _OWN])
                for row in rows
            }
        if table == "events":
            kept[table] = {repr(r) for r in rows if "archived" not in r[2]}
    return kept


def shown(record: CaseRecord) -> dict[str, Any]:
    """Everything in the record, as values."""

    def values(row: Any) -> Any:
        if isinstance(row, Base):
            return {
                column.key: getattr(row, column.key)
                for column in type(row).__mapper__.column_attrs
                if column.key not in _OWN
            }
        return (
            [values(each) for each in row if getattr(each, "kind", "") not in _LINES]
            if isinstance(row, list)
            else row
        )

    return {name: values(value) for name, value in vars(record).items()}


def records(wired: Application) -> dict[str, dict[str, Any]]:
    manager = actor(wired, "manager")
    with wired.uow.read() as session:
        return {id_: shown(case_record(session, manager, id_)) for id_ in closed_ids(wired)}


def test_there_and_back_is_the_identity(old_office: Application) -> None:
    before, known = rows_of(old_office), records(old_office)
    ids = closed_ids(old_office)
    assert len(ids) >= 10
    assert archive(old_office).count == len(ids)
    assert list(violations(old_office.uow)) == []
    with old_office.uow.read() as session:
        for entity in PACKED:
            left = select(func.count()).where(entity.case_id.in_(ids))  # type: ignore[attr-defined]
            assert session.scalar(left) == 0, entity.__tablename__
    assert records(old_office) == known
    for id_ in ids:
        old_office.uow.run(unarchive_case, UnarchiveCase(CLERK, id_))
    assert rows_of(old_office) == before
    assert records(old_office) == known
    assert list(violations(old_office.uow)) == []
    with old_office.uow.read() as session:
        kinds = Counter(session.scalars(select(Event.kind)))
    assert [kinds[line] for line in _LINES] == [len(ids), len(ids)]


def test_every_table_of_cases_is_archived_or_left_for_a_reason() -> None:
    of_cases = {
        mapper.class_
        for mapper in Base.registry.mappers
        if "case_id" in mapper.local_table.columns  # type: ignore[attr-defined]
    }
    assert of_cases == {*PACKED, *LEFT}
    assert not set(PACKED) & set(LEFT)


def test_again_changes_nothing(small_old_office: Application) -> None:
    archive(small_old_office)
    before = everything(small_old_office.settings.database_url)
    ids = closed_ids(small_old_office)
    assert archive(small_old_office).count == 0
    again = ArchiveCases(CLERK, ids, small_old_office.ports.clock.now())
    assert small_old_office.uow.run(archive_cases, again) == 0
    assert everything(small_old_office.settings.database_url) == before
    for _ in range(2):
        small_old_office.uow.run(unarchive_case, UnarchiveCase(CLERK, ids[0]))
    assert archive(small_old_office).count == 1
    assert list(violations(small_old_office.uow)) == []


def test_what_still_has_work_or_is_young_stays(
    small_old_office: Application, clock: SettableClock
) -> None:
    filed(small_old_office)
    first, second, third, young, *others = closed_ids(small_old_office)

    def busy(work: Work, _: None) -> None:
        session = work.session
        job = session.scalars(select(Job).where(Job.case_id == first).limit(1)).one()
        job.state = "failed"
        other = session.scalars(select(Job).where(Job.case_id == second).limit(1)).one()
        other.state, other.due_at = "waiting", work.now + timedelta(days=900)
        session.add(
            Incident(
                id="i" * 32, case_id=third, reason="unexpected", detail="", source="task",
                payload={}, state="open", created_at=work.now,
            )
        )  # fmt: skip
        closed = work.now - timedelta(days=29)
        session.execute(update(Case).where(Case.id == young).values(closed_at=closed))

    small_old_office.uow.run(busy, None)
    now = clock.now()
    with small_old_office.uow.read() as session:
        assert count_archivable(session, now - timedelta(days=30)) == len(others)
    assert archive(small_old_office).count == len(others)
    one_by_one = ArchiveCases(CLERK, [first, second, third, young], now)
    assert small_old_office.uow.run(archive_cases, one_by_one) == 0
    with small_old_office.uow.read() as session:
        archived = set(session.scalars(select(ArchivedCase.case_id)))
    assert archived == set(others)


def test_a_department_still_finds_its_archived_cases(old_office: Application) -> None:
    def found() -> dict[str, list[str]]:
        with old_office.uow.read() as session:
            people = [actor(old_office, name) for name in ("foi_officer", "roads", "manager")]
            return {
                person.user_name: [case.reference for case, _ in find_cases(session, person)]
                for person in people
            }

    before = found()
    assert all(before.values())
    assert before["roads"] != before["foi_officer"]
    archive(old_office)
    assert found() == before
    with old_office.uow.read() as session:
        reference = before["roads"][0]
        assert [c.reference for c, _ in find_cases(session, actor(old_office, "roads"), reference)]
        case = session.scalars(select(Case).where(Case.reference == reference)).one()
        assert queries.visible_case(session, actor(old_office, "roads"), case.id)
        departments = select(ArchivedDepartment.department).where(
            ArchivedDepartment.case_id == case.id
        )
        assert queries.departments_of(session, case.id) == set(session.scalars(departments))


def test_stopped_it_has_done_whole_batches(
    small_old_office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.usecases.archive.BATCH", 4)
    asked = iter([False, False, True])
    made = archive_closed(
        small_old_office.uow, CLERK, small_old_office.ports.clock.now(), stop=lambda: next(asked)
    )
    assert made.count == 8
    assert list(violations(small_old_office.uow)) == []
    assert archive(small_old_office).count == len(closed_ids(small_old_office)) - 8


def test_one_that_cannot_be_packed_does_not_keep_the_others(
    small_old_office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = closed_ids(small_old_office)[3]
    pack = module.pack

    def refuse(rows: Any) -> Any:
        if rows["events"][1][0][0] == bad:
            raise RuntimeError("too large")
        return pack(rows)

    monkeypatch.setattr(module, "pack", refuse)
    made = archive_closed(small_old_office.uow, CLERK, small_old_office.ports.clock.now())
    assert made.failed == {bad: "RuntimeError: too large"}
    assert made.count == len(closed_ids(small_old_office)) - 1
    assert list(violations(small_old_office.uow)) == []


def test_a_reader_sees_the_case_before_or_after(
    old_office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is archived after its row was read and before the others were."""
    known, first = records(old_office), closed_ids(old_office)[0]
    original = queries.visible_case

    def slow(session: ReadSession, who: Actor, case_id: str) -> Case:
        case = original(session, who, case_id)
        archive(old_office)
        return case

    manager = actor(old_office, "manager")
    monkeypatch.setattr(queries, "visible_case", slow)
    with old_office.uow.read() as session:
        assert shown(case_record(session, manager, first)) == known[first]


DAMAGES = {
    "archive_damaged": update(ArchivedCase).values(sha256="0" * 64),
    "audit_broken": update(Case).where(Case.archived_at.is_not(None)).values(head="0" * 64),
    "archive_unfounded": update(Case).values(archived_at=None),
    "orphan": update(ArchivedCase).values(case_id="nobody"),
    "archived_case_has_rows": update(Event).values(case_id=select(ArchivedCase.case_id).limit(1)
                                                   .scalar_subquery()),
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(DAMAGES))
def test_damage_is_noticed(small_old_office: Application, code: str) -> None:
    first, second, *_ = closed_ids(small_old_office)
    now = small_old_office.ports.clock.now()
    small_old_office.uow.run(archive_cases, ArchiveCases(CLERK, [first], now))
    assert list(violations(small_old_office.uow)) == []

    def harm(work: Work, _: None) -> None:
        if code == "archived_case_has_rows":
            work.session.execute(delete(Event).where(Event.case_id != second))
        work.session.execute(DAMAGES[code])

    small_old_office.uow.run(harm, None)
    assert code in {each.code for each in violations(small_old_office.uow)}
    if code == "archive_damaged":
        with small_old_office.uow.read() as session, pytest.raises(ArchiveDamaged):
            case_record(session, actor(small_old_office, "manager"), first)


def test_the_commands(small_old_office: Application) -> None:
    environment = {
        "BANSHI_DATABASE_URL": small_old_office.settings.database_url,
        "BANSHI_DATA_DIR": str(small_old_office.settings.data_dir),
    }

    def run(*arguments: str) -> tuple[int, str]:
        made = CliRunner().invoke(app, list(arguments), env=environment)
        return made.exit_code, " ".join(made.stdout.split())

    assert run("archive")[0] == 1
    assert run("archive", "--older-than", "3 years")[0] == 1
    assert run("archive", "--closed-before", "yesterday")[0] == 1
    assert "Archived 0 cases" in run("archive", "--older-than", "90y")[1]
    with small_old_office.uow.read() as session:
        closed = [row.closed_at for row in session.scalars(select(Case)) if row.closed_at]
        reference = session.scalars(select(Case.reference).where(Case.state != "open")).first()
    small_old_office.uow.run(_age, None)
    code, said = run("archive", "--older-than", "1y")
    assert (code, f"Archived {len(closed)} cases" in said) == (0, True)
    assert run("doctor", "--invariants")[0] == 0
    assert run("unarchive", "XX-2026-0000000-0")[0] == 1
    assert "is back" in run("unarchive", str(reference).lower())[1]
    assert "Archived 1 cases" in run("archive", "--closed-before", "2025-06-01")[1]


def _age(work: Work, _: None) -> None:
    """The shell has the real clock."""
    closed = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
    work.session.execute(update(Case).where(Case.state != "open").values(closed_at=closed))
