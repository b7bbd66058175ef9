"""What a backup says of itself, and the layout of its file.

A backup is a tar archive that can be read without this program::

    rows/<table>/<number>.jsonl.zst   its columns, then its rows, a line each
    files/<key>                       what people have uploaded
    sha256sums.txt                    as ``sha256sum`` writes it, of all members before
    manifest.json                     format, versions, time, counts, and a digest of all this

The manifest comes last: a file without it was cut off.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "sha256sums.txt"
ROWS = re.compile(r"rows/(\w+)/\d{6}\.jsonl\.zst")
FILE = re.compile(r"files/([0-9a-f]{48})")


class BackupUnreadable(Exception):
    """The file is no backup, is damaged, cut off, or of a newer version; the message says what."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. `missing` and `damaged` are uploaded files that were so."""

    version: str
    migration: str
    database: str
    taken_at: datetime
    tables: dict[str, int] = field(default_factory=dict)
    files: int = 0
    file_bytes: int = 0
    missing: int = 0
    damaged: int = 0
    members: int = 0
    sums: str = ""
    format: int = FORMAT

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


def write_manifest(manifest: Manifest) -> bytes:
    body = asdict(manifest) | {"taken_at": manifest.taken_at.isoformat()}
    digest = hashlib.sha256(_plain(body)).hexdigest()
    return json.dumps(body | {"digest": digest}, indent=1, sort_keys=True).encode()


def read_manifest(content: bytes) -> Manifest:
    """Raises BackupUnreadable."""
    try:
        body = json.loads(content)
        digest = body.pop("digest")
        if body["format"] != FORMAT:
            raise BackupUnreadable(
                f"The backup is of format {body['format']}, made by banshi {body['version']}; "
                f"this version reads format {FORMAT}. Install that version first"
            )
        if digest != hashlib.sha256(_plain(body)).hexdigest():
            raise BackupUnreadable("The backup is damaged: its manifest is not as it was written")
        at = datetime.fromisoformat(body["taken_at"]).astimezone(UTC)
        return Manifest(**body | {"taken_at": at})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupUnreadable("The backup is damaged: its manifest cannot be read") from error


def _plain(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True).encode()


class Hashing:
    """What is read through it is hashed."""

    def __init__(self, content: Any) -> None:
        self._content, self.digest = content, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._content.read(size)
        self.digest.update(piece)
        return piece
