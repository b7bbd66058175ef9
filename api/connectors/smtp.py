"""The connector ``smtp``: one plain mail through the product's own mail server."""

from __future__ import annotations

import re
import smtplib
from typing import Any

from engine.domain.connector import Call, ConnectorFailed, Description, Setting
from engine.domain.ports import Mailer

_ADDRESS = re.compile(r"[^\s@<>(),;:\"\\\[\]]{1,64}@[^\s@<>(),;:\"\\\[\]]{1,253}")
MOST_CHARACTERS = 200_000

DESCRIPTION = Description(
    "smtp",
    {"zh-CN": "发送电子邮件", "en": "Send a mail"},
    (
        Setting("to", required=True),
        Setting("subject", required=True),
        Setting("body", required=True),
    ),
)


class SmtpConnector:
    """Sends a mail. Its Message-ID stays the same however often it is tried."""

    description = DESCRIPTION

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    def run(self, call: Call) -> Any:
        to, subject, body = call.text("to"), call.text("subject"), call.text("body")
        if not _ADDRESS.fullmatch(to):
            raise ConnectorFailed("no mail address to send to", kinds=["refused"])
        if len(subject) + len(body) > MOST_CHARACTERS:
            raise ConnectorFailed("the mail is too long", kinds=["too_large"])
        message_id = f"<{call.key}@banshi>"
        try:
            self._mailer.send(to, subject, body, message_id)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()), (550, b""))
            raise _refused(code, text, ["refused"]) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error, []) from error
        except smtplib.SMTPServerDisconnected as error:
            raise ConnectorFailed(
                "the mail server has hung up", kinds=["unreachable"], again=True, done=True
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ConnectorFailed(
                f"the mail server cannot be used: {error}", kinds=["unreachable"], again=True
            ) from error
        return {"message_id": message_id}


def _refused(code: int, text: bytes | str, kinds: list[str]) -> ConnectorFailed:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    transient = 400 <= code < 500
    return ConnectorFailed(
        f"the mail server said {code}: {words[:300]}",
        kinds=[] if transient else [*kinds, str(code)],
        again=transient,
    )
