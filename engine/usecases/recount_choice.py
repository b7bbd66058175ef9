"""Which open cases a recount looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from engine.domain.lifecycle import WAITING_STATES
from engine.domain.ports import Ports
from engine.store.tables import Case, Department, PackageVersion, Task
from engine.usecases.clock_calendar import service_calendar
from engine.usecases.definition import definition


@dataclass(frozen=True)
class Wanted:
    """All open cases, or those of services, departments or packages, or single ones.

    With `calendars` or `offices` only those with a date that rests on one of these calendars, or
    with a task at one of these departments, whose calendar has become another.
    """

    services: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()

    def conditions(self, session: Session, ports: Ports) -> list[ColumnElement[bool]]:
        """What a case must meet."""
        made: list[ColumnElement[bool]] = [Case.state == "open"]
        if self.services:
            made.append(Case.service.in_(self.services))
        if self.departments:
            made.append(Case.department.in_(self.departments))
        if self.packages:
            of = select(PackageVersion.id).where(PackageVersion.key.in_(self.packages))
            made.append(Case.package_version_id.in_(of))
        if self.cases:
            made.append(Case.id.in_(self.cases) | Case.reference.in_(self.cases))
        if self.calendars or self.offices:
            resting = _resting(session, ports, self.calendars, set(self.offices))
            if resting is not None:
                made.append(resting)
        return made


def wanted_from(stored: dict[str, Any]) -> Wanted:
    """What `Recount.wanted` holds."""
    return Wanted(**{name: tuple(values) for name, values in stored.items()})


def count_wanted(session: Session, ports: Ports, wanted: Wanted) -> int:
    """How many open cases there are to look at."""
    conditions = wanted.conditions(session, ports)
    return session.scalar(select(func.count()).select_from(Case).where(*conditions)) or 0


def _resting(
    session: Session, ports: Ports, names: tuple[str, ...], offices: set[str]
) -> ColumnElement[bool] | None:
    """The cases with a date on one of these calendars; None if that may be any case.

    Whoever is looked at without need does not move.
    """
    calendars = ports.calendars
    known = [name for name in names if name in calendars.names()]
    affected = frozenset[str]().union(*(calendars.resting_on(name) for name in known))
    if calendars.main().name in affected:
        return None
    codes = set(session.scalars(select(Department.code)))
    offices |= {code for code in codes if calendars.of_department(code).name in affected}
    tasks = Task.state.in_(WAITING_STATES) & Task.department.in_(sorted(offices))
    return or_(
        Case.id.in_(select(Task.case_id).where(tasks)),
        *_of_services(session, ports, affected),
    )


def _of_services(
    session: Session, ports: Ports, affected: frozenset[str]
) -> Iterator[ColumnElement[bool]]:
    pairs = select(Case.package_version_id, Case.service).where(Case.state == "open").distinct()
    for version, service in session.execute(pairs):
        made = definition(session, version, ports)
        if service_calendar(ports.calendars, made, service).name in affected:
            yield and_(Case.package_version_id == version, Case.service == service)
