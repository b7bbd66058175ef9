"""Uploaded files on disk: random keys, no name of the uploader's choosing anywhere."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO

from engine.kernel.errors import StoreUnavailable
from engine.kernel.faults import crash_point

CHUNK = 256 * 1024
_KEY = re.compile(r"[0-9a-f]{48}")
_PARTIAL = ".part"


class DiskFiles:
    """Keeps files in two levels of folders under `root`, outside every web root."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, content: BinaryIO) -> tuple[str, int, str]:
        """Write `content` durably. Gives the key, the size in bytes and the SHA-256.

        Raises StoreUnavailable if the disk is full or does not answer; nothing is left then.
        """
        key = secrets.token_hex(24)
        return key, *self.put_as(key, content)

    def put_as(self, key: str, content: IO[bytes]) -> tuple[int, str]:
        """As `put`, under a key that is known, from a backup; the size and the SHA-256."""
        target = self._path(key)
        partial = target.with_suffix(_PARTIAL)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            size, digest = _written(partial, content)
            crash_point("file_written")
            partial.rename(target)
            _keep_name(target.parent)
        except OSError as error:
            for left in (partial, target):
                with suppress(OSError):
                    left.unlink()
            raise StoreUnavailable from error
        crash_point("file_kept")
        return size, digest

    def open(self, key: str) -> BinaryIO:
        """The file's content. Raises FileNotFoundError."""
        return self._path(key).open("rb")

    def older(self, part: int, than: datetime) -> Iterator[tuple[str, datetime]]:
        """The names of files of one `part` (0 to 255) written before `than`, and when."""
        for path in sorted((self._root / f"{part:02x}").glob("*/*")):
            with suppress(FileNotFoundError):
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                if written < than:
                    yield path.name, written

    def remove(self, name: str) -> None:
        """Remove a file named by `older`; one that is gone is no error."""
        key, dot, rest = name.partition(".")
        self._path(key).with_name(f"{key}{dot}{rest}").unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise FileNotFoundError(key)
        return self._root / key[:2] / key[2:4] / key


def _written(path: Path, content: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _keep_name(folder: Path) -> None:
    """The new name must outlast a loss of power as the content does."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
