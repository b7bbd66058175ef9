"""Words for codes: names of services, departments, elements and dates in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from api.service_names import services_named
from api.wiring import Application
from engine.domain.calendar import WorkingCalendar
from engine.domain.catalogue import Service
from engine.store.queries.people import departments
from engine.store.tables import Case, Department
from engine.store.uow import ReadSession
from engine.usecases.definition import Definition, definition


@dataclass
class Words:
    """Names in one language, looked up once for one answer."""

    wired: Application
    session: ReadSession
    locale: str
    _departments: dict[str, Department] | None = None
    _services: Mapping[str, Service] | None = None

    def definition(self, case: Case) -> Definition:
        return definition(self.session, case.package_version_id, self.wired.ports)

    def department(self, code: str | None) -> str | None:
        if self._departments is None:
            self._departments = departments(self.session)
        row = self._departments.get(code or "")
        return row.name[self.locale] if row else code

    def service(self, code: str) -> str:
        return self.services({code})[code].name[self.locale]

    def services(self, codes: Iterable[str]) -> Mapping[str, Service]:
        """The services of these codes, and the catalogue's."""
        if self._services is None or not set(codes) <= self._services.keys():
            named = services_named(self.session, self.wired.ports.catalogue, codes)
            self._services = {**(self._services or {}), **named}
        return self._services

    def calendar(self, case: Case) -> WorkingCalendar:
        """The calendar on which the case's clocks count."""
        name = self.definition(case).manifest.calendar_of(case.service)
        return self.wired.ports.calendars.named(name)


def remaining_working_days(
    calendar: WorkingCalendar, due: datetime | None, now: datetime
) -> int | None:
    """Working days from today to the day of `due`: 0 is today, negative is overdue."""
    if due is None:
        return None
    today, day = calendar.local_date(now), calendar.local_date(due)
    if day >= today:
        return calendar.working_days_between(today, day)
    return -calendar.working_days_between(day, today)
