"""Webhooks that come in: what the operator has set up for each, and how a message is read.

``BANSHI_WEBHOOK_ORDERS_SECRET`` (or ``…_SECRET_FILE``) opens ``POST /api/v1/webhooks/orders``.
Further variables of the same beginning: ``_MESSAGE`` is the name of the message in the model
(default ``orders``), ``_CORRELATION`` the path of the field that says which case it is for
(``$.order.id``), ``_DELIVERY`` the path of the delivery's id where it is not in a header,
``_VARIABLE`` the process data that takes the message (default ``orders``), ``_LIFE`` how many
seconds it waits for its receiver (default a week).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.kernel.errors import WebhookUnreadable

PREFIX = "BANSHI_WEBHOOK_"
MOST_BYTES = 262_144
LONGEST_FIELD = 200
LIFE = timedelta(days=7)
_SECRET = re.compile(PREFIX + r"([A-Z][A-Z0-9_]{0,59})_SECRET(?:_FILE)?")
_VARIABLE = re.compile(r"[A-Za-z_]\w{0,99}")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True)
class Webhook:
    """One webhook. The secret may be a file, which is read at each message."""

    name: str
    message: str
    variable: str
    correlation: tuple[str, ...] | None
    delivery: tuple[str, ...] | None
    life: timedelta
    given: str = field(repr=False, default="")
    file: str | None = None

    def secret(self) -> str:
        """Raises OSError."""
        return Path(self.file).read_text(encoding="utf-8").strip() if self.file else self.given


def read_webhooks(env: Mapping[str, str]) -> dict[str, Webhook]:
    """The webhooks that the environment sets up. Raises ValueError, naming the variable."""
    found = (_SECRET.fullmatch(name) for name, value in env.items() if value)
    return {
        made.name: made
        for made in (_webhook(env, name) for name in sorted({each[1] for each in found if each}))
    }


def _webhook(env: Mapping[str, str], upper: str) -> Webhook:
    name, start = upper.lower().replace("_", "-"), f"{PREFIX}{upper}"
    variable = env.get(f"{start}_VARIABLE") or upper.lower()
    if not _VARIABLE.fullmatch(variable):
        raise ValueError(f"{start}_VARIABLE: use letters, digits and _, not {variable!r}")
    life = env.get(f"{start}_LIFE") or str(int(LIFE.total_seconds()))
    if not life.isdigit() or int(life) > 366 * 86_400:
        raise ValueError(f"{start}_LIFE: use seconds, at most a year, not {life!r}")
    return Webhook(
        name=name,
        message=env.get(f"{start}_MESSAGE") or name,
        variable=variable,
        correlation=_path(env, f"{start}_CORRELATION"),
        delivery=_path(env, f"{start}_DELIVERY"),
        life=timedelta(seconds=int(life)),
        given=env.get(f"{start}_SECRET") or "",
        file=env.get(f"{start}_SECRET_FILE") or None,
    )


def _path(env: Mapping[str, str], variable: str) -> tuple[str, ...] | None:
    text = env.get(variable)
    if not text:
        return None
    rest = text.removeprefix("$").removeprefix(".")
    steps = _STEP.findall(rest)
    if not steps or _STEP.sub("", rest):
        raise ValueError(f"{variable}: use a path like $.order.id or $.items[0].id, not {text!r}")
    return tuple(name or number for name, number in steps)


def read_body(body: bytes) -> Any:
    """The message. Raises WebhookUnreadable."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookUnreadable from error


def field_at(message: Any, path: tuple[str, ...]) -> str:
    """The text or number at `path`. Raises WebhookUnreadable if there is none."""
    value = message
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise WebhookUnreadable
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int)
        or not 0 < len(str(value)) <= 200
    ):
        raise WebhookUnreadable
    return str(value)


def unique_key(webhook: Webhook, delivery: str) -> str:
    """By what the inbox knows a delivery again."""
    digest = hashlib.sha256(delivery.encode()).hexdigest()[:32]
    return f"webhook:{webhook.name}:{digest}"
