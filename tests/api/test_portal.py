"""The portal: nothing typed is lost, nothing forged is kept, nothing internal is shown."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.demo.office import PASSWORD
from api.main import create_app
from api.wiring import Application
from engine.store.tables import Case, Document
from engine.usecases.documents import StoreDocument, store_document
from tests.support.play import REQUEST, actor, done, drain, filed

PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def client(small_office: Application) -> Iterator[TestClient]:
    with TestClient(create_app(small_office)) as made:
        yield made


def token(client: TestClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def signed_in(client: TestClient, user: str) -> None:
    client.cookies.clear()
    fields = {"user_name": user, "password": PASSWORD, "csrf": token(client, "/sign-in")}
    assert client.post("/sign-in", data=fields, follow_redirects=False).status_code == 303


def begun(client: TestClient) -> str:
    """The first page of an information request."""
    csrf = token(client, "/services/F001")
    answer = client.post("/services/F001/apply", data={"csrf": csrf}, follow_redirects=False)
    return answer.headers["location"]


def test_a_refused_file_loses_nothing_that_was_typed(client: TestClient) -> None:
    signed_in(client, "citizen")
    page = begun(client)
    fields = {
        "csrf": token(client, page),
        "title": "规划许可",
        "description": "请公开规划许可的文件",
    }
    files = {"attachments": ("virus.exe", b"MZ", "application/pdf")}
    answer = client.post(page, data=fields, files=files)
    assert answer.status_code == 422
    assert "virus.exe" in answer.text
    assert 'value="规划许可"' in answer.text
    assert 'value="规划许可"' in client.get(page).text


def test_a_forged_upload_keeps_nothing(client: TestClient, small_office: Application) -> None:
    signed_in(client, "citizen")
    page = begun(client)
    files = {"attachments": ("a.pdf", PDF, "application/pdf")}
    assert client.post(page, data={"csrf": "forged"}, files=files).status_code == 403
    with small_office.uow.read() as session:
        assert session.scalar(select(func.count()).select_from(Document)) == 0


def test_sending_twice_makes_one_case(client: TestClient, small_office: Application) -> None:
    signed_in(client, "citizen")
    page = begun(client)
    draft = page.rsplit("/", 1)[0]
    for name in ("what", "how", "you"):
        fields = {key: "yes" if value is True else str(value) for key, value in REQUEST.items()}
        fields["csrf"] = token(client, f"{draft}/{name}")
        sent = client.post(
            f"{draft}/{name}", data=fields, files={"none": ("", b"")}, follow_redirects=False
        )
        assert sent.status_code == 303, sent.text
    csrf = token(client, f"{draft}/check")
    places = {
        client.post(f"{draft}/check", data={"csrf": csrf}, follow_redirects=False).headers[
            "location"
        ]
        for _ in range(2)
    }
    assert len(places) == 1
    with small_office.uow.read() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_papers_of_the_office_stay_inside_until_they_are_released(
    client: TestClient, small_office: Application
) -> None:
    case = filed(small_office)
    done(small_office, case, "check_request", "foi_officer", outcome="accept")
    officer = actor(small_office, "planning")
    paper = small_office.uow.run(
        store_document, StoreDocument(officer, "许可证.pdf", io.BytesIO(PDF))
    )
    done(
        small_office, case, "search", "planning",
        outcome="prepared", decision="disclosed", reply="予以公开", documents=[paper.id],
    )  # fmt: skip
    signed_in(client, "citizen")
    assert "许可证.pdf" not in client.get(f"/cases/{case.reference}").text
    assert client.get(f"/documents/{paper.id}").status_code == 404
    done(small_office, case, "approve", "foi_lead", secrecy="clear", outcome="approve")
    drain(small_office)
    assert "许可证.pdf" in client.get(f"/cases/{case.reference}").text
    download = client.get(f"/documents/{paper.id}")
    assert download.content == PDF
    assert download.headers["content-disposition"].startswith("attachment")
    signed_in(client, "citizen2")
    assert client.get(f"/documents/{paper.id}").status_code == 404
