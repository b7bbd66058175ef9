"""Secrets and databases by name, from the environment or the files it names.

They are read when they are needed: one that is exchanged on disk holds from the next call on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from engine.domain.connector import ConnectorFailed

SECRET = "BANSHI_SECRET_"  # noqa: S105 - the name of a variable
DATABASE = "BANSHI_SQL_"
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


class Environment:
    """What the operator has put into the environment for connectors. Never shown by `repr`."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = {
            name: value
            for name, value in (variables or {}).items()
            if name.startswith((SECRET, DATABASE))
        }

    def secret(self, name: str) -> str:
        """The secret `name`. Raises ConnectorFailed if it is not set or cannot be read."""
        return self._value(SECRET, name)

    def database(self, name: str) -> str:
        """The address of the database `name`. Raises ConnectorFailed."""
        return self._value(DATABASE, name.upper())

    def _value(self, prefix: str, name: str) -> str:
        variable = f"{prefix}{name}"
        if not _NAME.fullmatch(name):
            raise ConnectorFailed(f"{name[:60]!r} is no name of a variable")
        file = self._variables.get(f"{variable}_FILE")
        if file:
            try:
                value = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConnectorFailed(f"{variable}_FILE cannot be read", again=True) from error
        else:
            value = self._variables.get(variable, "")
        if not value:
            raise ConnectorFailed(f"{variable} is not set")
        return value
