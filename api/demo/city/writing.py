"""The rows of the city's cases, as lines: an application of the history becomes a case."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select

from api.demo.city.history import Filing
from api.demo.city.offices import HALL, Staff, code_of, days_of
from api.demo.city.people import Citizens
from api.demo.city.prototype import Copy, Person, Prototype, slim, workshop
from api.wiring import Application
from engine.domain import sla
from engine.domain.calendar import WorkingCalendar
from engine.domain.limit import Limit
from engine.kernel.ids import case_reference
from engine.store.bulk import LineTemplate, column
from engine.store.tables import Base, ClockEntry, ClockRow, Rating, User
from engine.store.tables.base import dump_json
from engine.usecases.definition import Definition

SERIES = "ZW"
RECENT = timedelta(days=120)
"""The open ones are among the cases of this time."""
Lines = dict[type[Base], list[str]]
_LIMITS = (1, 5, 2)
"""Working days of the three tasks, as in the package."""
_CLOCK = LineTemplate(ClockRow, {}, ("case_id", "key", "kind", "state", "due_at", "body"))
_ENTRY = LineTemplate(
    ClockEntry, {"verb": "start"}, ("id", "case_id", "number", "clock", "at", "line")
)
_RATING = LineTemplate(Rating, {"comment": None}, ("case_id", "grade", "at"))


class CaseWriter:
    """Writes cases of package `version`; of the recent ones the share `lingering` is open."""

    lingering = 0.0

    def __init__(
        self, wired: Application, services: Sequence[str], version: str, staff: Mapping[str, Staff]
    ) -> None:
        self._random = random.Random()  # noqa: S311 - made-up data
        self._staff = staff
        self._until, self._calendar = wired.ports.clock.now(), wired.ports.calendar
        self._catalogue = wired.ports.catalogue.services
        self._definition: Definition = wired.definition(version)
        self._dues: dict[tuple[date, int], datetime] = {}
        self._states: dict[tuple[str, str, bool], str] = {}
        self._names = _staff_names(wired, staff)
        with workshop(services[0]) as made:
            self._open = {
                (finished, claimed): made.play(version, finished, claimed)
                for finished in range(3)
                for claimed in (False, True)
            }
            self._closed = {
                refused: slim(made.play(version, 3, False, "refused" if refused else "granted"))
                for refused in (False, True)
            }

    def write(
        self, filings: Sequence[Filing], numbers: dict[int, int], people: Citizens, seed: int
    ) -> Lines:
        """The lines of these cases; `numbers` are the last ones given out, by year."""
        self._random.seed(seed)
        lines: Lines = defaultdict(list)
        for filing in filings:
            ids = _ids(filing.at, self._random)
            year = self._calendar.local_date(filing.at).year
            numbers[year] += 1
            reference = case_reference(SERIES, year, numbers[year])
            given = (next(ids), reference, people.person(filing.citizen))
            end = filing.at + timedelta(days=filing.days)
            if end < self._until and not self._lingers(filing):
                self._write_closed(filing, end, given, ids, lines)
            else:
                self._write_open(filing, given, ids, lines)
        return lines

    def _lingers(self, filing: Filing) -> bool:
        return filing.at > self._until - RECENT and self._random.random() < self.lingering

    def _write_closed(
        self,
        filing: Filing,
        end: datetime,
        given: tuple[str, str, Person],
        ids: Iterator[str],
        lines: Lines,
    ) -> None:
        prototype, spent = self._closed[filing.refused], end - filing.at
        instants = [filing.at, filing.at + spent * 0.15, filing.at + spent * 0.8, end]
        key = (filing.service, filing.district, filing.refused)
        if key not in self._states:
            self._states[key] = self._state(prototype, filing, None)
        copy = self._copy(filing, prototype, given, instants, self._states[key])
        prototype.copy(copy, ids, lines)
        if filing.rating:
            lines[Rating].append(_RATING.line(copy.case_id, filing.rating, column(end)))

    def _write_open(
        self,
        filing: Filing,
        given: tuple[str, str, Person],
        ids: Iterator[str],
        lines: Lines,
    ) -> None:
        finished = self._random.choices((0, 1, 2), (3, 5, 2))[0]
        claimed = self._random.random() < 0.4
        prototype, waited = self._open[finished, claimed], self._until - filing.at
        steps = range(finished + claimed + 1)
        instants = [filing.at + waited * (step / (finished + 2)) for step in steps]
        state = self._state(prototype, filing, given)
        copy = self._copy(filing, prototype, given, instants, state)
        prototype.copy(copy, ids, lines)
        legal, promised = days_of(self._catalogue[filing.service])
        at = column(filing.at)
        for number, (key, days) in enumerate((("legal", legal), ("promised", promised))):
            clock, line = sla.start(Limit("working_days", days), filing.at, self._calendar)
            body = column(dump_json(sla.clock_as_mapping(clock)))
            entry = column(dump_json(line.as_mapping()))
            lines[ClockRow].append(
                _CLOCK.line(copy.case_id, key, key, clock.state, column(clock.due_at), body)
            )
            lines[ClockEntry].append(
                _ENTRY.line(next(ids), copy.case_id, number + 3, key, at, entry)
            )

    def _copy(
        self,
        filing: Filing,
        prototype: Prototype,
        given: tuple[str, str, Person],
        instants: Sequence[datetime],
        state: str,
    ) -> Copy:
        service = self._catalogue[filing.service]
        department = code_of(service)
        desk, office = self._staff[HALL], self._staff[department]
        chance = self._random
        staff = (chance.choice(desk.caseworkers), chance.choice(office.caseworkers), office.lead)
        legal, promised = days_of(service)
        opened = range(len(prototype.tasks))
        return Copy(
            *given[:2], filing.service, department, given[2],
            [(id_, self._names[id_]) for id_ in staff[: len(instants) - 1]],
            instants, [self._due(instants[step], _LIMITS[step]) for step in opened],
            self._due(filing.at, legal), self._due(filing.at, promised), state,
        )  # fmt: skip

    def _due(self, at: datetime, days: int) -> datetime:
        key = (self._calendar.local_date(at), days)
        if key not in self._dues:
            self._dues[key] = _last_second(self._calendar, *key)
        return self._dues[key]

    def _state(
        self, prototype: Prototype, filing: Filing, given: tuple[str, str, Person] | None
    ) -> str:
        """The prototype's state with the case's own data; an imported one has no reference."""
        service = self._catalogue[filing.service]
        reference, (id_, name) = (given[1], given[2]) if given else ("", ("", ""))
        case = {
            "reference": reference,
            "service": filing.service,
            "form": "application",
            "channel": "web",
            "received_on": self._calendar.local_date(filing.at).isoformat() if given else "",
            "title": dict(service.name),
            "applicant": {"id": id_, "name": name, "email": "", "phone": ""},
        }
        answers = {
            "district": filing.district, "matter": service.name["zh-CN"], "declaration": True,
        }  # fmt: skip
        data = {
            "case": case, "application": answers, "dispatch": {"department": code_of(service)},
        }  # fmt: skip
        return self._definition.process.correct(prototype.state, data).state.hex()


def _ids(at: datetime, chance: random.Random) -> Iterator[str]:
    """Identifiers (UUID version 7) of the instant at which the case was filed."""
    begin = f"{int(at.timestamp() * 1000):012x}7"
    while True:
        yield f"{begin}{chance.getrandbits(12):03x}{chance.getrandbits(62) | 1 << 63:016x}"


def _last_second(calendar: WorkingCalendar, day: date, days: int) -> datetime:
    return calendar.end_of(calendar.add_working_days(day, days)) - timedelta(seconds=1)


def _staff_names(wired: Application, staff: Mapping[str, Staff]) -> dict[str, str]:
    ids = [id_ for each in staff.values() for id_ in (*each.caseworkers, each.lead)]
    with wired.uow.read() as session:
        rows = session.execute(select(User.id, User.display_name).where(User.id.in_(ids)))
        return {row.id: row.display_name for row in rows}
