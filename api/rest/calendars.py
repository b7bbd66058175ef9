"""Working calendars: what they say, and how an administrator changes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from pydantic import ConfigDict, Field

from api.access import application, require_administrator, require_staff
from api.calendar_files import MOST_BYTES, read_calendar_file
from api.calendar_words import in_locale
from api.rest.schemas import Shape
from api.sentences import say
from engine.domain.access import SYSTEM, Actor
from engine.domain.calendar import WorkingCalendar
from engine.domain.calendar_data import CalendarData
from engine.store.calendars import calendar_data
from engine.store.queries.calendars import calendar_row, calendar_rows, changes_of
from engine.store.queries.people import names_of
from engine.store.tables import CalendarChange, CalendarRow
from engine.usecases.calendars import (
    AddCalendar,
    EditCalendar,
    TakeOverDays,
    add_calendar,
    edit_calendar,
    take_over_days,
    would_take_over,
)

router = APIRouter(prefix="/calendars", tags=["calendars"])
Administrator = Annotated[Actor, Depends(require_administrator)]
Staff = Annotated[Actor, Depends(require_staff)]
MOST_YEARS = 60


class CalendarLine(Shape):
    name: str
    title: str
    extends: str | None
    zone: str
    main: bool
    departments: list[str]
    announced: list[int]
    revision: int
    edited_at: datetime


class CalendarList(Shape):
    items: list[CalendarLine]


class HolidayShape(Shape):
    """Days off in a row, both ends included. Texts are by language."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    first: str = Field(alias="from", max_length=40)
    last: str = Field(alias="to", max_length=40)
    name: dict[str, str] = Field(default_factory=dict)


class YearShape(Shape):
    """What is said of one year; of an office's calendar, only its own days."""

    announced: bool = True
    source: dict[str, str] = Field(default_factory=dict)
    holidays: list[HolidayShape] = Field(default_factory=list, max_length=370)
    make_up_days: list[str] = Field(default_factory=list, max_length=370)


class DayShape(Shape):
    """A day that is not as its weekday says. `own`: said by this calendar, not its base."""

    day: date
    holiday: bool
    name: str
    own: bool


class ChangesShape(Shape):
    holidays_added: list[dict[str, Any]]
    holidays_removed: list[dict[str, Any]]
    make_up_added: list[date]
    make_up_removed: list[date]
    announced: list[int]
    no_longer_announced: list[int]
    settings: list[str]


class ChangeShape(Shape):
    revision: int
    at: datetime
    actor_name: str
    reason: str
    changes: ChangesShape


class CalendarView(Shape):
    name: str
    title: dict[str, str]
    extends: str | None
    zone: str
    main: bool
    day_zero: str | None
    pause_begins: str | None
    office_hours: list[list[str]]
    departments: list[str]
    revision: int
    edited_at: datetime
    edited_by: str
    announced: list[int]
    """The years that are announced; dates in others are provisional."""
    years: dict[str, YearShape]
    days: list[DayShape]
    changes: list[ChangeShape]


@router.get("", operation_id="list_calendars", response_model=CalendarList)
def list_calendars(request: Request, actor: Staff) -> CalendarList:
    wired, locale = application(request), request.state.locale
    wired.ports.calendars.reload()
    with wired.uow.read() as session:
        return CalendarList(
            items=[
                CalendarLine(
                    name=row.name,
                    title=in_locale(row.title, locale),
                    extends=row.extends,
                    zone=row.zone,
                    main=row.name == wired.settings.calendar,
                    departments=row.departments,
                    announced=sorted(wired.ports.calendars.named(row.name).announced),
                    revision=row.revision,
                    edited_at=row.edited_at,
                )
                for row in calendar_rows(session)
            ]
        )


@router.get("/{name}", operation_id="get_calendar", response_model=CalendarView)
def get_calendar(request: Request, actor: Staff, name: str) -> CalendarView:
    """A calendar with its own years, all its special days, and its last fifty changes."""
    wired, locale = application(request), request.state.locale
    with wired.uow.read() as session:
        row = calendar_row(session, name)
        record = changes_of(session, name)
        people = names_of(session, {row.edited_by})
    wired.ports.calendars.reload()
    return _view(request, row, record, people.get(row.edited_by, _system(locale)))


class UpcomingList(Shape):
    items: list[DayShape]
    announced_until: int | None
    """The last year that is announced."""


@router.get("/{name}/upcoming", operation_id="upcoming_days", response_model=UpcomingList)
def upcoming(
    request: Request,
    actor: Staff,
    name: str,
    days: Annotated[int, Query(ge=1, le=800)] = 120,
) -> UpcomingList:
    """The holidays and make-up days from today on."""
    wired = application(request)
    with wired.uow.read() as session:
        data = calendar_data(calendar_row(session, name))
    counts = wired.ports.calendars.named(name)
    today = counts.local_date(wired.ports.clock.now())
    until = today + timedelta(days=days)
    return UpcomingList(
        items=[
            day for day in _days(counts, data, request.state.locale) if today <= day.day <= until
        ],
        announced_until=max(counts.announced, default=None),
    )


