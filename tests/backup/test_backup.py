"""A backup holds everything, and comes back whole on either kind of database."""

from __future__ import annotations

import hashlib
import io
import stat
import subprocess
import tarfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from api.backup import restoring
from api.backup.restoring import DatabaseNotEmpty, Restore, RowRefused, restore
from api.backup.taking import Stopped, Watch, file_name, take_backup
from api.migrations import SchemaUnfit, check_schema, migrate
from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store import jobs
from engine.store.facts import RESTORED, read_fact
from engine.store.tables import Case, Document, Event, ExternalJob, Job, Letter, UserSession
from engine.store.uow import Work
from engine.usecases.after_restore import (
    ReleaseJobs,
    SettleRestored,
    held_jobs,
    held_kinds,
    release_jobs,
    settle_restored,
)
from engine.usecases.documents import StoreDocument, store_document
from engine.usecases.invariants import violations
from engine.usecases.people import OpenSession, open_session
from engine.usecases.withdraw import WithdrawCase, withdraw
from tests.support.databases import everything, fresh_database, opened
from tests.support.play import actor, done, drain, filed, open_task
from tests.support.small_package import begun, published
from tests.unit.bpmn.models import END, START, path

KINDS = ("sqlite", "mariadb")
YEAR = timedelta(days=365)
CHANGED_BY_RESTORE = ("installation_facts", "user_sessions", "jobs", "external_jobs")


def url_of(wired: Application) -> str:
    return wired.settings.database_url


def external() -> str:
    """A process that waits for a job worker."""
    call = (
        '<bpmn:serviceTask xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="call" '
        'camunda:type="external" camunda:topic="orders"/>'
    )
    return START + call + END + path("begin", "call", "finish")


def lived_in(wired: Application) -> Case:
    """Cases open, decided and withdrawn, letters, an uploaded file, a session; the open case."""
    case = done(wired, filed(wired), "check_request", "foi_officer", outcome="accept")
    withdrawn = filed(wired)
    wired.uow.run(withdraw, WithdrawCase(actor(wired, "citizen"), withdrawn.id))
    drain(wired)
    content = io.BytesIO(b"%PDF-1.4 " + bytes(range(256)) * 40)
    wired.uow.run(store_document, StoreDocument(actor(wired, "citizen"), "计划.pdf", content))
    wired.uow.run(open_session, OpenSession(actor(wired, "citizen").user_id))
    return case


@pytest.fixture(params=KINDS)
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    server = request.getfixturevalue("mariadb_url") if request.param == "mariadb" else None
    with fresh_database(request.param, tmp_path, server) as url:
        yield url


def test_it_comes_back_on_either_kind(
    office: Application, other_url: str, tmp_path: Path, clock: SettableClock
) -> None:
    case = lived_in(office)
    file = tmp_path / file_name(office)
    taken = take_backup(office, file)
    assert taken.tables["cases"] == 2
    assert (taken.files, taken.missing, taken.damaged) == (1, 0, 0)
    with opened(other_url, tmp_path / "other", clock) as copy:
        restored = restore(copy, Restore(file))
        assert restored == taken
        assert everything(other_url, CHANGED_BY_RESTORE) == everything(
            url_of(office), CHANGED_BY_RESTORE
        )
        assert list(violations(copy.uow)) == []
        with copy.uow.read() as session:
            document = session.scalars(select(Document)).one()
            with copy.ports.files.open(document.storage_key) as content:
                assert hashlib.sha256(content.read()).hexdigest() == document.sha256
            kept = read_fact(session, RESTORED)
            assert kept["taken_at"] == clock.now().isoformat()
        # Work goes on where it was.
        task = open_task(copy, case)
        assert task.case_id == case.id
        copy.uow.run(withdraw, WithdrawCase(actor(copy, "citizen"), case.id))
        drain(copy)
        assert list(violations(copy.uow)) == []


