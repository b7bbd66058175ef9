"""Signed webhooks: HMAC-SHA256 over the time, the delivery's id and the body.

``X-Banshi-Delivery: <id>`` and ``X-Banshi-Signature: t=<unix seconds>,v1=<hexadecimal>``. The id is
part of what is signed, so that a message that was listened to cannot be sent again as another.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

SIGNATURE = "X-Banshi-Signature"
DELIVERY = "X-Banshi-Delivery"
TOLERANCE_SECONDS = 300
_TIME = re.compile(r"\d{1,12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_DIGESTS = 5
"""A sender that changes its secret signs with both for a while."""


def sign(secret: str, at: datetime, delivery: str, body: bytes) -> str:
    """The value of the signature's header."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_digest(secret, seconds, delivery, body)}"


def verified(secret: str, header: str, now: datetime, delivery: str, body: bytes) -> str | None:
    """What identifies the signed message, or None if it is not signed so, or not just now.

    Takes as long whatever is wrong.
    """
    parts = [each.strip().partition("=") for each in header.split(",")]
    times = [value for name, _, value in parts if name == "t" and _TIME.fullmatch(value)]
    given = [value for name, _, value in parts if name == "v1" and _DIGEST.fullmatch(value)]
    seconds = int(times[0]) if len(times) == 1 else 0
    expected = _digest(secret, seconds, delivery, body)
    found = [hmac.compare_digest(expected, each) for each in given[:MOST_DIGESTS]]
    if not any(found) or abs(now.timestamp() - seconds) > TOLERANCE_SECONDS:
        return None
    return f"{seconds}.{expected}"


def _digest(secret: str, seconds: int, delivery: str, body: bytes) -> str:
    signed = f"{seconds}.{delivery}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
