"""The invented office: its departments, people and published packages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.domain.passwords import hash_password
from engine.store.tables import User
from engine.usecases.people import AddDepartment, AddUser, add_department, add_user
from engine.usecases.publish import Published, PublishPackage, publish

PASSWORD = "banshi-demo-2026"  # noqa: S105 - invented people only, and only in demo mode
PACKAGES = ("information_request", "complaint", "service_application")
_IGNORED = ("__pycache__",)


def people() -> dict[str, Any]:
    """The departments and people of the invented office."""
    source = files("api.demo").joinpath("people.json")
    made: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return made


def package_files(root: Traversable | Path, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Every file of a package folder by its path in the package."""
    for entry in sorted(root.iterdir(), key=lambda each: each.name):
        if entry.name in _IGNORED or entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from package_files(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()


def shipped_package(key: str) -> dict[str, bytes]:
    """The files of a package that ships with the product."""
    return dict(package_files(files("processes").joinpath(key)))


def open_office(wired: Application, with_people: bool = True) -> list[Published]:
    """Add departments, people and the shipped packages; doing it again changes nothing."""
    office = people()
    for row in office["departments"]:
        wired.uow.run(add_department, AddDepartment(**row))
    if with_people:
        _add_people(wired, office["people"])
    return [
        wired.uow.run(publish, PublishPackage(SYSTEM, shipped_package(key))) for key in PACKAGES
    ]


def _add_people(wired: Application, rows: list[dict[str, Any]]) -> None:
    with wired.uow.read() as session:
        known = set(session.scalars(select(User.user_name)))
    missing = [row for row in rows if row["user_name"] not in known]
    if not missing:
        return
    # One hash for all: they share the printed password, and each hash takes 40 ms.
    hashed = hash_password(PASSWORD)
    for row in missing:
        command = AddUser(
            actor=SYSTEM, password_hash=hashed, **{**row, "roles": tuple(row["roles"])}
        )
        wired.uow.run(add_user, command)
