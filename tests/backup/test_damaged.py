"""A backup that is not as it was written is refused, in words, and nothing is changed."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.backup.manifest import MANIFEST, BackupUnreadable, read_manifest, write_manifest
from api.backup.restoring import Restore, check_backup, restore
from api.backup.taking import take_backup
from api.cli import app
from api.wiring import Application
from tests.backup.test_backup import lived_in
from tests.support.databases import everything


@pytest.fixture
def file(small_office: Application, tmp_path: Path) -> Path:
    lived_in(small_office)
    take_backup(small_office, tmp_path / "b.tar")
    return tmp_path / "b.tar"


def refused(wired: Application, file: Path) -> str:
    """What is said of the file; the database stays as it is."""
    before = everything(wired.settings.database_url)
    with pytest.raises(BackupUnreadable) as caught:
        restore(wired, Restore(file, replace=True))
    assert everything(wired.settings.database_url) == before
    return str(caught.value)


def test_wherever_it_is_cut(small_office: Application, file: Path) -> None:
    whole = file.read_bytes()
    end = whole.index(b"manifest.json")
    for length in (0, 1, 511, 512, 5_000, len(whole) // 2, end - 1, end + 100, end + 600):
        file.write_bytes(whole[:length])
        with pytest.raises(BackupUnreadable):
            check_backup(file)
    file.write_bytes(whole[: end - 1])
    assert "cut off" in refused(small_office, file)


def test_wherever_a_byte_is_changed(file: Path) -> None:
    """Every byte that means anything; the padding between the members means nothing."""
    whole = file.read_bytes()
    for place in range(0, len(whole), 997):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        file.write_bytes(changed)
        try:
            reader = check_backup(file)
        except BackupUnreadable:
            continue
        assert whole[place] == 0 or _in_header_without_meaning(whole, place), place
        assert [type(each) for each in reader.members()]


def _in_header_without_meaning(whole: bytes, place: int) -> bool:
    block = whole[place // 512 * 512 :][:512]
    return block[257:262] == b"ustar"


def test_it_names_what_is_damaged(small_office: Application, file: Path) -> None:
    whole = file.read_bytes()
    content = whole.index(b"%PDF-1.4")
    file.write_bytes(whole[: content + 20] + b"?" + whole[content + 21 :])
    assert re.search(r"files/[0-9a-f]{48} is not as it was written", refused(small_office, file))


def rewritten(file: Path, **changes: Any) -> None:
    """The backup with another manifest, itself in order."""
    with tarfile.open(file) as tar:
        members = [(info, tar.extractfile(info).read()) for info in tar]  # type: ignore[union-attr]
    with tarfile.open(file, "w") as tar:
        for info, content in members:
            body = content
            if info.name == MANIFEST:
                body = write_manifest(replace(read_manifest(content), **changes))
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "is of format 2.*Install that version first"),
        ({"migration": "9999"}, "migration 9999.*Install that version first"),
        ({"files": 7}, "not as many rows"),
    ],
)
def test_a_newer_version_and_a_wrong_count(
    small_office: Application, file: Path, change: dict[str, Any], said: str
) -> None:
    rewritten(file, **change)
    assert re.search(said, refused(small_office, file))


def test_what_the_shell_says(small_office: Application, file: Path, tmp_path: Path) -> None:
    environment = {
        "BANSHI_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}",
        "BANSHI_DATA_DIR": str(tmp_path / "other"),
    }

    def run(*arguments: str) -> tuple[int, str]:
        made = CliRunner().invoke(app, list(arguments), env=environment)
        return made.exit_code, " ".join(made.stdout.split())

    assert run("restore", str(file), "--check")[0] == 0
    assert not (tmp_path / "other.db").exists() or run("migrate", "--check")[0] == 1
    code, said = run("restore", str(file), "--hold-jobs")
    assert (code, "Everything holds." in said) == (0, True)
    code, said = run("restore", str(file))
    assert (code, "restore FILE --replace" in said) == (1, True)
    assert "connector, mail wait since a restore" in run("doctor")[1]
    assert "connector, mail" in run("release-jobs", "--mail-as-sent")[1]
    assert run("hold-jobs")[0] == 0
    assert "Released: connector, mail" in run("release-jobs")[1]
    assert "Nothing is held." in run("release-jobs", "--list")[1]
    (tmp_path / "backups").mkdir()
    code, said = run("backup", str(tmp_path / "backups"))
    assert (code, "2 cases" in said) == (0, True)
    (made,) = (tmp_path / "backups").iterdir()
    assert run("backup", str(made))[0] == 1
    assert run("backup", str(tmp_path / "nowhere" / "b.tar"))[0] == 1
    made.write_bytes(made.read_bytes()[:3000])
    code, said = run("restore", str(made), "--check")
    assert (code, "cut off" in said) == (1, True)