class CalendarIn(Shape):
    """What is not said stays as it is; each year that is named is replaced as a whole."""

    reason: str = Field(default="", max_length=2000)
    title: dict[str, str] | None = None
    extends: str | None = Field(default=None, max_length=80)
    zone: str | None = Field(default=None, max_length=80)
    day_zero: str | None = Field(default=None, max_length=40)
    pause_begins: str | None = Field(default=None, max_length=40)
    office_hours: list[list[str]] | None = Field(default=None, max_length=20)
    departments: list[str] | None = Field(default=None, max_length=500)
    years: dict[str, YearShape] = Field(default_factory=dict, max_length=MOST_YEARS)

    def settings(self) -> dict[str, Any]:
        """The settings that were sent, besides the years."""
        sent = self.model_fields_set & set(CalendarIn.model_fields)
        beside = {"reason", "departments", "years"}
        return {name: getattr(self, name) for name in sent - beside}

    def said_years(self) -> dict[str, Any]:
        return {year: said.model_dump(by_alias=True) for year, said in self.years.items()}


class NewCalendar(CalendarIn):
    name: str = Field(max_length=80)


class CalendarEdit(CalendarIn):
    revision: int

    def command(self, actor: Actor, name: str) -> EditCalendar:
        """The edit of the calendar `name` that is asked for."""
        return EditCalendar(
            actor=actor,
            name=name,
            revision=self.revision,
            reason=self.reason,
            said=self.settings(),
            years=self.said_years(),
            departments=tuple(self.departments) if self.departments is not None else None,
        )


@router.post(
    "", operation_id="create_calendar", response_model=CalendarView, status_code=201
)  # fmt: skip
def create_calendar(request: Request, actor: Administrator, body: NewCalendar) -> CalendarView:
    """Add a calendar, usually an office's that extends its jurisdiction's."""
    said = {"name": body.name, **body.settings(), "years": body.said_years()}
    command = AddCalendar(actor, said, body.reason, tuple(body.departments or ()))
    application(request).uow.run(add_calendar, command)
    return get_calendar(request, actor, body.name)


@router.patch("/{name}", operation_id="change_calendar", response_model=CalendarView)
def change_calendar(
    request: Request, actor: Administrator, name: str, body: CalendarEdit
) -> CalendarView:
    """Change days or settings, with a reason. Open cases are counted again some seconds later.

    412 `calendar_changed`: somebody else was quicker.
    """
    application(request).uow.run(edit_calendar, body.command(actor, name))
    return get_calendar(request, actor, name)


class ImportReport(Shape):
    applied: bool
    years: list[int]
    """The years that the file says something of."""
    changes: ChangesShape
    revision: int


@router.post("/{name}/import", operation_id="import_calendar", response_model=ImportReport)
def import_calendar(
    request: Request,
    actor: Administrator,
    name: str,
    file: Annotated[UploadFile, File()],
    revision: Annotated[int | None, Form()] = None,
    reason: Annotated[str, Form(max_length=2000)] = "",
    years: Annotated[list[int] | None, Form(max_length=MOST_YEARS)] = None,
    apply: bool = False,
) -> ImportReport:
    """Say what taking over the years of an iCalendar or JSON file would change, or do it.

    The years of the file (or those named by `years`) replace those of the calendar. To apply it
    send the same file with the `revision` of the preview and a `reason`.
    """
    wired = application(request)
    days = read_calendar_file(file.file.read(MOST_BYTES + 1))
    only = tuple(years) if years is not None else None
    if apply:
        command = TakeOverDays(actor, name, days, reason, only, revision)
        made = wired.uow.run(take_over_days, command)
        wired.ports.calendars.reload()
    else:
        with wired.uow.read() as session:
            made = would_take_over(calendar_row(session, name), days, only)
    return ImportReport(
        applied=apply,
        years=sorted(days.years),
        changes=_changes(made.changes, request.state.locale),
        revision=made.revision,
    )


def _view(
    request: Request, row: CalendarRow, record: list[CalendarChange], editor: str
) -> CalendarView:
    wired, locale = application(request), request.state.locale
    data, counts = calendar_data(row), wired.ports.calendars.named(row.name)
    body = data.as_mapping()
    return CalendarView(
        name=row.name,
        title=dict(row.title),
        extends=row.extends,
        zone=row.zone,
        main=row.name == wired.settings.calendar,
        day_zero=data.day_zero,
        pause_begins=data.pause_begins,
        office_hours=body["office_hours"],
        departments=row.departments,
        revision=row.revision,
        edited_at=row.edited_at,
        edited_by=editor,
        announced=sorted(counts.announced),
        years={year: YearShape.model_validate(said) for year, said in body["years"].items()},
        days=_days(counts, data, locale),
        changes=[
            ChangeShape(
                revision=each.revision,
                at=each.at,
                actor_name=each.actor_name if each.actor_id != SYSTEM.user_id else _system(locale),
                reason=each.reason
                if each.actor_id != SYSTEM.user_id
                else say(locale, "calendar.shipped"),
                changes=_changes(each.changes, locale),
            )
            for each in record
        ],
    )


def _days(counts: WorkingCalendar, data: CalendarData, locale: str) -> list[DayShape]:
    own_off = {day for year in data.years.values() for day in year.days_off()}
    own_on = {day for year in data.years.values() for day in year.make_up_days}
    return [
        DayShape(
            day=day,
            holiday=day in counts.holidays,
            name=in_locale(counts.names.get(day, {}), locale),
            own=day in own_off | own_on,
        )
        for day in sorted(counts.holidays | counts.make_up_days)
    ]


def _changes(said: Mapping[str, Any], locale: str) -> ChangesShape:
    named = {
        key: [{"day": each["day"], "name": in_locale(each["name"], locale)} for each in said[key]]
        for key in ("holidays_added", "holidays_removed")
    }
    return ChangesShape.model_validate({**said, **named})


def _system(locale: str) -> str:
    return say(locale, "actor.system")
