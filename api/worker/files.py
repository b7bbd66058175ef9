"""Uploaded files on disk: random keys, no name of the uploader's choosing anywhere."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import IO, BinaryIO

CHUNK = 256 * 1024
_KEY = re.compile(r"[0-9a-f]{48}")


class DiskFiles:
    """Keeps files in two levels of folders under `root`, outside every web root."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, content: BinaryIO) -> tuple[str, int, str]:
        """Write `content` durably. Gives the key, the size in bytes and the SHA-256."""
        key = secrets.token_hex(24)
        return key, *self.put_as(key, content)

    def put_as(self, key: str, content: IO[bytes]) -> tuple[int, str]:
        """As `put`, under a key that is known, from a backup; the size and the SHA-256."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".part")
        digest, size = hashlib.sha256(), 0
        with partial.open("wb") as file:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
        return size, digest.hexdigest()

    def open(self, key: str) -> BinaryIO:
        """The file's content. Raises FileNotFoundError."""
        return self._path(key).open("rb")

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise FileNotFoundError(key)
        return self._root / key[:2] / key[2:4] / key
