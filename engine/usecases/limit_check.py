"""Whether the limits of a package can hold: the promise within the law, each countable and used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from engine.domain.calendar import WorkingCalendar
from engine.domain.connector import is_expression
from engine.domain.limit import Limit, due
from engine.domain.manifest_reading import line_at
from engine.domain.package import MANIFEST, Manifest
from engine.domain.ports import Calendars
from engine.domain.process import Finding, Severity
from engine.usecases.clock_limits import PROMISE
from engine.usecases.definition import Contents
from engine.usecases.timer_dates import LIMIT

_BEGIN = datetime(2026, 1, 1, 10)  # noqa: DTZ001 - the calendar's own zone is set below
_YEAR = 366
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
"""A text in an expression."""


def unfitting_limits(contents: Contents, calendars: Calendars) -> Iterator[Finding]:
    """What is wrong with the limits themselves, on the calendars that count them."""
    manifest = contents.manifest
    by_service = {code: _calendar(manifest, calendars, code) for code in manifest.services}
    for where, code, limits in _tables(manifest):
        counts = [by_service[code]] if code else by_service.values()
        for name, limit in limits.items():
            reason = next(filter(None, (_uncountable(limit, each) for each in counts)), None)
            if reason is not None:
                yield at_setting(manifest, "limit_uncountable", f"{where}.{name}", reason=reason)
    yield from _late_promises(manifest, by_service)
    used = _used(contents)
    if used is not None:
        for where, _, limits in _tables(manifest):
            for name in sorted(set(limits) - used):
                path = f"{where}.{name}"
                yield at_setting(manifest, "limit_unused", path, "warning", limit=name)


def at_setting(
    manifest: Manifest, code: str, path: str, severity: Severity = "error", **params: object
) -> Finding:
    """A finding at a line of the manifest."""
    line = line_at(manifest.lines, path)
    return Finding(code, MANIFEST, element=path, line=line, severity=severity, params=params)


def _tables(manifest: Manifest) -> Iterator[tuple[str, str, dict[str, Limit]]]:
    """Each table of limits: where it stands, the service whose it is if it is of one, and it."""
    yield "limits", "", dict(manifest.limits)
    for number, service in enumerate(manifest.services.values(), start=1):
        yield f"services[{number}].limits", service.code, dict(service.limits)


def _calendar(manifest: Manifest, calendars: Calendars, service: str) -> WorkingCalendar:
    name = manifest.calendar_of(service)
    # That there is no such calendar is a finding of its own.
    return calendars.named(name) if name in calendars.names() else calendars.main()


def _uncountable(limit: Limit, calendar: WorkingCalendar) -> str | None:
    """Why this calendar cannot count the limit; None if it can."""
    try:
        due(limit, _BEGIN.replace(tzinfo=calendar.zone), calendar)
    except (ValueError, OverflowError) as error:
        return str(error)
    return None


def _late_promises(
    manifest: Manifest, calendars: Mapping[str, WorkingCalendar]
) -> Iterator[Finding]:
    told = set()
    for number, service in enumerate(manifest.services.values(), start=1):
        for promised in sorted({*manifest.limits, *service.limits}):
            name = promised.removesuffix(PROMISE)
            if name == promised or name not in {*manifest.limits, *service.limits}:
                continue
            law, promise = (manifest.limit(service.code, each) for each in (name, promised))
            own = promised in service.limits or name in service.limits
            path = f"services[{number}].limits.{promised}" if own else f"limits.{promised}"
            if path not in told and _is_later(promise, law, calendars[service.code]):
                told.add(path)
                yield at_setting(
                    manifest, "promise_later_than_law", path, limit=name, service=service.code
                )


def _is_later(promise: Limit, law: Limit, calendar: WorkingCalendar) -> bool:
    if (promise.unit, promise.office_hours) == (law.unit, law.office_hours):
        return promise.value > law.value
    begin = _BEGIN.replace(tzinfo=calendar.zone)
    try:
        return any(
            due(promise, at, calendar) > due(law, at, calendar)
            for at in (begin + timedelta(days=day) for day in range(_YEAR))
        )
    except (ValueError, OverflowError):
        return False  # said of the limit itself


def _used(contents: Contents) -> set[str] | None:
    """The limits that something names; None if that cannot be known."""
    manifest, names = contents.manifest, set[str]()
    parts: set[str] = set()
    for element in contents.process.elements.values():
        for setting in ("limit", "basis_limit"):
            value = element.properties.get(setting, "")
            if is_expression(value):
                quoted = {one or two for one, two in QUOTED.findall(value)}
                if not quoted:
                    return None
                parts |= quoted
            elif value:
                names.add(value)
    for way in contents.process.ways.values():
        timer = way.timer or ""
        if timer.startswith(LIMIT):
            names.add(timer[len(LIMIT) :])
        elif LIMIT in timer:
            return None
    for terms in manifest.clocks.values():
        names |= {name for name in (terms.limit, terms.extension.cap) if name}
        names |= set(terms.extension.limits)
    names |= {rule.limit for rule in manifest.silence if rule.limit}
    names |= {rule.limit for rule in manifest.on_answer if rule.limit}
    known = {name for *_, limits in _tables(manifest) for name in limits}
    names |= {name for name in known for part in parts if part and name.startswith(part)}
    return names | {f"{name}{PROMISE}" for name in names}
