"""A process killed at any point loses nothing that was answered, and does nothing twice.

What is told once, happens once: cases, claims, completions, documents, letters. What leaves the
house is repeated if the process dies before it could write down that it was done: a mail then
comes twice with one Message-ID, and a call of another system twice with one key.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.demo.office import open_office
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from api.worker.waker import ThreadWaker
from engine.kernel.clock import SettableClock
from engine.kernel.faults import CRASH_POINTS
from engine.store.tables import Case, CaseState, Document, Event, Incident, Letter
from engine.usecases.invariants import violations
from tests.conftest import BEGINNING
from tests.faults.support import acts
from tests.faults.support.children import Act, nursery
from tests.support.connector_models import calling
from tests.support.small_package import person, published
from tests.support.smtp import SmtpServer, smtp_server
from tests.support.web import Reply, WebServer, web_server
from tests.unit.bpmn.coverage.play import end, script, start, straight

WHOLE = os.environ.get("BANSHI_WHOLE_STORM") == "1"
ROOT = Path(__file__).resolve().parents[2]
# Each point, by what passes it. A number chooses the command of the request: what `before_commit`
# counts are a sign-in, the filing, a sign-in, the claim, the document and the completion.
POINTS: dict[Act, list[str]] = {
    acts.file_and_handle: [
        "case_locked", "before_commit:2", "before_commit:6", "after_commit:2", "after_commit:6",
        "before_answer:2", "file_written", "file_kept",
        "worker_woken", "job_leased", "letter_rendered", "mail_sent", "job_acted", "job_finished",
        *(["case_locked:2", "before_commit:4", "before_commit:5", "after_commit:4",
           "after_commit:5", "before_answer:4", "before_answer:5"] if WHOLE else []),
    ],
    acts.call: ["connector_called", "job_acted"],
    acts.fail: ["step_undone"],
}  # fmt: skip
LINES = [(act, point) for act, points in POINTS.items() for point in points]


@dataclass
class Killed:
    """The office after processes were killed at every point, and the same was tried again."""

    wired: Application
    mails: SmtpServer
    web: WebServer
    told: dict[str, list[str]] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    def case(self, title: str) -> Case:
        """The one case with this title."""
        with self.wired.uow.read() as session:
            found = [
                case
                for case in session.scalars(select(Case))
                if session.get_one(CaseState, case.id).data["application"]["title"] == title
            ]
        (case,) = found
        return case


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def killed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Killed]:
    """Each point in turn, every time on a case of its own; then all is done again, unhurt."""
    folder = tmp_path_factory.mktemp("killed")
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'banshi.db'}"
        if request.param == "mariadb":
            url = stack.enter_context(request.getfixturevalue("new_database")())
        mails = stack.enter_context(smtp_server())
        web = stack.enter_context(web_server(Reply(body=b"{}")))
        environment = {
            "BANSHI_DATABASE_URL": url,
            "BANSHI_DATA_DIR": str(folder),
            "BANSHI_SMTP_URL": f"smtp://127.0.0.1:{mails.server_address[1]}",
            "BANSHI_CONNECTOR_HOSTS": f"127.0.0.1:{web.port}",
            "BANSHI_DEMO": "1",
        }
        clock = SettableClock(BEGINNING)
        wired = wire(read_settings(environment), clock, ThreadWaker())
        stack.callback(wired.close)
        migrate(wired.engine)
        open_office(wired)
        url = f"{web.url}/call"
        published(wired, calling("http", url=url, method="POST"), service=acts.CALLING, key="calls")
        fails = straight(start(), person("a"), script("divide", "x = 1 / 0"), end())
        published(wired, fails, service=acts.FAILING, key="fails")
        made = Killed(wired, mails, web)
        children = stack.enter_context(nursery(environment))
        for again in (False, True):
            for act, point in LINES:
                # The leases of those who died have ended.
                clock.advance(timedelta(minutes=1))
                title = f"{act.__name__} {point}".replace(":", " ")
                now = {"TEST_NOW": clock.now().isoformat(), "TEST_TITLE": title}
                ended, told = children.played(act, environment | now, "" if again else point)
                made.told.setdefault(title, []).extend(told)
                made.ended.setdefault(title, ended)
                assert not again or ended == 0, (title, told)
        clock.advance(timedelta(minutes=1))
        children.played(acts.work, environment | {"TEST_NOW": clock.now().isoformat()})
        yield made


def test_every_point_is_killed_at() -> None:
    tried = {point.partition(":")[0] for _, point in LINES}
    source = {
        name
        for folder in ("engine", "api")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r'crash_point\("(\w+)"\)', path.read_text())
    }
    assert tried == set(CRASH_POINTS) == source


@pytest.mark.parametrize(("act", "point"), LINES, ids=lambda each: getattr(each, "__name__", each))
def test_killed_at(killed: Killed, act: Act, point: str) -> None:
    title = f"{act.__name__} {point}".replace(":", " ")
    assert killed.ended[title] == 137, "the point was not passed"
    told, case = killed.told[title], killed.case(title)
    assert {each for each in told if len(each) == 32} == {case.id}
    with killed.wired.uow.read() as session:
        kinds = Counter(session.scalars(select(Event.kind).where(Event.case_id == case.id)))
        incidents = session.scalars(select(Incident).where(Incident.case_id == case.id)).all()
        documents = session.scalars(select(Document).where(Document.name == f"{title}.pdf")).all()
    if act is acts.fail:
        assert [each.element for each in incidents] == ["divide"]
        assert kinds["task_completed"] == 0
    else:
        assert incidents == []
        assert (kinds["case_filed"], kinds["task_claimed"], kinds["task_completed"]) == (1, 1, 1)
        assert len(documents) == (act is acts.file_and_handle)


def test_letters_are_sent_and_mails_come_twice_only_where_the_exchange_was_cut(
    killed: Killed,
) -> None:
    with killed.wired.uow.read() as session:
        letters = list(session.scalars(select(Letter)))
    assert {letter.state for letter in letters} == {"sent"}
    mails = Counter(_message_id(mail) for mail in killed.mails.mails)
    assert set(mails) == {f"<{letter.id}@banshi>" for letter in letters if letter.address}
    # A process was killed once between a mail and its report, in two of the points.
    assert sum(mails.values()) - len(mails) <= 2


def _message_id(mail: bytes) -> str:
    return str(message_from_bytes(mail)["Message-ID"])


def test_a_call_is_repeated_with_its_key_only_before_its_answer_is_kept(killed: Killed) -> None:
    calls = Counter(killed.web.keys)
    assert sorted(calls.values()) == [1, 2]


def test_what_must_hold_holds(killed: Killed) -> None:
    assert list(violations(killed.wired.uow)) == []


def test_files_of_uploads_that_were_not_kept_are_cleared_away(killed: Killed) -> None:
    folder = killed.wired.settings.data_dir / "files"
    with killed.wired.uow.read() as session:
        named = set(session.scalars(select(Document.storage_key)))
    assert {path.name for path in _files(folder)} > named
    clock: Any = killed.wired.ports.clock
    _make_older(folder, clock)
    for _ in range(256):
        killed.wired.tidy()
        clock.advance(timedelta(minutes=5))
    assert {path.name for path in _files(folder)} == named


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _make_older(folder: Path, clock: SettableClock) -> None:
    at = (clock.now() - timedelta(days=2)).timestamp()
    for path in _files(folder):
        os.utime(path, (at, at))
