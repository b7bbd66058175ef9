"""Cases played on the real product, whose rows are then written for many others.

Playing a million cases would take hours. A prototype is played once, on a database of its own;
for every other case its rows are written again with other identifiers, people and instants, the
audit chained anew, the engine's state made by the engine and the clocks by the clock.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.demo.city.offices import HALL, Staff, code_of, open_city
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.domain.access import SYSTEM, Actor
from engine.kernel.clock import SettableClock
from engine.store.audit import digest_of
from engine.store.bulk import NULL, LineTemplate, column
from engine.store.tables import Base, Case, CaseState, Event, Task, User
from engine.store.tables.base import dump_json
from engine.store.tables.cases import FIRST
from engine.usecases.claim import ClaimTask, claim
from engine.usecases.complete import CompleteTask, complete
from engine.usecases.people import AddUser, actor_of, add_user
from engine.usecases.start_case import StartCase, start_case

STEPS = ("check", "examine", "sign")
IMPORTED = "case_imported"
"""The one event of a case that comes, closed, from an older system."""
_AT = datetime(2026, 3, 2, 1, 11, tzinfo=UTC)
_APART = timedelta(hours=25)
_CASE = (
    "id", "reference", "service", "applicant_id", "department", "legal_due_at", "promised_due_at",
    "received_at", "decided_at", "closed_at", "events", "head",
)  # fmt: skip
_TASK = (
    "id", "case_id", "department", "assignee_id", "due_at", "opened_at", "claimed_at",
    "finished_at", "finished_by",
)  # fmt: skip
_EVENT = ("case_id", "number", "actor_id", "actor_name", "at", "details", "digest")
Person = tuple[str, str]
"""Id and name."""


@dataclass(frozen=True)
class Copy:
    """What a copy has of its own. `instants`: received, then each task finished, then the time
    the open task was claimed; `dues`: of the tasks that were opened."""

    case_id: str
    reference: str
    service: str
    department: str
    applicant: Person
    staff: Sequence[Person]
    instants: Sequence[datetime]
    dues: Sequence[datetime]
    legal: datetime
    promised: datetime
    state: str
    """As a column."""


@dataclass
class Prototype:
    """The templates of one kind of case; `finished` of its tasks are done."""

    finished: int
    state: bytes
    closed: bool
    case: LineTemplate
    case_state: LineTemplate
    tasks: list[LineTemplate]
    events: list[tuple[str, int, int, Mapping[str, Any]]] = field(default_factory=list)
    """Kind, who (-1 the system, -2 the applicant), at which instant, details."""

    def copy(self, of: Copy, ids: Iterator[str], lines: dict[type[Base], list[str]]) -> None:
        """Write the rows of a copy to `lines`, by table."""
        at = [column(instant) for instant in of.instants]
        head = FIRST
        people = [*of.staff, of.applicant, (SYSTEM.user_id, SYSTEM.display_name)]
        for number, (kind, who, when, details) in enumerate(self.events, start=1):
            id_, name = people[who]
            told = {**details, "service": of.service} if "service" in details else details
            head = digest_of(head, of.case_id, number, kind, id_, name, of.instants[when], told)
            text = column(dump_json(told))
            event = _EVENTS[kind].line(of.case_id, number, id_, name, at[when], text, head)
            lines[Event].append(event)
        end = at[self.finished] if self.closed else NULL
        lines[Case].append(
            self.case.line(
                of.case_id,
                of.reference,
                of.service,
                of.applicant[0],
                of.department if self.finished else HALL,
                column(of.legal),
                column(of.promised),
                at[0],
                end,
                end,
                len(self.events),
                head,
            )
        )
        lines[CaseState].append(self.case_state.line(of.case_id, of.state))
        for step, template in enumerate(self.tasks):
            done = step < self.finished
            by = of.staff[step][0] if len(of.staff) > step else NULL
            ended = at[step + 1] if len(of.staff) > step else NULL
            lines[Task].append(
                template.line(
                    next(ids),
                    of.case_id,
                    of.department if step else HALL,
                    by,
                    column(of.dues[step]),
                    at[step],
                    ended,
                    ended if done else NULL,
                    by if done else NULL,
                )
            )


_EVENTS: dict[str, LineTemplate] = {}


def _event(kind: str, who: int, when: int, details: Mapping[str, Any]) -> Any:
    _EVENTS.setdefault(kind, LineTemplate(Event, {"kind": kind}, _EVENT))
    return kind, who, when, details


def slim(whole: Prototype) -> Prototype:
    """The same kind of case as it comes from an older system: one event, and no clocks."""
    events = [_event(IMPORTED, -1, whole.finished, {"source": "load-demo"})]
    return Prototype(
        whole.finished, whole.state, whole.closed, whole.case, whole.case_state, whole.tasks,
        events,
    )  # fmt: skip


@dataclass
class Workshop:
    """A small product on a database of its own, on which prototypes are played."""

    wired: Application
    clock: SettableClock
    staff: Mapping[str, Staff]
    service: str
    department: str

    def play(self, version: str, finished: int, claimed: bool, outcome: str = "") -> Prototype:
        """A case with so many tasks finished, and the next one claimed; rows as of `version`."""
        self.clock.set(_AT)
        applicant = self._actor(user_name="citizen")
        answers = {"district": "river", "matter": "x", "declaration": True}
        command = StartCase(applicant, self.service, answers)
        case = self.wired.uow.run(start_case, command)
        workers = [
            self.staff[HALL].caseworkers[0],
            self.staff[self.department].caseworkers[0],
            self.staff[self.department].lead,
        ]
        given = ({"complete": True}, {"proposal": outcome or "granted"}, {"outcome": outcome})
        for step in range(finished + claimed):
            self.clock.advance(_APART)
            actor = self._actor(id=workers[step])
            task_id = self._open_task(case.id)
            self.wired.uow.run(claim, ClaimTask(actor, task_id))
            if step < finished:
                self.wired.uow.run(complete, CompleteTask(actor, task_id, given[step]))
        return self._read(case.id, version, finished, workers, applicant.user_id)

    def _actor(self, **by: str) -> Actor:
        with self.wired.uow.read() as session:
            return actor_of(session.scalars(select(User).filter_by(**by)).one())

    def _open_task(self, case_id: str) -> str:
        with self.wired.uow.read() as session:
            found = select(Task.id).where(Task.case_id == case_id, Task.state == "open")
            return session.scalars(found).one()

    def _read(
        self, case_id: str, version: str, finished: int, workers: list[str], applicant: str
    ) -> Prototype:
        with self.wired.uow.read() as session:
            case = session.get_one(Case, case_id)
            state = session.get_one(CaseState, case_id)
            tasks = session.scalars(
                select(Task).where(Task.case_id == case_id).order_by(Task.opened_at)
            ).all()
            events = session.scalars(
                select(Event).where(Event.case_id == case_id).order_by(Event.number)
            ).all()
        people = {SYSTEM.user_id: -1, applicant: -2} | {id_: n for n, id_ in enumerate(workers)}
        values = _values(case) | {"package_version_id": version}
        return Prototype(
            finished,
            state.state,
            case.state != "open",
            LineTemplate(Case, values, _CASE),
            LineTemplate(CaseState, {}, ("case_id", "state")),
            [LineTemplate(Task, _values(task), _TASK) for task in tasks],
            [
                _event(row.kind, people[row.actor_id], (row.at - _AT) // _APART, row.details)
                for row in events
            ],
        )


def _values(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if not name.startswith("_")}


@contextmanager
def workshop(service: str) -> Iterator[Workshop]:
    """A workshop for cases of the city's services, of which `service` is one."""
    with tempfile.TemporaryDirectory() as folder:
        clock = SettableClock(_AT)
        wired = wire(read_settings({"BANSHI_DATA_DIR": folder}), clock, ThreadWaker())
        try:
            Path(folder).mkdir(exist_ok=True)
            wired.bring_up_to_date()
            applicant = AddUser(SYSTEM, "citizen", "citizen", "!", ("citizen",))
            wired.uow.run(add_user, applicant)
            _, staff = open_city(wired, [service])
            department = code_of(wired.ports.catalogue.services[service])
            yield Workshop(wired, clock, staff, service, department)
        finally:
            wired.close()
