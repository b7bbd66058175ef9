"""The city's departments and staff, and the package with which they handle its services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from sqlalchemy import select

from api.demo.office import PASSWORD, package_files
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.domain.catalogue import Catalogue, Service
from engine.domain.passwords import hash_password
from engine.store.tables import OfferedServiceRow, PackageVersion, User
from engine.usecases.people import AddDepartment, AddUser, add_department, add_user
from engine.usecases.publish import PublishPackage, publish

KEY = "city_service"
HALL = "HALL"
CASEWORKERS = 6
"""Of each department, beside one who signs."""
DEFAULT_LEGAL, DEFAULT_PROMISE = 20, 10
"""Working days, where the catalogue names none."""
_CODES = {
    "12345 Hotline Centre": "HOTLINE",
    "HR & Social Security": "LABOUR",
    "Housing & Construction": "HOUSING",
    "Information Disclosure Office": "FOI",
    "Market Regulation": "TRADE",
    "Natural Resources": "LAND",
    "Water": "WATERWORKS",
}


@dataclass(frozen=True)
class Staff:
    """The ids of a department's caseworkers, and of who signs."""

    caseworkers: tuple[str, ...]
    lead: str


def code_of(service: Service) -> str:
    """The code of the department that handles the service."""
    name = service.department["en"]
    return _CODES.get(name) or "".join(filter(str.isalpha, name)).upper()[:20]


def days_of(service: Service) -> tuple[int, int]:
    """The working days of the law and of the promise."""
    written = service.statutory or ""
    legal = int(written[:-2]) if written.endswith("wd") else DEFAULT_LEGAL
    return legal, min(service.promise_wd or 1, legal)


def city_services(wired: Application) -> list[str]:
    """The catalogue's services that no other package offers, in the catalogue's order."""
    with wired.uow.read() as session:
        taken = set(
            session.scalars(
                select(OfferedServiceRow.service)
                .join(PackageVersion, PackageVersion.id == OfferedServiceRow.package_version_id)
                .where(PackageVersion.key != KEY)
            )
        )
    return [code for code in wired.ports.catalogue.services if code not in taken]


def open_city(wired: Application, services: list[str]) -> tuple[str, dict[str, Staff]]:
    """Departments, staff and package; the version's id and the staff by department."""
    catalogue = wired.ports.catalogue
    names = {code_of(catalogue.services[code]): catalogue.services[code] for code in services}
    wired.uow.run(
        add_department,
        AddDepartment(HALL, {"zh-CN": "政务服务大厅", "en": "Service Hall"}, "12345", {}),
    )
    for code, service in names.items():
        wired.uow.run(add_department, AddDepartment(code, dict(service.department), "12345", {}))
    hashed = hash_password(PASSWORD)
    staff = {code: _staff(wired, code, hashed) for code in (HALL, *names)}
    made = wired.uow.run(publish, PublishPackage(SYSTEM, package(catalogue, services)))
    return str(made.version_id), staff


def _staff(wired: Application, department: str, hashed: str) -> Staff:
    ids = []
    for number in range(CASEWORKERS + 1):
        lead = number == CASEWORKERS
        name = f"city_{department.lower()}_{'lead' if lead else number + 1}"
        with wired.uow.read() as session:
            user = session.scalar(select(User).where(User.user_name == name))
        if user is None:
            command = AddUser(
                SYSTEM, name, name, hashed, ("manager" if lead else "caseworker",),
                department=department,
            )  # fmt: skip
            user = wired.uow.run(add_user, command)
        ids.append(user.id)
    return Staff(tuple(ids[:-1]), ids[-1])


def package(catalogue: Catalogue, services: list[str]) -> dict[str, bytes]:
    """The files of the package that offers `services`."""
    made = dict(package_files(files("api.demo.city").joinpath("package")))
    made["package.toml"] = "\n".join(_manifest(catalogue, services)).encode()
    made["dispatch.dmn"] = "\n".join(_table(catalogue, services)).encode()
    return made


def _manifest(catalogue: Catalogue, services: list[str]) -> Iterator[str]:
    yield f'[package]\nkey = "{KEY}"\nprocess = "{KEY}"\nreference_prefix = "ZW"'
    yield 'title = { zh-CN = "一般政务服务事项", en = "Ordinary service" }'
    yield '[start]\nsaves_as = "application"'
    for code in services:
        legal, promise = days_of(catalogue.services[code])
        yield f'[[services]]\ncode = "{code}"\nform = "application"'
        yield f"[services.limits]\ndecision = {{ working_days = {legal} }}"
        yield f"decision_promise = {{ working_days = {promise} }}"
    limits = {
        "decision": DEFAULT_LEGAL, "decision_promise": DEFAULT_PROMISE,
        "check": 1, "examine": 5, "sign": 2,
    }  # fmt: skip
    for name, days in limits.items():
        yield f"[limits.{name}]\nworking_days = {days}"
    yield "[labels]"
    for id_, chinese, english in _LABELS:
        yield f'{id_} = {{ zh-CN = "{chinese}", en = "{english}" }}'
    yield "[stages]"
    for stage, chinese, english in _STAGES:
        yield f'{stage} = {{ zh-CN = "{chinese}", en = "{english}" }}'
    yield '[outcomes]\ngranted = { zh-CN = "准予", en = "Granted" }'
    yield 'refused = { zh-CN = "不予", en = "Refused" }'


def _table(catalogue: Catalogue, services: list[str]) -> Iterator[str]:
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="派单" '
        'namespace="http://banshi.example/city"><decision id="dispatch" name="派单">'
        '<decisionTable id="t" hitPolicy="FIRST"><input id="i" label="事项"><inputExpression '
        'expressionLanguage="python" id="e" typeRef="string"><text>case.service</text>'
        '</inputExpression></input><output id="o" label="部门" name="department" '
        'typeRef="string" />'
    )
    for code in services:
        department = code_of(catalogue.services[code])
        yield (
            f'<rule id="r_{code}"><inputEntry id="i_{code}"><text>"{code}"</text></inputEntry>'
            f'<outputEntry id="o_{code}"><text>"{department}"</text></outputEntry></rule>'
        )
    yield "</decisionTable></decision></definitions>"


_LABELS = (
    ("received", "收到申请", "Application received"),
    ("dispatch", "按事项派单", "Find the department"),
    ("start_clocks", "开始计时", "Start the clocks"),
    ("check", "窗口审核", "Check at the desk"),
    ("examine", "业务审查", "Examine"),
    ("sign", "审批决定", "Decide"),
    ("decide", "作出决定", "Record the decision"),
    ("stop_clocks", "停止计时", "Stop the clocks"),
    ("finished", "办结", "Finished"),
)
_STAGES = (
    ("submitted", "已提交", "Submitted"),
    ("accepted", "已受理", "Accepted"),
    ("handling", "办理中", "Being handled"),
    ("decided", "已决定", "Decided"),
    ("finished", "已办结", "Finished"),
)
