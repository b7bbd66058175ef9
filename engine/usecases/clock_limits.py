"""Which limit a clock counts: by the name a verb gives, or as the case's data have it now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.domain.clock_terms import ClockTerms
from engine.domain.connector import is_expression
from engine.domain.limit import Limit
from engine.domain.sla import SlaClock
from engine.kernel.errors import ClockVerbRefused
from engine.store.tables import Case
from engine.usecases.definition import Definition

PROMISE = "_promise"
"""The variant of a limit that the office promises."""


def limit_named(
    made: Definition, service: str, terms: ClockTerms, name: str | None
) -> tuple[str, Limit]:
    """The limit `name`, or the clock's own; with the name it really has.

    For the promise that is the variant ``<name>_promise`` where there is one. Raises KeyError for
    one that does not exist, ClockVerbRefused if nobody names any.
    """
    name = name or terms.limit
    if not name:
        raise ClockVerbRefused(why="limit_missing", possible=())
    if terms.key == "promised" and not name.endswith(PROMISE):
        try:
            return name + PROMISE, made.manifest.limit(service, name + PROMISE)
        except KeyError:
            pass
    return name, made.manifest.limit(service, name)


def limit_changed(
    made: Definition,
    case: Case,
    terms: ClockTerms,
    clock: SlaClock,
    named: str | None,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """What a recount is to count instead: the limit and its name, or nothing if they stay.

    A verb may name the limit. Otherwise the element that began the clock is asked again, with the
    case's `data` as they are now, as the category or priority may have changed since.
    """
    name = named or _asked_again(made, clock, data) or clock.limit_name
    if not name:
        return {}
    try:
        name, limit = limit_named(made, case.service, terms, name)
    except KeyError:
        return {}
    if limit == clock.limit:
        return {}
    return {"limit": limit, "limit_name": name}


def asks_data(made: Definition, clock: SlaClock) -> bool:
    """Whether the clock's limit depends on the case's data."""
    element = made.process.elements.get(clock.begun_by)
    return element is not None and is_expression(element.properties.get("limit", ""))


def _asked_again(made: Definition, clock: SlaClock, data: Mapping[str, Any]) -> str | None:
    if not data or not asks_data(made, clock):
        return None
    value = made.process.setting(clock.begun_by, "limit", data)
    return str(value) if value else None
