"""What a command gave, as plain data, so that the same request later gets the same answer.

A row is kept by its key and read again: the answer shows it as it stands then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from typing import Any, cast

from engine.kernel.errors import AlreadyDone
from engine.store.rows import Rows
from engine.store.tables import Base

_OURS = "engine."
"""Only classes of this package are ever made from what was kept."""


class NotKeepable(TypeError):
    """The result holds something that cannot be written down."""


def kept(rows: Rows, value: Any) -> Any:
    """`value` as plain data. Raises NotKeepable."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Base):
        return {"row": [value.__tablename__, list(rows.key_of(value))]}
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [kept(rows, each) for each in value]}
    if isinstance(value, Mapping):
        return {"map": [[kept(rows, name), kept(rows, each)] for name, each in value.items()]}
    kind = type(value)
    if dataclasses.is_dataclass(kind) and kind.__module__.startswith(_OURS):
        fields = {f.name: kept(rows, getattr(value, f.name)) for f in dataclasses.fields(kind)}
        return {"made": [kind.__module__, kind.__qualname__], "of": fields}
    raise NotKeepable(kind.__name__)


def given(rows: Rows, plain: Any) -> Any:
    """The value again. Raises AlreadyDone if it cannot be had any more."""
    if not isinstance(plain, dict):
        return plain
    if "row" in plain:
        table, key = plain["row"]
        row = rows.get(_entities()[table], *key)
        if row is None:
            raise AlreadyDone
        return row
    if "at" in plain:
        return datetime.fromisoformat(plain["at"])
    if "map" in plain:
        return {given(rows, name): given(rows, each) for name, each in plain["map"]}
    if "made" in plain:
        kind = _class(*plain["made"])
        return kind(**{name: given(rows, each) for name, each in plain["of"].items()})
    values = [given(rows, each) for each in plain["tuple" if "tuple" in plain else "list"]]
    return tuple(values) if "tuple" in plain else values


def _class(module: str, name: str) -> Any:
    made = getattr(import_module(module), name, None) if module.startswith(_OURS) else None
    if not dataclasses.is_dataclass(made):
        raise AlreadyDone
    return made


def _entities() -> dict[str, type[Base]]:
    return {
        mapper.class_.__tablename__: cast("type[Base]", mapper.class_)
        for mapper in Base.registry.mappers
    }
