"""Connectors: workers that come with the product or a plug-in, for service tasks that name one.

A service task with the setting ``connector="http"`` waits as an external job of the reserved topic
``connector:http``. The connector is run outside of any transaction, at least once, and always with
the same key; what it gives becomes process data, and how it fails decides how the case goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

TOPIC = "connector:"
"""What the topics begin with that no other worker is given."""
SECRET = re.compile(r"(?<![\w:])secret:([A-Z][A-Z0-9_]*)")
MOST_TRIES = 20
Kind = Literal["text", "number", "choice", "switch", "name", "names", "url", "any"]


def is_expression(text: str) -> bool:
    """Whether a setting is worked out over the data, and not taken as it stands."""
    return text.startswith("=") or "${" in text or "#{" in text


class ConnectorFailed(Exception):
    """The call did not do what was asked; `str()` says why, for the operator.

    `kinds` name the failure, most exact first (``("404", "4xx")``): if the task's setting `errors`
    gives one of them a BPMN error code, the task ends with that error. Otherwise it is tried again
    when `again` allows, not before `after`, and in the end becomes an incident. `done` says that
    the effect may have happened all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        kinds: Sequence[str] = (),
        again: bool = False,
        after: timedelta | None = None,
        done: bool = False,
    ) -> None:
        super().__init__(message)
        self.kinds, self.again, self.after, self.done = tuple(kinds), again, after, done


@dataclass(frozen=True)
class Setting:
    """A setting that a connector reads. A name that ends in ``.*`` stands for all it begins.

    `literal` ones may not be expressions. Numbers lie between `least` and `most`.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    literal: bool = False
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float = 0

    def is_for(self, name: str) -> bool:
        if self.name.endswith(".*"):
            return name.startswith(self.name[:-1]) and len(name) >= len(self.name)
        return name == self.name

    def expected(self, value: Any) -> str | None:
        """What the value should be instead, or None if it will do."""
        text = str(value).strip()
        if self.kind == "number" and not self._is_in_range(text):
            return f"{self.least:g}–{self.most:g}"
        if self.kind == "choice" and text not in self.choices:
            return " | ".join(self.choices)
        if self.kind == "switch" and text.lower() not in ("true", "false"):
            return "true | false"
        if self.kind == "name" and not re.fullmatch(r"[A-Za-z_]\w{0,99}", text):
            return "[A-Za-z_][A-Za-z0-9_]*"
        if self.kind == "names" and not re.fullmatch(r"\S+=\S+(\s+\S+=\S+)*", text):
            return "kind=code kind=code"
        return None

    def _is_in_range(self, text: str) -> bool:
        try:
            return self.least <= float(text) <= self.most
        except ValueError:
            return False


COMMON = (
    Setting("result_variable", "name", literal=True),
    Setting("errors", "names", literal=True),
    Setting("retries", "number", literal=True, least=1, most=MOST_TRIES),
    Setting("repeatable", "switch", literal=True),
)
"""What every connector's task may say: where the result goes, and what becomes of failures."""


@dataclass(frozen=True)
class Description:
    """What designers need to know of a connector; `title` by locale."""

    name: str
    title: Mapping[str, str]
    settings: tuple[Setting, ...] = ()

    def setting(self, name: str) -> Setting | None:
        return next((each for each in self.settings if each.is_for(name)), None)


@dataclass(frozen=True)
class Call:
    """One call of a connector.

    `key` stays the same however often the call is repeated. `settings` are those the connector
    describes, worked out, with secrets in place: they are not to be logged or given back. `errors`
    are the kinds of failure the model deals with.
    """

    key: str
    settings: Mapping[str, Any]
    now: datetime
    errors: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        value = self.settings.get(name)
        return default if value is None else str(value).strip()

    def number(self, name: str, default: float) -> float:
        """The number, which was checked against the description."""
        value = self.settings.get(name)
        return default if value in (None, "") else float(value)

    def group(self, prefix: str) -> dict[str, Any]:
        """The settings of a family, by what follows `prefix` in their names."""
        start = len(prefix)
        return {
            name[start:]: value
            for name, value in self.settings.items()
            if name.startswith(prefix) and len(name) > start
        }


class Connector(Protocol):
    """Does one kind of work for service tasks."""

    @property
    def description(self) -> Description: ...

    def run(self, call: Call) -> Any:
        """Do it once, and give plain data. Raises ConnectorFailed.

        May be called again with the same `key` when it is not known whether the last call
        succeeded. Ends within a minute or so, as nothing else can end it.
        """
        ...


class Connectors(Protocol):
    """The connectors of this installation, and what they are allowed."""

    @property
    def descriptions(self) -> Mapping[str, Description]: ...

    def connector(self, name: str) -> Connector | None: ...

    def secret(self, name: str) -> str:
        """The secret `name`. Raises ConnectorFailed if it is not set here."""
        ...

    def allows(self, url: str) -> bool:
        """Whether a connector may call `url`. Raises ValueError if it is no web address."""
        ...
