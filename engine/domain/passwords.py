"""Passwords: argon2id, with the parameters kept in the hash."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 128
# OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _hasher.hash("the password of nobody")


def hash_password(password: str) -> str:
    """The hash to store. Takes about 40 ms: never call it inside a transaction."""
    return _hasher.hash(password)


def password_is_right(password: str, stored: str | None) -> bool:
    """Whether `password` belongs to `stored`; as slow for nobody's hash as for somebody's."""
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
