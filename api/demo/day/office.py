"""The hotline, its departments and their people, and the complaint package with their table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from xml.sax.saxutils import escape

from api.demo.office import PASSWORD, people, shipped_package
from api.wiring import Application
from engine.domain.access import SYSTEM, Actor
from engine.domain.passwords import hash_password
from engine.usecases.absences import EnterAbsence, enter_absence
from engine.usecases.people import (
    AddDepartment,
    AddUser,
    actor_of,
    add_department,
    add_user,
)
from engine.usecases.publish import PublishPackage, publish

HOTLINE = "HOTLINE"
STAFF = 10
"""Caseworkers of each department."""
CAPACITY = 28
"""Tasks that each of them is given in a day."""
AWAY = 0.05
_ADMINISTRATOR = Actor("shell", "shell", "shell", frozenset({"administrator"}))


@dataclass(frozen=True)
class DayOffice:
    """The people of the day: of each department, who is present; of the hotline, two."""

    staff: dict[str, list[Actor]]
    clerk: Actor
    lead: Actor
    citizen: Actor


def place_of(department: str) -> str:
    """The street in which a complaint is the department's."""
    return f"{department}号街道"


def open_day_office(
    wired: Application, departments: Sequence[str], day: date, chance: Random
) -> DayOffice:
    """Departments, people and package; some people are away on `day` and the one after it."""
    for row in people()["departments"]:
        wired.uow.run(add_department, AddDepartment(**row))
    hashed = hash_password(PASSWORD)
    staff = {}
    for code in departments:
        name = {"zh-CN": f"第{code}承办单位", "en": f"Department {code}"}
        wired.uow.run(add_department, AddDepartment(code, name, "12345", {}))
        everybody = list(_staff(wired, code, hashed))
        staff[code] = [each for each in everybody if not _sent_away(wired, each, day, chance)]
    wired.uow.run(publish, PublishPackage(SYSTEM, package(departments)))
    return DayOffice(
        staff,
        _person(wired, "day.clerk", hashed, ("caseworker",), HOTLINE),
        _person(wired, "day.lead", hashed, ("manager",), HOTLINE),
        _person(wired, "day.citizen", hashed, ("citizen",), None),
    )


def _staff(wired: Application, department: str, hashed: str) -> Iterator[Actor]:
    for number in range(STAFF):
        name = f"day.{department.lower()}.{number}"
        yield _person(wired, name, hashed, ("caseworker",), department, CAPACITY)


def _person(
    wired: Application,
    name: str,
    hashed: str,
    roles: tuple[str, ...],
    department: str | None,
    capacity: int | None = None,
) -> Actor:
    command = AddUser(
        SYSTEM, name, name, hashed, roles, department=department, daily_capacity=capacity
    )
    return actor_of(wired.uow.run(add_user, command))


def _sent_away(wired: Application, person: Actor, day: date, chance: Random) -> bool:
    if chance.random() >= AWAY:
        return False
    last = wired.ports.calendar.add_working_days(day, 1)
    wired.uow.run(enter_absence, EnterAbsence(_ADMINISTRATOR, person.user_id, day, last))
    return True


def package(departments: Sequence[str]) -> dict[str, bytes]:
    """The complaint package, dispatching by street to the person with the least to do."""
    files = shipped_package("complaint")
    manifest = files["package.toml"].decode()
    table = '[dispatch]\ntable = "dispatch"\n'
    files["package.toml"] = manifest.replace(table, f'{table}assign = "least_loaded"\n').encode()
    files["dispatch.dmn"] = _table(departments).encode()
    return files


def _table(departments: Sequence[str]) -> str:
    rules = "".join(
        f'<rule id="r{number}"><description>{escape(place_of(code))}</description>'
        f'<inputEntry id="r{number}_in"><text>"{escape(place_of(code))}"</text></inputEntry>'
        f'<outputEntry id="r{number}_out"><text>"{code}"</text></outputEntry></rule>'
        for number, code in enumerate(departments, start=1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="day" name="day" '
        'namespace="http://banshi.example/decisions"><decision id="dispatch" name="dispatch">'
        '<decisionTable id="table" hitPolicy="FIRST"><input id="place">'
        '<inputExpression expressionLanguage="python" id="expression" typeRef="string">'
        "<text>application.place</text></inputExpression></input>"
        '<output id="department" name="department" typeRef="string"/>'
        f"{rules}</decisionTable></decision></definitions>"
    )
