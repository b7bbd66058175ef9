"""A backup while people work: the copy is the database as it was at one instant."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from api.backup.restoring import Restore, restore
from api.backup.taking import Watch, take_backup
from api.wiring import Application
from engine.kernel.clock import SettableClock
from engine.store.tables import Case, Document
from engine.usecases.documents import StoreDocument, store_document
from engine.usecases.invariants import violations
from tests.support.databases import fresh_database, opened
from tests.support.play import actor, done, drain, filed

ROOT = Path(__file__).resolve().parents[2]
WRITERS = 3


@dataclass
class Writers:
    """People who file cases and decide them, each after the other; when each was answered."""

    wired: Application
    stop: threading.Event = field(default_factory=threading.Event)
    filed: list[tuple[float, float, str]] = field(default_factory=list)
    problems: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                began = time.monotonic()
                case = filed(self.wired)
                self.filed.append((began, time.monotonic(), case.id))
                done(self.wired, case, "check_request", "foi_officer", outcome="accept")
                drain(self.wired)
        except BaseException as error:
            self.problems.append(error)
            raise


@pytest.fixture
def writers(office: Application) -> Iterator[Writers]:
    made = Writers(office)
    threads = [threading.Thread(target=made.run) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    yield made
    made.stop.set()
    for thread in threads:
        thread.join(timeout=30)
    assert made.problems == []


def until(writers: Writers, more: int) -> None:
    """Wait until so many more cases were filed."""
    wanted, end = len(writers.filed) + more, time.monotonic() + 60
    while len(writers.filed) < wanted:
        assert not writers.problems
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_copy_is_of_one_instant(
    office: Application, writers: Writers, tmp_path: Path, clock: SettableClock
) -> None:
    until(writers, 10)
    begun, slow = time.monotonic(), []

    def wait(count: int) -> None:
        # People go on between one table and the next.
        if len(slow) < 8:
            slow.append(count)
            until(writers, 2)

    taken = take_backup(office, tmp_path / "b.tar", Watch(rows=wait))
    ended = time.monotonic()
    until(writers, 5)
    writers.stop.set()
    with (
        fresh_database("sqlite", tmp_path) as url,
        opened(url, tmp_path / "copy", clock) as copy,
    ):
        assert restore(copy, Restore(tmp_path / "b.tar")) == taken
        assert list(violations(copy.uow)) == []
        with copy.uow.read() as session:
            kept = set(session.scalars(select(Case.id)))
    assert len(kept) == taken.tables["cases"]
    first = {id_ for _, end, id_ in writers.filed if end < begun}
    after = {id_ for start, _, id_ in writers.filed if start > ended}
    assert first <= kept
    assert not after & kept
    meanwhile = [each for each in writers.filed if each[1] >= begun and each[0] <= ended]
    assert len(meanwhile) > 10
    # Whoever saw a case answered before filing another is not contradicted by the copy.
    missing_since = min((end for _, end, id_ in writers.filed if id_ not in kept), default=ended)
    assert not {id_ for start, _, id_ in writers.filed if start > missing_since} & kept


def test_a_file_uploaded_meanwhile_is_there_if_its_row_is(
    office: Application, writers: Writers, tmp_path: Path
) -> None:
    person, count = actor(office, "citizen"), iter(range(1000))

    def upload(_: int) -> None:
        content = io.BytesIO(b"%PDF-1.4 " + str(next(count)).encode())
        office.uow.run(store_document, StoreDocument(person, "a.pdf", content))

    upload(0)
    taken = take_backup(office, tmp_path / "b.tar", Watch(rows=upload, files=upload))
    assert (taken.files, taken.missing, taken.damaged) == (taken.tables["documents"], 0, 0)
    with office.uow.read() as session:
        assert len(session.scalars(select(Document)).all()) > taken.files


def test_a_process_that_is_stopped_or_killed_leaves_no_backup(
    office: Application, tmp_path: Path
) -> None:
    """SIGTERM leaves nothing; after SIGKILL the file beside it is no obstacle to the next."""
    for _ in range(3):
        filed(office)
    folder = tmp_path / "backups"
    folder.mkdir()
    environment = {
        **os.environ,
        "BANSHI_DATABASE_URL": office.settings.database_url,
        "BANSHI_DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    slow = (
        "import time\nfrom api.backup import writer\n"
        "first = writer.BackupWriter.add_rows\n"
        "def late(*given):\n    print('row', flush=True)\n    time.sleep(0.2)\n    first(*given)\n"
        "writer.BackupWriter.add_rows = late\nfrom api.shell import main\nmain()"
    )
    for number, code in ((signal.SIGTERM, 130), (signal.SIGKILL, -9)):
        process = subprocess.Popen(
            [sys.executable, "-c", slow, "backup", str(folder / "b.tar")],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        while not process.stdout.readline().startswith("row"):
            pass
        process.send_signal(number)
        process.communicate(timeout=30)
        assert process.returncode == code
        assert not (folder / "b.tar").exists()
        assert [each.name for each in folder.iterdir()] == ([] if code > 0 else ["b.tar.part"])
    take_backup(office, folder / "b.tar")
    assert [each.name for each in folder.iterdir()] == ["b.tar"]
