"""Take secrets out of what is logged, shown or kept."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "•••"
SHORTEST = 4
"""Shorter ones would take ordinary words apart."""


class Redaction:
    """Knows the secrets of one call, in the forms in which others give them back."""

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def reveal(self, secret: str) -> str:
        """The secret, which from now on is hidden wherever it appears."""
        if len(secret) >= SHORTEST:
            encoded = base64.b64encode(secret.encode()).decode()
            self._forms |= {secret, quote(secret, safe=""), quote_plus(secret)}
            self._forms |= {encoded, json.dumps(secret)[1:-1], repr(secret)[1:-1]}
        return secret

    def text(self, text: str) -> str:
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text

    def plain(self, value: Any) -> Any:
        """Plain data with every text redacted."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        if isinstance(value, dict):
            return {self.text(key): self.plain(each) for key, each in value.items()}
        return value
