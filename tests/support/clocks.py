"""Packages with clocks of a test's own, and what stands in the rows of a case's clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from api.wiring import Application
from engine.domain import sla
from engine.domain.access import SYSTEM
from engine.domain.calendar_data import Holiday, shipped_calendar, shipped_names
from engine.domain.calendar_set import CalendarSet
from engine.domain.sla import SlaClock
from engine.store.tables import Case, ClockEntry, ClockRow, Event, Job, Notice
from engine.usecases.publish import PublishPackage, publish
from tests.support.small_package import files_of
from tests.unit.bpmn.models import flow, node, settings

LIMITS = """
[limits.reply]
working_days = 20
basis = { zh-CN = "第三十三条", en = "art. 33" }
[limits.reply_promise]
working_days = 15
basis = { zh-CN = "承诺", en = "promise" }
[limits.more]
working_days = 5
basis = { zh-CN = "第四十二条", en = "art. 42" }
[limits.step]
working_days = 3
basis = {}
"""
LETTER = """{{ case.reference }}

{{ case.legal_due | date }} {{ data.clock.reason if data.clock is defined }}
"""
"""What a letter of a small package says."""


def calendars_without(*days: date) -> CalendarSet:
    """The shipped calendars, with these working days of China as further holidays."""
    data = {name: shipped_calendar(name) for name in shipped_names()}
    years = dict(data["cn"].years)
    for day in days:
        year = years[day.year]
        more = (*year.holidays, Holiday(day, day))
        years[day.year] = replace(year, holidays=more, make_up_days=year.make_up_days - {day})
    data["cn"] = replace(data["cn"], years=years)
    return CalendarSet(data.values(), "cn")


def clerk(id_: str, **more: str) -> str:
    """A task of the information office without a form, with settings of its own."""
    inner = settings(**({"department": "FOI", "saves_as": id_} | more))
    return f'<bpmn:manualTask id="{id_}">{inner}</bpmn:manualTask>'


def verb(id_: str, action: str, clock: str = "legal promised", **more: str) -> str:
    """A service task that does something to clocks."""
    inner = settings(action=f"clock.{action}", clock=clock, **more)
    return f'<bpmn:serviceTask id="{id_}">{inner}</bpmn:serviceTask>'


def line_of(*nodes: tuple[str, str]) -> str:
    """A process that goes through these nodes, given by id and XML, one after the other."""
    ids = ["s", *(id_ for id_, _ in nodes), "e"]
    body = node("startEvent", "s") + "".join(xml for _, xml in nodes) + node("endEvent", "e")
    return body + "".join(flow(one, two) for one, two in pairwise(ids))


def with_clocks(body: str, toml: str, letters: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The files of a small package with `toml` after its own manifest."""
    files = files_of(body)
    labels = "".join(f'{each} = {{ zh-CN = "{each}", en = "{each}" }}\n' for each in letters)
    files["package.toml"] += (labels + LIMITS + toml).encode()
    for letter in letters:
        for locale in ("zh-CN", "en"):
            files[f"letters/{letter}.{locale}.j2"] = LETTER.encode()
    return files


def published_clocks(
    wired: Application, body: str, toml: str, letters: tuple[str, ...] = ()
) -> str:
    """Publish `with_clocks`; the id of the version."""
    command = PublishPackage(SYSTEM, with_clocks(body, toml, letters))
    made = wired.uow.run(publish, command)
    assert made.version_id is not None
    return made.version_id


def clock_of(wired: Application, case: Case, key: str) -> SlaClock:
    """The case's clock as it is stored."""
    with wired.uow.read() as session:
        return sla.clock_from_mapping(session.get_one(ClockRow, (case.id, key)).body)


def due_of(wired: Application, case: Case, key: str) -> date:
    return wired.ports.calendar.local_date(clock_of(wired, case, key).due_at)


def ledger_of(wired: Application, case: Case, key: str) -> list[ClockEntry]:
    """The lines of a clock, in their order."""
    with wired.uow.read() as session:
        return list(
            session.scalars(
                select(ClockEntry)
                .where(ClockEntry.case_id == case.id, ClockEntry.clock == key)
                .order_by(ClockEntry.number)
            )
        )


def events_of(wired: Application, case: Case, kind: str) -> list[dict[str, Any]]:
    """The details of the case's events of a kind."""
    with wired.uow.read() as session:
        rows = session.scalars(
            select(Event).where(Event.case_id == case.id, Event.kind == kind).order_by(Event.number)
        )
        return [row.details for row in rows]


def notices_of_case(wired: Application, case: Case) -> list[Notice]:
    with wired.uow.read() as session:
        statement = select(Notice).where(Notice.case_id == case.id)
        return list(session.scalars(statement.order_by(Notice.created_at, Notice.rung)))


def rungs_waiting(wired: Application, case: Case) -> list[Job]:
    """The jobs that wait for the next rung of one of the case's clocks."""
    with wired.uow.read() as session:
        return list(
            session.scalars(
                select(Job).where(
                    Job.case_id == case.id, Job.kind == "clock_rung", Job.state == "waiting"
                )
            )
        )
