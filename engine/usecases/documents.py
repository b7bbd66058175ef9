"""Documents: checked by content, kept outside the database, tied to a case by its answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath
from typing import Any, BinaryIO

from sqlalchemy import select

from engine.domain.access import Actor
from engine.domain.field_error import FieldError
from engine.domain.ports import Form
from engine.kernel.errors import AnswersInvalid, DocumentRefused
from engine.kernel.ids import first_id, new_id
from engine.store.tables import Case, Document, Task
from engine.store.uow import UnitOfWork, Work

MAX_BYTES = 10_000_000
FORMAT = "banshi-file"
_ZIP = b"PK\x03\x04"
_SIGNATURES: dict[str, tuple[bytes, str]] = {
    ".pdf": (b"%PDF-", "application/pdf"),
    ".jpg": (b"\xff\xd8\xff", "image/jpeg"),
    ".jpeg": (b"\xff\xd8\xff", "image/jpeg"),
    ".png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    ".docx": (_ZIP, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ".xlsx": (_ZIP, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
ACCEPTED = tuple(_SIGNATURES)


@dataclass(frozen=True)
class StoreDocument:
    """A file somebody uploads. `content` is positioned at its start."""

    actor: Actor
    name: str
    content: BinaryIO


def store_document(work: Work, command: StoreDocument) -> Document:
    """Keep the file, not yet tied to a case.

    Raises DocumentRefused(reason): `empty`, `too_large` or `type`. The file is written before the
    row; a row that fails leaves an unreferenced file and never a missing one.
    """
    name = PurePath(command.name.replace("\\", "/")).name.strip()[:255] or "file"
    # The transaction may run again: always from the start.
    command.content.seek(0)
    head = command.content.read(16)
    command.content.seek(0, 2)
    size = command.content.tell()
    command.content.seek(0)
    if size == 0:
        raise DocumentRefused(reason="empty", name=name)
    if size > MAX_BYTES:
        raise DocumentRefused(reason="too_large", name=name, megabytes=MAX_BYTES // 1_000_000)
    signature, media_type = _SIGNATURES.get(PurePath(name).suffix.lower(), (b"\0", ""))
    if not head.startswith(signature):
        raise DocumentRefused(reason="type", name=name, accepted=", ".join(ACCEPTED))
    key, size, sha256 = work.ports.files.put(command.content)
    row = Document(
        id=new_id(),
        owner_id=command.actor.user_id,
        name=name,
        media_type=media_type,
        size=size,
        sha256=sha256,
        storage_key=key,
        uploaded_at=work.now,
    )
    work.rows.add(row)
    return row


UNKEPT = timedelta(days=1)
"""How long a file may be without its document before it is removed."""
LOOKED_FOR = timedelta(days=14)
"""Older files have been looked at often enough."""


def clear_files(uow: UnitOfWork, part: int) -> int:
    """Remove the files of one of 256 parts of the store that no document names; how many.

    They are left by uploads whose transaction was not kept, or whose process died.
    """
    files, before = uow.ports.files, uow.ports.clock.now() - UNKEPT
    found = {n: at for n, at in files.older(part, before) if at > before - LOOKED_FOR}
    if not found:
        return 0
    # The document is made right after its file; the clocks of two machines may differ.
    earliest = first_id(min(found.values()) - timedelta(days=1))
    with uow.read() as session:
        known = set(
            session.scalars(
                select(Document.storage_key).where(
                    Document.id >= earliest, Document.storage_key.in_(list(found))
                )
            )
        )
    left = [name for name in found if name not in known]
    for name in left:
        files.remove(name)
    return len(left)


def document_ids(form: Form, answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The field and document id of each file among the answers."""
    for name, schema in form["schema"].get("properties", {}).items():
        value = answers.get(name)
        if schema.get("format") == FORMAT and value:
            yield name, value
        elif schema.get("items", {}).get("format") == FORMAT:
            yield from ((name, each) for each in value or [])


def released_documents(forms: Mapping[str, Form], tasks: Iterable[Task]) -> set[str]:
    """The documents that staff marked as being for the applicant, by the form's own setting."""
    released = set()
    for task in tasks:
        form = forms.get(task.form or "")
        if form is None or task.state != "done":
            continue
        for field, document in document_ids(form, task.answers or {}):
            if form["ui"].get(field, {}).get("ui:options", {}).get("forApplicant") is True:
                released.add(document)
    return released


def attach_documents(
    work: Work, case: Case, actor: Actor, form: Form, answers: Mapping[str, Any]
) -> None:
    """Tie the answers' documents to the case. Raises AnswersInvalid for one that is not theirs."""
    named = {document: field for field, document in document_ids(form, answers)}
    if not named:
        return
    rows = {row.id: row for row in work.rows.select(Document, "id IN %s", list(named))}
    wrong = [
        FieldError(field, "file_missing", {})
        for document, field in named.items()
        if document not in rows or not _usable(rows[document], case, actor)
    ]
    if wrong:
        raise AnswersInvalid(fields=tuple(wrong))
    for row in rows.values():
        row.case_id = case.id


def _usable(row: Document, case: Case, actor: Actor) -> bool:
    return row.case_id == case.id or (row.case_id is None and row.owner_id == actor.user_id)
