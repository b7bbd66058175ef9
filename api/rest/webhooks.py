"""Webhooks of other systems: signed messages, each taken once.

They carry no cookie, and none is looked at: the signature alone says who is speaking.
"""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api.access import application
from api.connectors.signature import DELIVERY, SIGNATURE, verified
from api.connectors.webhooks import MOST_BYTES, Webhook, field_at, read_body, unique_key
from api.rest.schemas import Shape
from api.wiring import Application
from engine.domain.access import SYSTEM
from engine.kernel.errors import WebhookSignatureWrong, WebhookTooLarge
from engine.usecases.messages import ReceiveMessage, take_message

router = APIRouter(tags=["webhooks"])
log = logging.getLogger("banshi.webhooks")


class Taken(Shape):
    """The same for a delivery that comes again."""

    id: str


@router.post(
    "/webhooks/{name}", operation_id="receive_webhook", response_model=Taken, status_code=202
)
async def receive_webhook(request: Request, name: str) -> Taken:
    """Take a signed message, for the case that waits for it or will.

    The answer comes once the message is safely kept. Wrong signatures and unknown names are
    answered alike.
    """
    body = await _body(request)
    header = request.headers.get(SIGNATURE, "")
    delivery = request.headers.get(DELIVERY, "")
    wired = application(request)
    return await run_in_threadpool(_take, wired, name, header, delivery, body)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise WebhookTooLarge(most=MOST_BYTES)
    return bytes(body)


def _take(wired: Application, name: str, header: str, delivery: str, body: bytes) -> Taken:
    webhook = wired.settings.webhooks.get(name)
    secret = _secret(webhook)
    signed = verified(secret, header, wired.ports.clock.now(), delivery, body)
    if webhook is None or not secret or signed is None:
        raise WebhookSignatureWrong
    message = read_body(body)
    correlation = field_at(message, webhook.correlation) if webhook.correlation else None
    if webhook.delivery:
        delivery = field_at(message, webhook.delivery)
    command = ReceiveMessage(
        actor=SYSTEM,
        name=webhook.message,
        data={webhook.variable: message},
        correlation=correlation,
        # Without an id the signature is one: what was listened to is not taken twice.
        unique_key=unique_key(webhook, delivery or signed),
        life=webhook.life,
    )
    return Taken(id=take_message(wired.uow, command).id)


def _secret(webhook: Webhook | None) -> str:
    try:
        return webhook.secret() if webhook is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        log.error("the secret of the webhook cannot be read: %s", error)
        return ""