def test_nobody_is_signed_in_or_at_work_after_a_restore(
    office: Application, tmp_path: Path, clock: SettableClock
) -> None:
    lived_in(office)
    published(office, external())
    begun(office)
    office.uow.run(jobs.lease_due, jobs.LeaseDue("dead", ["timers"], 5, clock.now() + YEAR))
    office.uow.run(_lock_external, "worker-1")
    file = tmp_path / "b.tar"
    take_backup(office, file)
    restore(office, Restore(file, replace=True))
    with office.uow.read() as session:
        assert session.scalar(select(func.count()).select_from(UserSession)) == 0
        unfinished = select(Job).where(Job.finished_at.is_(None))
        found = {(job.state, job.leased_by) for job in session.scalars(unfinished)}
        assert found == {("waiting", None)}
        assert [row.worker for row in session.scalars(select(ExternalJob))] == [None]


def _lock_external(work: Work, worker: str) -> None:
    work.session.execute(
        update(ExternalJob).values(worker=worker, locked_until=work.now + timedelta(hours=1))
    )


@pytest.mark.parametrize("as_sent", [True, False])
def test_what_was_sent_before_is_not_sent_again(
    office: Application, tmp_path: Path, as_sent: bool
) -> None:
    """Jobs that were done stay done; those that waited are run once, and when they are released."""
    filed(office)
    drain(office)
    outbox = tmp_path / "outbox"
    before = {each.name for each in outbox.iterdir()}
    assert before
    late = filed(office)
    file = tmp_path / "b.tar"
    take_backup(office, file)
    drain(office)
    after = {each.name for each in outbox.iterdir()}
    assert len(after) > len(before)
    for each in outbox.iterdir():
        each.unlink()
    restore(office, Restore(file, replace=True, hold=True))
    drain(office)
    # The letter was rendered; the mail waits for an operator.
    assert list(outbox.iterdir()) == []
    assert list(violations(office.uow)) == []
    with office.uow.read() as session:
        assert {row.state for row in session.scalars(select(Letter))} == {"sent"}
        waiting = session.scalars(select(Job).where(Job.state == "waiting", Job.kind == "mail"))
        assert {job.case_id for job in waiting} == {late.id}
        held = held_jobs(session)
    assert [(job.kind, job.reference) for job in held] == [("mail", late.reference)]
    assert office.uow.run(release_jobs, ReleaseJobs(as_sent)) == len(held) * as_sent
    drain(office)
    assert len(list(outbox.iterdir())) == len(held) * (not as_sent)
    assert list(violations(office.uow)) == []
    with office.uow.read() as session:
        assert (held_kinds(session), held_jobs(session)) == ([], [])


def test_timers_go_on_while_what_goes_out_is_held(
    office: Application, clock: SettableClock
) -> None:
    case = filed(office)
    office.uow.run(settle_restored, SettleRestored({}, hold=True))
    drain(office)
    with office.uow.read() as session:
        due = session.scalars(
            select(Job.due_at).where(Job.case_id == case.id, Job.kind == "clock_rung")
        ).first()
    assert due is not None
    clock.set(due)
    drain(office)
    with office.uow.read() as session:
        kinds = set(session.scalars(select(Event.kind).where(Event.case_id == case.id)))
        assert "clock_warned" in kinds
        assert {job.kind for job in held_jobs(session)} == {"mail"}


def test_a_full_database_is_left_alone(office: Application, tmp_path: Path) -> None:
    lived_in(office)
    file = tmp_path / "b.tar"
    take_backup(office, file)
    before = everything(url_of(office))
    with pytest.raises(DatabaseNotEmpty):
        restore(office, Restore(file))
    assert everything(url_of(office)) == before


