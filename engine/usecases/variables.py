"""Variables that programs set: files become documents of the case, and types are remembered."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.domain.access import Actor
from engine.domain.variables import RESERVED, SentFile, Variables
from engine.kernel.errors import DocumentRefused, VariableRefused
from engine.store.tables import Case, Document, VariableNote
from engine.store.uow import ReadSession, Work
from engine.usecases.documents import StoreDocument, store_document

LONGEST_NAME = 255


def plain_values(work: Work, actor: Actor, variables: Variables) -> dict[str, Any]:
    """The values to keep in the case's data: of a file the id of its document.

    Raises VariableRefused for a name that is taken or too long, and a file that is not accepted.
    """
    kept = {}
    for name, value in variables.values.items():
        if name in variables.transient:
            continue
        if name in RESERVED:
            raise VariableRefused(name=name, reason="reserved")
        if not 0 < len(name) <= LONGEST_NAME:
            raise VariableRefused(name=name[:60], reason="name")
        kept[name] = _stored(work, actor, name, value) if isinstance(value, SentFile) else value
    return kept


def _stored(work: Work, actor: Actor, name: str, sent: SentFile) -> str:
    try:
        command = StoreDocument(actor, sent.name, io.BytesIO(sent.content))
        return store_document(work, command).id
    except DocumentRefused as refused:
        raise VariableRefused(name=name, reason=f"file_{refused.params['reason']}") from refused


def remember(work: Work, case: Case, variables: Variables, kept: Mapping[str, Any]) -> None:
    """Note what the values in `kept` do not show themselves, and tie their files to the case."""
    if not kept:
        return
    known = {
        row.name: row
        for row in work.session.scalars(
            select(VariableNote).where(
                VariableNote.case_id == case.id, VariableNote.name.in_(list(kept))
            )
        )
    }
    for name in kept:
        note, row = variables.notes.get(name), known.get(name)
        if note is not None and row is not None:
            row.type, row.info = note.type, dict(note.info)
        elif note is not None:
            made = VariableNote(case_id=case.id, name=name, type=note.type, info=dict(note.info))
            work.session.add(made)
        elif row is not None:
            work.session.delete(row)
    files = [kept[name] for name in kept if isinstance(variables.values[name], SentFile)]
    if files:
        for document in work.session.scalars(select(Document).where(Document.id.in_(files))):
            document.case_id = case.id


def notes_of(session: ReadSession, case_ids: list[str]) -> dict[str, dict[str, VariableNote]]:
    """The notes on the variables of each case, by name."""
    found: dict[str, dict[str, VariableNote]] = {id_: {} for id_ in case_ids}
    for row in session.scalars(select(VariableNote).where(VariableNote.case_id.in_(case_ids))):
        found[row.case_id][row.name] = row
    return found
