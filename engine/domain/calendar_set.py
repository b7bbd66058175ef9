"""All working calendars of an installation, and which of them counts what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.domain.calendar import WorkingCalendar, working_calendar
from engine.domain.calendar_data import CalendarData, shipped_calendar, shipped_names
from engine.domain.field_error import FieldError
from engine.kernel.errors import CalendarRefused, CalendarUnknown


class CalendarSet:
    """Calendars that stay as they are. `departments` maps a department's code to its calendar.

    Raises CalendarRefused if one extends itself or one that does not exist.
    """

    def __init__(
        self,
        calendars: Iterable[CalendarData],
        main: str,
        departments: Mapping[str, str] | None = None,
    ) -> None:
        self._data = {data.name: data for data in calendars}
        self._made: dict[str, WorkingCalendar] = {}
        self._main = main
        self._departments = dict(departments or {})
        for name in self._data:
            self._make(name, ())

    def main(self) -> WorkingCalendar:
        return self.named(self._main)

    def named(self, name: str | None) -> WorkingCalendar:
        found = self._made.get(self._main if name is None else name)
        if found is None:
            raise CalendarUnknown(name=name or self._main)
        return found

    def of_department(self, code: str | None) -> WorkingCalendar:
        return self.named(self._departments.get(code or ""))

    def names(self) -> frozenset[str]:
        return frozenset(self._made)

    def resting_on(self, name: str) -> frozenset[str]:
        return frozenset(each for each in self._data if name in self._chain(each))

    def reload(self) -> None:
        """These never change."""

    def _chain(self, name: str | None) -> list[str]:
        chain: list[str] = []
        while name is not None:
            chain.append(name)
            name = self._data[name].extends
        return chain

    def _make(self, name: str, above: tuple[str, ...]) -> WorkingCalendar:
        if name in self._made:
            return self._made[name]
        if name in above:
            raise CalendarRefused(fields=(FieldError("extends", "extends_itself", {}),))
        data = self._data.get(name)
        if data is None:
            wrong = FieldError("extends", "calendar_unknown", {"name": name})
            raise CalendarRefused(fields=(wrong,))
        base = self._make(data.extends, (*above, name)) if data.extends else None
        made = self._made[name] = working_calendar(data, base)
        return made


def shipped_set(main: str = "cn") -> CalendarSet:
    """The calendars that come with the product."""
    return CalendarSet([shipped_calendar(name) for name in shipped_names()], main)
