"""Which connectors there are: the product's own, and those of installed plug-ins.

A plug-in is a Python package with an entry point in the group ``banshi.connectors``. It names
something that is called with the `Tools` and gives a `Connector`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import MappingProxyType

from api.connectors.client import HttpClient
from api.connectors.environment import Environment
from api.connectors.http import HttpConnector
from api.connectors.smtp import SmtpConnector
from api.connectors.sql import SqlConnector
from engine.domain.connector import Connector, Description
from engine.domain.hosts import read_target
from engine.domain.ports import Mailer

GROUP = "banshi.connectors"
log = logging.getLogger("banshi.connectors")


@dataclass(frozen=True)
class Tools:
    """What a connector may use: calls of allowed hosts, and the product's mail server."""

    http: HttpClient
    mailer: Mailer
    environment: Environment = field(repr=False)


@dataclass(frozen=True)
class PlugIn:
    """An entry point; `error` says why it could not be used."""

    name: str
    package: str
    error: str | None = None


class Registry:
    """The connectors by name. One that cannot be loaded is left out and told of in `plug_ins`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        own: list[Connector] = [
            HttpConnector(tools.http),
            SmtpConnector(tools.mailer),
            SqlConnector(tools.environment),
        ]
        self._connectors = {each.description.name: each for each in own}
        self.plug_ins = tuple(self._load())

    @property
    def descriptions(self) -> Mapping[str, Description]:
        return MappingProxyType({name: each.description for name, each in self._connectors.items()})

    def connector(self, name: str) -> Connector | None:
        return self._connectors.get(name)

    def secret(self, name: str) -> str:
        return self._tools.environment.secret(name)

    def allows(self, url: str) -> bool:
        return self._tools.http.hosts.entry(read_target(url)) is not None

    def _load(self) -> Iterable[PlugIn]:
        for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
            package = point.dist.name if point.dist is not None else ""
            try:
                make: Callable[[Tools], Connector] = point.load()
                made = make(self._tools)
                name = made.description.name
                if name in self._connectors:
                    raise ValueError(f"there is a connector {name} already")
                if not callable(made.run):
                    raise TypeError("it has no method run")
            except Exception as error:  # one bad plug-in must not keep the office closed
                log.error("the connector %s of %s cannot be used: %s", point.name, package, error)
                yield PlugIn(point.name, package, f"{type(error).__name__}: {error}")
                continue
            self._connectors[name] = made
            yield PlugIn(name, package)