def test_tables_without_rows_are_empty(
    other_url: str, small_office: Application, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar"
    take_backup(small_office, file)
    with opened(other_url, tmp_path / "other") as copy:
        migrate(copy.engine)
        restore(copy, Restore(file))


def test_a_restore_that_was_stopped_keeps_the_product_from_starting(
    office: Application, tmp_path: Path
) -> None:
    lived_in(office)
    file = tmp_path / "b.tar"
    taken = take_backup(office, file)
    stop = threading.Event()
    watch = restoring.Watch(rows=lambda count: stop.set())
    with pytest.raises(Stopped):
        restore(office, Restore(file, replace=True), watch, stop)
    for refused in (check_schema, migrate):
        with pytest.raises(SchemaUnfit, match="begun and not finished"):
            refused(office.engine)
    with pytest.raises(SchemaUnfit):
        take_backup(office, tmp_path / "second.tar")
    assert restore(office, Restore(file, replace=True)) == taken
    check_schema(office.engine)
    assert list(violations(office.uow)) == []


def test_a_row_that_only_the_other_kind_takes(
    small_office: Application, mariadb_url: str, tmp_path: Path
) -> None:
    """SQLite keeps a text that is longer than its column."""
    filed(small_office)

    def lengthen(work: Work, _: None) -> None:
        work.session.execute(update(Case).values(business_key="x" * 300))

    small_office.uow.run(lengthen, None)
    take_backup(small_office, tmp_path / "b.tar")
    with (
        fresh_database("mariadb", tmp_path, mariadb_url) as url,
        opened(url, tmp_path / "other") as copy,
    ):
        with pytest.raises(RowRefused, match=r"^cases: .*business_key"):
            restore(copy, Restore(tmp_path / "b.tar"))
        with pytest.raises(SchemaUnfit):
            check_schema(copy.engine)


def test_only_its_owner_reads_the_file_and_a_stopped_one_leaves_nothing(
    office: Application, tmp_path: Path
) -> None:
    lived_in(office)
    folder = tmp_path / "backups"
    folder.mkdir()
    stop = threading.Event()
    with pytest.raises(Stopped):
        take_backup(office, folder / "b.tar", Watch(rows=lambda count: stop.set()), stop)
    assert list(folder.iterdir()) == []
    take_backup(office, folder / "b.tar")
    assert [each.name for each in folder.iterdir()] == ["b.tar"]
    assert stat.S_IMODE((folder / "b.tar").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        take_backup(office, folder / "b.tar")


def test_it_can_be_read_without_the_product(office: Application, tmp_path: Path) -> None:
    lived_in(office)
    take_backup(office, tmp_path / "b.tar")
    unpacked = tmp_path / "unpacked"
    with tarfile.open(tmp_path / "b.tar") as tar:
        tar.extractall(unpacked, filter="data")
    done_ = subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", "sha256sums.txt"],
        cwd=unpacked,
        check=False,
    )
    assert done_.returncode == 0


def test_a_missing_and_a_damaged_file_are_told_and_do_not_stop_it(
    office: Application, tmp_path: Path
) -> None:
    case = lived_in(office)
    person = actor(office, "citizen")
    for name in ("a.pdf", "b.pdf"):
        command = StoreDocument(person, name, io.BytesIO(b"%PDF-1.4 " + name.encode()))
        row = office.uow.run(store_document, command)
        office.uow.run(lambda work, id_: _attach(work, id_, case.id), row.id)
    with office.uow.read() as session:
        keys = {row.name: row.storage_key for row in session.scalars(select(Document))}
    files = tmp_path / "files"
    (files / keys["a.pdf"][:2] / keys["a.pdf"][2:4] / keys["a.pdf"]).unlink()
    (files / keys["b.pdf"][:2] / keys["b.pdf"][2:4] / keys["b.pdf"]).write_bytes(b"other")
    taken = take_backup(office, tmp_path / "b.tar")
    assert (taken.files, taken.missing, taken.damaged) == (2, 1, 1)
    restore(office, Restore(tmp_path / "b.tar", replace=True))
    assert [each.code for each in violations(office.uow)] == ["file_missing"]


def _attach(work: Work, document: str, case_id: str) -> None:
    work.session.execute(update(Document).where(Document.id == document).values(case_id=case_id))
