"""Add and edit working calendars: checked, on record, and followed by a recount of what rests on
them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from engine.domain.access import SYSTEM, Actor, may_administer
from engine.domain.calendar_changes import CalendarChanges, changes
from engine.domain.calendar_data import CalendarData, read_calendar, shipped_calendar, shipped_names
from engine.domain.calendar_import import ImportedDays, taken_over
from engine.domain.calendar_set import CalendarSet
from engine.domain.field_error import FieldError
from engine.kernel.errors import CalendarChanged, CalendarRefused, CalendarUnknown, NotAllowed
from engine.store.calendars import LOOK_EVERY, calendar_data, keep_data
from engine.store.tables import CalendarChange, CalendarRow, Department
from engine.store.uow import Work
from engine.usecases.recount import StartRecount, promise_recount
from engine.usecases.recount_choice import Wanted

SETTLED = timedelta(seconds=3 * LOOK_EVERY)
"""How long a recount waits: by then no process counts on the calendar from before."""
LONGEST_REASON = 500


@dataclass(frozen=True)
class AddCalendar:
    """`said` is the whole calendar in the shape of ``calendars/*.json``."""

    actor: Actor
    said: Mapping[str, Any]
    reason: str
    departments: tuple[str, ...] = ()


@dataclass(frozen=True)
class EditCalendar:
    """What is not `said` stays; of `years` each that is named is replaced as a whole.

    `revision` is the one the editor has seen.
    """

    actor: Actor
    name: str
    revision: int
    reason: str
    said: Mapping[str, Any]
    years: Mapping[str, Any]
    departments: tuple[str, ...] | None = None


@dataclass(frozen=True)
class TakeOverDays:
    """`days` are those of a file; `only` these years of it are taken over, if any are named.

    Without `revision` it does not matter what the editor has seen.
    """

    actor: Actor
    name: str
    days: ImportedDays
    reason: str
    only: tuple[int, ...] | None = None
    revision: int | None = None


@dataclass(frozen=True)
class TakenOver:
    """`changes` are as the record has them, and `revision` is the one that they led to."""

    changes: Mapping[str, Any]
    revision: int


def add_calendar(work: Work, command: AddCalendar) -> CalendarRow:
    """A new calendar, usually an office's that extends its jurisdiction's.

    Raises NotAllowed, or CalendarRefused(fields) with all that is wrong.
    """
    rows = _for_editing(work, command.actor, command.reason)
    data = read_calendar(command.said)
    if data.name in rows:
        raise _refused("name", "name_taken", name=data.name)
    row = CalendarRow(name=data.name, departments=[], revision=0)
    _set_departments(work, rows, row, command.departments)
    made, offices = changes(None, data), set(row.departments)
    _keep(work, rows, row, data, made, command.actor, command.reason, offices)
    return row


def edit_calendar(work: Work, command: EditCalendar) -> CalendarRow:
    """Change days, hours or other settings; an edit that changes nothing leaves no trace.

    Raises NotAllowed, CalendarUnknown, CalendarChanged if somebody else was quicker, or
    CalendarRefused(fields).
    """
    rows = _for_editing(work, command.actor, command.reason)
    row = rows.get(command.name)
    if row is None:
        raise CalendarUnknown(name=command.name)
    if row.revision != command.revision:
        raise CalendarChanged(revision=row.revision)
    before, after = calendar_data(row), edited(row, command)
    made, offices = changes(before, after), set[str]()
    if command.departments is not None and sorted(command.departments) != row.departments:
        offices = set(command.departments) ^ set(row.departments)
        _set_departments(work, rows, row, command.departments)
        made = replace(made, settings=(*made.settings, "departments"))
    if made:
        _keep(work, rows, row, after, made, command.actor, command.reason, offices)
    return row


def edited(row: CalendarRow, command: EditCalendar) -> CalendarData:
    """What the calendar would say after the edit. Raises CalendarRefused(fields)."""
    body = calendar_data(row).as_mapping()
    years = body["years"] | dict(command.years)
    return read_calendar({**body, **command.said, "years": years, "name": row.name})


def take_over_days(work: Work, command: TakeOverDays) -> TakenOver:
    """Replace years of a calendar by what a file says of them; what that has changed.

    Raises as `edit_calendar` does.
    """
    row = _for_editing(work, command.actor, command.reason).get(command.name)
    if row is None:
        raise CalendarUnknown(name=command.name)
    before = calendar_data(row)
    after = _with_file(before, command.days, command.only)
    seen = row.revision if command.revision is None else command.revision
    years = after.as_mapping()["years"]
    edit = EditCalendar(command.actor, command.name, seen, command.reason, {}, years)
    row = edit_calendar(work, edit)
    return TakenOver(changes(before, after).as_mapping(), row.revision)


def would_take_over(
    row: CalendarRow, days: ImportedDays, only: Sequence[int] | None = None
) -> TakenOver:
    """What taking over the days would change. Raises CalendarRefused(fields)."""
    before = calendar_data(row)
    after = _with_file(before, days, only)
    return TakenOver(changes(before, after).as_mapping(), row.revision)


def _with_file(
    before: CalendarData, days: ImportedDays, only: Sequence[int] | None
) -> CalendarData:
    return read_calendar(taken_over(before, days, only).as_mapping())


def seed_calendars(work: Work, _: None) -> None:
    """Store the shipped calendars, and what a newer version of the product knows of them.

    One that nobody has edited follows the shipped file; of one that was edited only the years
    that are not announced yet are filled in.
    """
    rows = _locked(work)
    others = CalendarChange.actor_id != SYSTEM.user_id
    edited = set(work.session.scalars(select(CalendarChange.calendar).where(others).distinct()))
    for name in shipped_names():
        data, row = shipped_calendar(name), rows.get(name)
        if row is None:
            row = CalendarRow(name=name, departments=[], revision=0)
            _keep(work, rows, row, data, changes(None, data), SYSTEM, "shipped")
            continue
        before = calendar_data(row)
        after = _filled_in(before, data) if name in edited else data
        if made := changes(before, after):
            _keep(work, rows, row, after, made, SYSTEM, "shipped")


def _filled_in(stored: CalendarData, shipped: CalendarData) -> CalendarData:
    known = {number for number, year in stored.years.items() if year.announced}
    new = {number: year for number, year in shipped.years.items() if number not in known}
    return replace(stored, years={**stored.years, **new})


def _for_editing(work: Work, actor: Actor, reason: str) -> dict[str, CalendarRow]:
    if not may_administer(actor):
        raise NotAllowed
    if not reason.strip():
        raise _refused("reason", "reason_missing")
    if len(reason) > LONGEST_REASON:
        raise _refused("reason", "text_too_long", most=LONGEST_REASON)
    return _locked(work)


def _locked(work: Work) -> dict[str, CalendarRow]:
    """All calendars: they are few, and one edit at a time keeps them free of contradictions."""
    rows = work.session.scalars(
        select(CalendarRow).order_by(CalendarRow.name).with_for_update()
    ).all()
    return {row.name: row for row in rows}


def _set_departments(
    work: Work, rows: Mapping[str, CalendarRow], row: CalendarRow, codes: Sequence[str]
) -> None:
    known = set(work.session.scalars(select(Department.code)))
    elsewhere = {
        code: other.name for other in rows.values() if other is not row
        for code in other.departments
    }  # fmt: skip
    wrong = [
        FieldError("departments", "department_unknown", {"code": code})
        for code in codes
        if code not in known
    ] + [
        FieldError("departments", "department_elsewhere", {"code": code, "name": elsewhere[code]})
        for code in codes
        if code in elsewhere
    ]
    if wrong:
        raise CalendarRefused(fields=tuple(wrong))
    row.departments = sorted(set(codes))


def _keep(
    work: Work,
    rows: dict[str, CalendarRow],
    row: CalendarRow,
    data: CalendarData,
    made: CalendarChanges,
    actor: Actor,
    reason: str,
    offices: AbstractSet[str] = frozenset(),
) -> None:
    """Write the calendar and its change; promise the recount if days count differently now.

    `offices` are the departments that have another calendar now.
    """
    stored = {name: calendar_data(each) for name, each in rows.items()}
    counts = CalendarSet((stored | {data.name: data}).values(), data.name).main()
    recounted = data.name in stored and CalendarSet(stored.values(), data.name).main() != counts
    keep_data(row, data)
    row.revision += 1
    row.edited_by, row.edited_at = actor.user_id, work.now
    rows[row.name] = row
    work.session.add(row)
    work.session.flush()
    work.session.add(
        CalendarChange(
            calendar=row.name,
            revision=row.revision,
            reason=reason.strip(),
            changes=made.as_mapping(),
            actor_id=actor.user_id,
            actor_name=actor.display_name,
            at=work.now,
        )
    )
    if recounted or offices:
        names = (row.name,) if recounted else ()
        wanted = Wanted(calendars=names, offices=tuple(sorted(offices)))
        promise_recount(work, StartRecount(actor, wanted), work.now + SETTLED)


def _refused(field: str, code: str, **params: Any) -> CalendarRefused:
    return CalendarRefused(fields=(FieldError(field, code, params),))
