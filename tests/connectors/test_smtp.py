"""The connector `smtp`, talking to a real server on loopback."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from engine.kernel.clock import SettableClock
from tests.connectors.conftest import OpenOffice
from tests.support.connector_models import calling, data_of, incidents_of, waiting_of
from tests.support.play import done, drain, open_task
from tests.support.small_package import begun, published
from tests.support.smtp import smtp_server

MAIL = {
    "to": "=application['phone'] + '@post.example'",
    "subject": "关于 ${application.title}",
    "body": "您好，\nhello",
    "result_variable": "sent",
}


def test_a_mail_is_sent_and_a_second_try_is_recognised(
    open_with: OpenOffice, clock: SettableClock
) -> None:
    with smtp_server("451 try later") as server:
        office = open_with(
            BANSHI_SMTP_URL=f"smtp://127.0.0.1:{server.server_address[1]}",
            BANSHI_MAIL_FROM="office@example.org",
        )
        published(office, calling("smtp", **MAIL))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
        assert waiting_of(office, case).error == "the mail server said 451: try later"
        clock.advance(timedelta(minutes=1))
        drain(office)
    (text,) = server.mails
    mail = message_from_bytes(text, policy=policy.default)
    assert (mail["To"], mail["From"], mail["Subject"]) == (
        "13800138000@post.example", "office@example.org", "关于 规划许可",
    )  # fmt: skip
    assert mail.get_content().split() == ["您好，", "hello"]
    assert mail["Message-ID"] == f"<{waiting_of(office, case).id}@banshi>"
    assert data_of(office, case)["sent"] == {"message_id": mail["Message-ID"]}
    assert open_task(office, case).element == "b"


def test_an_address_that_is_refused_for_good_is_not_tried_again(
    open_small_with: OpenOffice,
) -> None:
    with smtp_server("550 no such mailbox") as server:
        office = open_small_with(BANSHI_SMTP_URL=f"smtp://127.0.0.1:{server.server_address[1]}")
        published(office, calling("smtp", **MAIL))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
    assert incidents_of(office, case)[0].detail == "the mail server said 550: no such mailbox"


@pytest.mark.parametrize("to", ["nobody", "a@b.example, c@d.example", "a@b\r\nBcc: c@d", "<a@b>"])
def test_only_one_plain_address_is_written_to(
    open_small_with: OpenOffice, tmp_path: Path, to: str
) -> None:
    office = open_small_with()
    published(office, calling("smtp", **(MAIL | {"to": "=application['title']"})))
    case = begun(office, title=to)
    done(office, case, "a", "foi_officer")
    drain(office)
    assert incidents_of(office, case)[0].detail == "no mail address to send to"
    assert list(tmp_path.glob("outbox/*")) == []
