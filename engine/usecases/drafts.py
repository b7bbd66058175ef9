"""Drafts: what a citizen has answered so far, saved page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.domain.access import Actor
from engine.kernel.errors import NotFound
from engine.kernel.ids import new_id
from engine.store.queries.citizen import unfinished_draft
from engine.store.tables import Draft, User
from engine.store.uow import Work
from engine.usecases.definition import offered_definition


@dataclass(frozen=True)
class BeginDraft:
    actor: Actor
    service: str


def begin_draft(work: Work, command: BeginDraft) -> Draft:
    """The unfinished draft for the service, or a new one on the version that runs now.

    Raises ServiceNotOffered.
    """
    # Two clicks at once come one after the other, and the second finds the first's.
    work.session.get(User, command.actor.user_id, with_for_update=True)
    known = unfinished_draft(work.session, command.actor, command.service)
    if known is not None:
        return known
    made = offered_definition(work.session, command.service, work.ports)
    row = Draft(
        id=new_id(),
        owner_id=command.actor.user_id,
        service=command.service,
        package_version_id=made.id,
        answers={},
        updated_at=work.now,
    )
    work.session.add(row)
    return row


@dataclass(frozen=True)
class SaveDraft:
    """`answers` of one page; `fields` are the page's fields, so that an emptied one is emptied."""

    actor: Actor
    draft_id: str
    answers: Mapping[str, Any]
    fields: tuple[str, ...]


def save_draft(work: Work, command: SaveDraft) -> Draft:
    """Keep the page's answers, right or wrong. Raises NotFound, also once it was filed."""
    row = work.session.get(Draft, command.draft_id, with_for_update=True)
    if row is None or row.owner_id != command.actor.user_id or row.case_id is not None:
        raise NotFound(what="draft")
    others = {name: value for name, value in row.answers.items() if name not in command.fields}
    given = {name: value for name, value in command.answers.items() if name in command.fields}
    row.answers = others | given
    row.updated_at = work.now
    return row
