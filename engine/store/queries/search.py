"""Finding cases by what people know of them: a number, or the applicant's name or telephone.

Each way in is a stretch of an index. What is found is looked up from the applicants when they are
few; when they are many, as for a common family name, from the newest case backwards until the page
is full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, or_, select

from engine.domain.access import Actor
from engine.kernel.ids import SERIAL_DIGITS
from engine.store.tables import ArchivedDepartment, Case, Counter, Task, TaskMove, User
from engine.store.uow import ReadSession

MOST_AT_ONCE = 600
"""Cases of a department that are looked through together, at most."""
FEW = 200
"""Applicants up to whom the cases of each are looked up."""
Found = tuple[Case, str]


def find_cases(
    session: ReadSession,
    actor: Actor,
    text: str = "",
    state: str | None = None,
    limit: int = 50,
) -> list[Found]:
    """The newest cases the actor may see that fit `text`, each with its applicant's name.

    `text` is a case's number, its beginning or its serial number alone, or the beginning of the
    applicant's name or telephone number; if nobody's begins so, any part of it.
    """
    if not actor.oversees_office and actor.department is None:
        return []
    conditions = [Case.state == state] if state else []
    wanted = text.strip()
    if not wanted:
        return _newest(session, actor, conditions, limit)
    digits = any(map(str.isdigit, wanted))
    if digits:
        numbers = or_(*_numbers(session, wanted))
        found = _page(session, actor, [*conditions, numbers], limit)
        if found:
            return found
    for pattern in (f"{_literal(wanted)}%", f"%{_literal(wanted)}%"):
        matches = [
            column.like(pattern, escape="\\")
            for column in ((User.display_name, User.phone) if digits else (User.display_name,))
        ]
        few = [select(User.id).where(match).limit(FEW + 1) for match in matches]
        ids = {id_ for each in few for id_ in session.scalars(each)}
        if len(ids) > FEW:
            return _newest(session, actor, [*conditions, or_(*matches)], limit)
        found = _page(session, actor, [*conditions, Case.applicant_id.in_(ids)], limit)
        if found:
            return found
    return []


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def _numbers(session: ReadSession, text: str) -> Iterator[ColumnElement[bool]]:
    """What a case's number may begin with."""
    if re.fullmatch(rf"\d{{1,{SERIAL_DIGITS}}}", text):
        for series in session.scalars(select(Counter.name)):
            yield Case.reference.like(f"{series}-{int(text):0{SERIAL_DIGITS}}-%")
    yield Case.reference.like(f"{_literal(text.upper())}%", escape="\\")


def _rows() -> Select[Case, str]:
    return select(Case, User.display_name).join(User, User.id == Case.applicant_id)


def _page(
    session: ReadSession, actor: Actor, conditions: list[ColumnElement[bool]], limit: int
) -> list[Found]:
    """The newest of a few cases, of which those the actor may not see are left out."""
    statement = _rows().where(*conditions)
    if not actor.oversees_office:
        department = actor.department
        statement = statement.where(
            or_(
                *(
                    exists().where(each.case_id == Case.id, each.department == department)
                    for each in (Task, TaskMove, ArchivedDepartment)
                )
            )
        )
    statement = statement.order_by(Case.received_at.desc(), Case.id.desc()).limit(limit)
    return _pairs(session.execute(statement))


def _newest(
    session: ReadSession, actor: Actor, conditions: list[ColumnElement[bool]], limit: int
) -> list[Found]:
    """The newest of many cases, read backwards only until there are enough."""
    if actor.oversees_office:
        statement = _rows().where(*conditions)
        statement = statement.order_by(Case.received_at.desc(), Case.id.desc()).limit(limit)
        return _pairs(session.execute(statement.prefix_with("STRAIGHT_JOIN", dialect="mysql")))
    # Identifiers are in the order in which the cases were filed.
    found: list[Found] = []
    after: str | None = None
    size = limit + 10
    while len(found) < limit:
        ids = _ids_before(session, str(actor.department), after, size)
        if not ids:
            break
        after, size = ids[-1], min(size * 3, MOST_AT_ONCE)
        fitting = _rows().where(Case.id.in_(ids), *conditions)
        found += _pairs(session.execute(fitting.order_by(Case.id.desc())))
    return found[:limit]


def _ids_before(session: ReadSession, department: str, after: str | None, size: int) -> list[str]:
    """The newest cases before `after` that the department has had a task in."""
    found: set[str] = set()
    for table in (Task, ArchivedDepartment):
        column = table.case_id
        seen = select(column).where(table.department == department).distinct()
        if after is not None:
            seen = seen.where(column < after)
        found.update(session.scalars(seen.order_by(column.desc()).limit(size)))
    return sorted(found, reverse=True)[:size]


def _pairs(rows: Any) -> list[Found]:
    found: list[Row[Case, str]] = list(rows)
    return [(case, name) for case, name in found]


def case_by_reference(session: ReadSession, reference: str) -> Case | None:
    """The case with exactly this number, whoever may see it."""
    return session.scalar(select(Case).where(Case.reference == reference.strip().upper()))
