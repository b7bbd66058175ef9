"""Text messages for service tasks: ``connector="sms"``.

The gateway takes ``POST {"to", "text", "reference"}`` with a bearer token, and answers
``{"id": …}``. It knows a repeated `reference` again and sends the message once.
"""

from __future__ import annotations

import json
import re
from typing import Any

from api.connectors.client import Request
from api.connectors.registry import Tools
from engine.domain.connector import Call, ConnectorFailed, Description, Setting

LONGEST_TEXT = 500
_NUMBER = re.compile(r"\+?[0-9]{5,15}")


class SmsConnector:
    """The entry point: called once with the tools when the product starts."""

    description = Description(
        "sms",
        {"zh-CN": "发送短信", "en": "Send a text message"},
        (
            Setting("gateway", "url", required=True, literal=True),
            Setting("token", required=True, literal=True),
            Setting("to", required=True),
            Setting("text", required=True),
        ),
    )

    def __init__(self, tools: Tools) -> None:
        # The product's own client: it reaches only the hosts that the operator allows.
        self._http = tools.http

    def run(self, call: Call) -> Any:
        """Send the message, and give the gateway's number for it.

        The kind ``number_wrong`` is for the model to catch: no further try would help.
        """
        to, text = call.text("to").replace(" ", ""), call.text("text")
        if not _NUMBER.fullmatch(to):
            raise ConnectorFailed("no telephone number", kinds=["number_wrong"])
        sent = {"to": to, "text": text[:LONGEST_TEXT], "reference": call.key}
        answer = self._http.send(
            Request(
                method="POST",
                url=call.text("gateway"),
                # The secret is in place here, and is taken out of whatever this raises or gives.
                headers=[
                    ("Authorization", f"Bearer {call.text('token')}"),
                    ("Content-Type", "application/json"),
                ],
                body=json.dumps(sent, ensure_ascii=False).encode(),
                most=10_000,
                redirects=0,
            )
        )
        if answer.status == 422:
            raise ConnectorFailed("the gateway refuses the number", kinds=["number_wrong"])
        if answer.status != 202:
            raise ConnectorFailed(
                f"the gateway said {answer.status}", again=answer.status >= 500, done=True
            )
        try:
            return {"message": str(json.loads(answer.body)["id"])}
        except (ValueError, KeyError, TypeError) as error:
            raise ConnectorFailed("the gateway's answer cannot be read", done=True) from error
