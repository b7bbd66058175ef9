"""Identifiers: time-ordered keys for rows, and the reference number a citizen quotes."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from uuid import UUID

SERIAL_DIGITS = 7
"""Of a case's number within its year."""


def new_id() -> str:
    """A time-ordered identifier of 32 hexadecimal digits (UUID version 7, RFC 9562)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | secrets.randbits(80)
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=value).hex


def first_id(at: datetime) -> str:
    """What no identifier made since `at` comes before."""
    return f"{max(0, int(at.timestamp() * 1000)):012x}{'0' * 20}"


def new_secret() -> str:
    """256 bits for a session or a token, URL-safe."""
    return secrets.token_urlsafe(32)


def check_digit(digits: str) -> str:
    """The Luhn check digit (ISO/IEC 7812-1 annex B) that notices a mistyped digit."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2 == 0:
            value *= 2
            value -= 9 * (value > 9)
        total += value
    return str(-total % 10)


def case_reference(prefix: str, year: int, number: int) -> str:
    """What the citizen quotes, for example ``XXGK-2026-0000017-3``."""
    serial = f"{number:0{SERIAL_DIGITS}d}"
    return f"{prefix}-{year}-{serial}-{check_digit(f'{year}{serial}')}"
