"""The rows of one case, whether they are in their tables or in the archive."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from sqlalchemy import select

from engine.store.archive import PACKED, Stored, mapped, unpack
from engine.store.tables import ArchivedCase, Base, Case
from engine.store.uow import ReadSession

T = TypeVar("T", bound=Base)


class CaseRows:
    """Reads rows of `case` through `session`; of an archived case, its body once."""

    def __init__(self, session: ReadSession, case: Case) -> None:
        self._session, self._case = session, case
        self._stored: dict[str, Stored] | None = None

    def all(self, entity: type[T], *order: str) -> list[T]:
        """The case's rows of `entity`, in the order of these attributes. Raises ArchiveDamaged."""
        if self._case.archived_at is None or entity not in PACKED:
            table = cast("Any", entity)
            statement = select(table).where(table.case_id == self._case.id)
            ordered = statement.order_by(*(getattr(table, name) for name in order))
            return list(self._session.scalars(ordered))
        if self._stored is None:
            self._stored = unpack(self._session.get(ArchivedCase, self._case.id))
        rows = mapped(entity, self._stored.get(entity.__tablename__))
        return sorted(rows, key=lambda row: tuple(getattr(row, name) for name in order))

    def first(self, entity: type[T]) -> T | None:
        """The case's only row of `entity`, or None. Raises ArchiveDamaged."""
        found = self.all(entity)
        return found[0] if found else None

    def moved(self) -> bool:
        """Whether the case was archived or brought back since `case` was read."""
        if self._case.state == "open":
            return False
        now = self._session.scalar(select(Case.archived_at).where(Case.id == self._case.id))
        return now != self._case.archived_at
