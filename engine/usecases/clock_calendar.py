"""On which working calendar a clock counts: the service's, or that of a department's office."""

from __future__ import annotations

from engine.domain.calendar import WorkingCalendar
from engine.domain.ports import Calendars
from engine.domain.sla import SlaClock
from engine.store.tables import Case
from engine.store.uow import Work
from engine.usecases.definition import Contents, Definition, definition_for


def service_calendar(calendars: Calendars, made: Contents, service: str) -> WorkingCalendar:
    """The calendar of the dates of the service's cases. Raises CalendarUnknown."""
    return calendars.named(made.manifest.calendar_of(service))


def calendar_of(work: Work, case: Case) -> WorkingCalendar:
    """The calendar of the case's dates. Raises CalendarUnknown."""
    made = definition_for(work, case.package_version_id)
    return service_calendar(work.ports.calendars, made, case.service)


def clock_calendar(
    calendars: Calendars, made: Definition, case: Case, clock: SlaClock | str
) -> WorkingCalendar:
    """The calendar of one clock, or of a clock that is counted at a department's office.

    The work of staff is counted where they work; what the applicant waits for, and does, on the
    service's calendar. Raises CalendarUnknown.
    """
    department = clock if isinstance(clock, str) else clock.department
    if department:
        return calendars.of_department(department)
    return service_calendar(calendars, made, case.service)
