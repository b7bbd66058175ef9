"""Writes a backup. Nothing is kept in memory but the member that is being written."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import zstandard

from api.backup.manifest import MANIFEST, SUMS, Hashing, Manifest, write_manifest

_LEVEL = 3


class BackupWriter:
    """Writes the members of a backup one after the other."""

    def __init__(self, file: BinaryIO, sums: IO[bytes], at: datetime) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self._sums, self._at = sums, at
        self._members = 0
        self._codec = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)

    def add_rows(
        self, table: str, number: int, columns: Sequence[str], lines: Sequence[str]
    ) -> None:
        head = json.dumps({"columns": list(columns)})
        content = self._codec.compress("\n".join([head, *lines, ""]).encode())
        self._add(f"rows/{table}/{number:06d}.jsonl.zst", io.BytesIO(content), len(content))

    def add_file(self, key: str, content: BinaryIO) -> tuple[int, str]:
        """The file's size and SHA-256."""
        size = content.seek(0, io.SEEK_END)
        content.seek(0)
        return size, self._add(f"files/{key}", content, size)

    def finish(self, manifest: Manifest) -> Manifest:
        """Write what closes the file; the manifest as it was written."""
        members, size = self._members, self._sums.tell()
        self._sums.seek(0)
        digest = self._add(SUMS, self._sums, size)
        whole = replace(manifest, members=members, sums=digest)
        content = write_manifest(whole)
        self._add(MANIFEST, io.BytesIO(content), len(content))
        self._tar.close()
        return whole

    def _add(self, name: str, content: Any, size: int) -> str:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(self._at.timestamp())
        reader = Hashing(content)
        self._tar.addfile(info, reader)
        # The library would remember every member.
        cast("Any", self._tar).members.clear()
        digest = reader.digest.hexdigest()
        if name not in (SUMS, MANIFEST):
            self._sums.write(f"{digest}  {name}\n".encode())
            self._members += 1
        return digest


@contextmanager
def new_backup(target: Path, at: datetime) -> Iterator[BackupWriter]:
    """Write beside `target` and put the file there once it is whole and on the disk.

    Only its owner can read it. Raises FileExistsError.
    """
    if target.exists():
        raise FileExistsError(str(target))
    partial = target.with_name(f"{target.name}.part")
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            tempfile.TemporaryFile(dir=target.parent) as sums,
        ):
            os.fchmod(file.fileno(), 0o600)
            yield BackupWriter(file, sums, at)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            raise FileExistsError(str(target))
        partial.rename(target)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
