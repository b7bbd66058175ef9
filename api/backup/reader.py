"""Reads a backup, member by member."""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import zstandard

from api.backup.manifest import (
    FILE,
    MANIFEST,
    ROWS,
    SUMS,
    BackupUnreadable,
    Hashing,
    Manifest,
    read_manifest,
)

_CHUNK = 1 << 20


@dataclass(frozen=True)
class RowsMember:
    table: str
    columns: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True)
class FileMember:
    key: str
    content: IO[bytes]


class BackupReader:
    """Reads a backup. `check` goes through all of it; `members` gives it piece by piece."""

    def __init__(self, path: Path) -> None:
        """Raises BackupUnreadable, or OSError."""
        self._path = path
        self.manifest = self._read_manifest()

    def check(self, progress: Callable[[int], None] = lambda count: None) -> None:
        """Compare every hash and count; `progress` gets bytes. Raises BackupUnreadable."""
        rows: dict[str, int] = dict.fromkeys(self.manifest.tables, 0)
        files = members = 0
        with tempfile.TemporaryFile() as found:
            for info, content in self._all():
                reader = Hashing(content)
                match = ROWS.fullmatch(info.name)
                if match is not None and match[1] in rows:
                    rows[match[1]] += len(_read_rows(reader.read(), info.name).rows)
                elif FILE.fullmatch(info.name):
                    files += 1
                    while reader.read(_CHUNK):
                        pass
                elif info.name == SUMS:
                    self._compare(content, found)
                    continue
                elif info.name == MANIFEST:
                    continue
                else:
                    raise BackupUnreadable(f"The backup is damaged: it has a strange {info.name}")
                found.write(f"{reader.digest.hexdigest()}  {info.name}\n".encode())
                members += 1
                progress(info.size)
        kept = self.manifest
        if (rows, files, members) != (kept.tables, kept.files, kept.members):
            raise BackupUnreadable("The backup is damaged: it has not as many rows as it says")

    def members(self) -> Iterator[RowsMember | FileMember]:
        """Rows and files, in the order of the file: tables that others refer to come first."""
        for info, content in self._all():
            match = ROWS.fullmatch(info.name)
            file = FILE.fullmatch(info.name)
            if match is not None:
                made = _read_rows(content.read(), info.name)
                yield RowsMember(match[1], made.columns, made.rows)
            elif file is not None:
                yield FileMember(file[1], content)

    def _compare(self, written: IO[bytes], found: IO[bytes]) -> None:
        """Name the first member that is not as it was written."""
        digest = hashlib.sha256()
        found.seek(0)
        for line in written:
            digest.update(line)
            if found.readline() != line:
                name = line.decode("utf-8", "replace").strip().rpartition(" ")[2]
                raise BackupUnreadable(f"The backup is damaged: {name} is not as it was written")
        if digest.hexdigest() != self.manifest.sums or found.readline():
            raise BackupUnreadable(f"The backup is damaged: {SUMS} is not as it was written")

    def _read_manifest(self) -> Manifest:
        try:
            with tarfile.open(self._path, "r:") as tar:
                while (info := tar.next()) is not None:
                    cast("Any", tar).members.clear()
                    if info.name == MANIFEST:
                        content = tar.extractfile(info)
                        return read_manifest(content.read() if content is not None else b"")
        except tarfile.TarError as error:
            raise self._unreadable(error) from error
        raise BackupUnreadable(f"{self._path} is cut off: it has no manifest at its end")

    def _unreadable(self, error: tarfile.TarError) -> BackupUnreadable:
        cut = any(word in str(error) for word in ("end of data", "truncated"))
        return BackupUnreadable(
            f"{self._path} is cut off" if cut else f"{self._path} is no backup, or is damaged"
        )

    def _all(self) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
        try:
            with tarfile.open(self._path, "r:") as tar:
                while (info := tar.next()) is not None:
                    cast("Any", tar).members.clear()
                    content = tar.extractfile(info)
                    if content is not None:
                        yield info, content
        except tarfile.TarError as error:
            raise self._unreadable(error) from error


def _read_rows(content: bytes, name: str) -> RowsMember:
    try:
        text = zstandard.ZstdDecompressor().decompress(content).decode()
        head, *lines = text.split("\n")[:-1]
        columns = json.loads(head)["columns"]
        return RowsMember(name, columns, [json.loads(line) for line in lines])
    except (zstandard.ZstdError, ValueError, KeyError, TypeError) as error:
        raise BackupUnreadable(f"The backup is damaged: {name} cannot be read") from error
