"""No room left: refused in words, nothing acknowledged is lost, and it goes on when there is."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.store.tables import Case, Document
from engine.usecases.invariants import violations
from tests.conftest import leave_out
from tests.faults.support.farm import Database
from tests.faults.support.people import browsers, in_words
from tests.support import servers
from tests.support.play import REQUEST, drain, filed, open_task

FILING = {"service": "F001", "answers": REQUEST}
MEGABYTE = 1_000_000


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, of that size."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        leave_out("the permission to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Not a byte is left on the disk of `folder`."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


def opened(url: str, folder: Path) -> Application:
    environment = {"BANSHI_DATABASE_URL": url, "BANSHI_DATA_DIR": str(folder), "BANSHI_DEMO": "1"}
    wired = wire(read_settings(environment), waker=ThreadWaker())
    migrate(wired.engine)
    open_office(wired)
    return wired


def until_full(client: Any) -> tuple[list[str], Any]:
    """File cases until one is refused: those that were acknowledged, and the refusal."""
    told = []
    for _ in range(500):
        answer = client.post("/api/v1/cases", json=FILING)
        if answer.status_code != 201:
            return told, answer
        told.append(answer.json()["id"])
    raise AssertionError("the disk never was full")


def stored(wired: Application) -> set[str]:
    with wired.uow.read() as session:
        return set(session.scalars(select(Case.id)))


def test_a_full_database(tmp_path: Path) -> None:
    if servers.binary("mariadbd") is None:
        leave_out("MariaDB")
    with small_disk(tmp_path / "disk", 150) as disk:
        database = Database(disk)
        try:
            wired = opened(database.url, tmp_path / "data")
            with browsers(wired, "citizen") as (citizen,):
                with filled(disk):
                    told, refused = until_full(citizen)
                    assert (refused.status_code, refused.json()["code"]) == (
                        503, "store_unavailable",
                    ), refused.text  # fmt: skip
                    assert in_words(refused)
                    assert citizen.get("/cases").status_code == 200
                    assert stored(wired) == set(told)
                answer = citizen.post("/api/v1/cases", json=FILING)
                assert answer.status_code == 201, answer.text
                told.append(answer.json()["id"])
            drain(wired)
            assert stored(wired) == set(told)
            assert list(violations(wired.uow)) == []
            wired.close()
        finally:
            database.kill()


def test_no_room_for_a_sqlite_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 12) as disk:
        wired = opened(f"sqlite:///{disk / 'banshi.db'}", tmp_path / "data")
        with browsers(wired, "citizen") as (citizen,):
            with filled(disk):
                told, refused = until_full(citizen)
                assert (refused.status_code, refused.json()["code"]) == (
                    503, "store_unavailable",
                ), refused.text  # fmt: skip
                assert stored(wired) == set(told)
            assert citizen.post("/api/v1/cases", json=FILING).status_code == 201
        assert list(violations(wired.uow)) == []
        wired.close()


def test_no_room_for_an_upload(tmp_path: Path) -> None:
    """The file is refused in words, nothing of it is left, and it can be sent again."""
    with small_disk(tmp_path / "data", 3) as disk:
        wired = opened(f"sqlite:///{tmp_path / 'banshi.db'}", disk)
        case = filed(wired)
        url = f"/api/v1/tasks/{open_task(wired, case).id}"
        with browsers(wired, "foi_officer") as (officer,):
            assert officer.post(f"{url}/claim").status_code == 200

            def complete() -> Any:
                content = io.BytesIO(b"%PDF-1.7 " + b"x" * MEGABYTE)
                files = {"attachment": ("plan.pdf", content, "application/pdf")}
                return officer.post(f"{url}/complete", data={"outcome": "accept"}, files=files)

            with filled(disk):
                refused = complete()
                assert refused.status_code == 503, refused.text
                assert in_words(refused)
                assert [path for path in (disk / "files").rglob("*") if path.is_file()] == []
            assert complete().status_code == 200
        with wired.uow.read() as session:
            (document,) = session.scalars(select(Document))
            assert document.size == MEGABYTE + 9
        wired.close()
