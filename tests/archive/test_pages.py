"""Whoever opens an archived case sees what they saw before, in every interface."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.demo.office import PASSWORD
from api.main import create_app
from api.wiring import Application
from engine.store.tables import Case, Document, Letter, Task, User
from engine.usecases.archive import archive_closed
from tests.archive.test_archive import CLERK
from tests.support.engine_rest import ADMIN, ROOT


@pytest.fixture
def client(old_office: Application) -> Iterator[TestClient]:
    with TestClient(create_app(old_office)) as made:
        yield made


@pytest.fixture
def small_client(small_old_office: Application) -> Iterator[TestClient]:
    with TestClient(create_app(small_old_office)) as made:
        yield made


def addresses(wired: Application) -> dict[str, list[str]]:
    """What each of several people may open of the closed cases."""
    with wired.uow.read() as session:
        names = {row.id: row.user_name for row in session.scalars(select(User))}
        cases = session.scalars(select(Case).where(Case.state != "open")).all()
        found = {
            "manager": ["/api/v1/cases", "/api/v1/sla"],
            "foi_officer": ["/api/v1/cases"],
            "roads": ["/api/v1/cases"],
        }
        for case in cases:
            own = found.setdefault(names[case.applicant_id], ["/cases"])
            own += [f"/cases/{case.reference}", f"/cases/{case.reference}/confirmation"]
            letters = session.scalars(select(Letter).where(Letter.case_id == case.id))
            own += [f"/letters/{row.id}" for row in letters]
            documents = session.scalars(select(Document).where(Document.case_id == case.id)).all()
            own += [f"/documents/{row.id}" for row in documents]
            of_staff = [f"/api/v1/cases/{case.id}", f"/api/v1/cases/{case.id}/diagram"]
            of_staff += [f"/api/v1/documents/{row.id}" for row in documents]
            found["manager"] += of_staff
            departments = session.scalars(select(Task.department).where(Task.case_id == case.id))
            for person, department in (("foi_officer", "FOI"), ("roads", "ROADS")):
                if department in set(departments):
                    found[person] += of_staff
            found.setdefault("admin", []).extend(
                [
                    f"{ROOT}/process-instance/{case.id}/variables",
                    f"{ROOT}/history/process-instance/{case.id}",
                    f"{ROOT}/history/activity-instance?processInstanceId={case.id}",
                ]
            )
    return found


def pages(client: TestClient, found: dict[str, list[str]]) -> dict[str, tuple[int, str]]:
    made = {}
    for person, paths in found.items():
        client.cookies.clear()
        if person != "admin":
            body = {"user_name": person, "password": PASSWORD}
            assert client.post("/api/v1/session", json=body).status_code in (200, 409), person
        for path in paths:
            answer = client.get(path, auth=ADMIN if person == "admin" else None)
            text = re.sub(r'(name="csrf" (?:value|content)=)"[^"]*"', r"\1", answer.text)
            made[f"{person} {path}"] = (answer.status_code, text)
    return made


def test_every_page_is_the_same(client: TestClient, old_office: Application) -> None:
    found = addresses(old_office)
    before = pages(client, found)
    assert {status for status, _ in before.values()} <= {200, 404}
    read = [text for status, text in before.values() if status == 200]
    assert len(read) > 0.8 * len(before)
    archive_closed(old_office.uow, CLERK, old_office.ports.clock.now())
    after = pages(client, found)
    for address, answer in before.items():
        assert after[address] == answer, address


def test_the_file_of_a_program(small_client: TestClient, small_old_office: Application) -> None:
    with small_old_office.uow.read() as session:
        case = (
            session.scalars(select(Case).where(Case.service == "")).first()
            or session.scalars(select(Case).order_by(Case.id.desc()).limit(1)).one()
        )
    path = f"{ROOT}/process-instance/{case.id}/variables/plan/data"
    before = small_client.get(path, auth=ADMIN)
    assert (before.status_code, before.content) == (200, b"%PDF-1")
    archive_closed(small_old_office.uow, CLERK, small_old_office.ports.clock.now())
    assert small_client.get(path, auth=ADMIN).content == before.content


def test_tracking_and_what_is_not_yours(
    small_client: TestClient, small_old_office: Application
) -> None:
    archive_closed(small_old_office.uow, CLERK, small_old_office.ports.clock.now())
    with small_old_office.uow.read() as session:
        citizen = session.scalars(select(User).where(User.user_name == "citizen")).one()
        case = session.scalars(select(Case).where(Case.applicant_id == citizen.id)).first()
        assert case is not None
    small_client.cookies.clear()
    body = {"user_name": "citizen2", "password": PASSWORD}
    assert small_client.post("/api/v1/session", json=body).status_code == 200
    for path in (f"/cases/{case.reference}", "/letters/" + "0" * 32):
        assert small_client.get(path).status_code == 404
