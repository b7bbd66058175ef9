"""A request that a route can be sent, and what brings the office to where it can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.wiring import Application


@dataclass(frozen=True)
class Sent:
    """A request of `user` (a program if it goes to /engine-rest)."""

    user: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)


Prepare = Callable[[Application], Sent]
