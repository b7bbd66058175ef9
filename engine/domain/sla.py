"""The SLA clock of a case: start, reset, pause, resume, extend, stop, each with a ledger line.

A case has two clocks, `legal` (the statute) and `promised` (the office's promise). Every verb is
pure: it takes the instant it is recorded (`at`, aware) and, when the event that counts happened
earlier, that instant (`effective`), and gives the new clock with the line to write down.

While a clock is paused, `due_at` is the date without the pauses still open. It is provisional: it
moves when they end, so nothing may be reported as late while the clock is paused.

Source of the rules: Regulation on Open Government Information (2019), articles 30 and 33;
Administrative Licensing Law, articles 42 and 45.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple

from engine.domain.calendar import WorkingCalendar
from engine.domain.limit import (
    Interval,
    Limit,
    due,
    excluded_days,
    is_provisional,
    limit_from_mapping,
)
from engine.kernel.errors import ClockVerbRefused

__all__ = ["ClockKey", "Interval", "LedgerLine", "Limit", "Pause", "SlaClock", "due",
           "limit_from_mapping", "start"]  # fmt: skip

ClockKey = Literal["legal", "promised"]
ClockState = Literal["running", "paused", "stopped"]
Verb = Literal["start", "reset", "pause", "resume", "extend", "stop", "recount"]


class Pause(NamedTuple):
    """A pause that has not ended: why, and since which instant (UTC)."""

    reason: str
    since: datetime


@dataclass(frozen=True)
class LedgerLine:
    """What one verb did, for the case's ledger.

    `on` is the office's date on which it takes effect, `at` the instant (UTC) it was recorded.
    `from_date` and `to_date` bound the count (start, reset, extend: day zero and the due date) or
    the interval left out (pause, resume, stop). `working_days` is the length of a limit counted
    in working days or, for resume and stop, the working days newly left out; otherwise None.
    """

    clock: ClockKey
    verb: Verb
    on: date
    at: datetime
    from_date: date | None
    to_date: date | None
    working_days: int | None
    basis: Mapping[str, str]
    previous_due: datetime | None
    new_due: datetime
    reason: str | None = None


@dataclass(frozen=True)
class SlaClock:
    """One clock of one case. All instants are UTC; `started_on` is the office's date.

    Several pauses may be open at once (a third party and a co-maker are consulted in parallel):
    the clock runs again when the last one ends, and days in several of them are left out once.
    """

    key: ClockKey
    state: ClockState
    started_on: date
    started_at: datetime
    limit: Limit
    due_at: datetime
    provisional: bool
    extensions: tuple[Limit, ...] = ()
    excluded: tuple[Interval, ...] = ()
    pauses: tuple[Pause, ...] = ()
    calendar: WorkingCalendar = field(kw_only=True, repr=False)

    @property
    def paused_since(self) -> date | None:
        """The office's date since which the clock has been paused, or None."""
        if not self.pauses:
            return None
        return self.calendar.local_date(min(pause.since for pause in self.pauses))

    @property
    def due_on(self) -> date:
        """The office's date of `due_at`."""
        return self.calendar.local_date(self.due_at)

    @property
    def total(self) -> Limit:
        """The limit with its extension."""
        total = self.limit
        for extension in self.extensions:
            total = total.plus(extension)
        return total

    def reset(
        self, limit: Limit, at: datetime, effective: datetime | None = None
    ) -> tuple[SlaClock, LedgerLine]:
        """The count begins again, as if started now: pauses and extensions are forgotten.

        Raises ClockVerbRefused if the clock has stopped.
        """
        self._refuse_if_stopped("reset")
        clock, line = start(self.key, limit, at, self.calendar, effective)
        return clock, replace(line, verb="reset", previous_due=self.due_at)

    def pause(
        self,
        reason: str,
        at: datetime,
        effective: datetime | None = None,
        basis: Mapping[str, str] | None = None,
    ) -> tuple[SlaClock, LedgerLine]:
        """Time stops counting, for `reason`, until `resume` names the same reason.

        Raises ClockVerbRefused if the clock has stopped.
        """
        self._refuse_if_stopped("pause")
        since = _effective(at, effective)
        clock = replace(self, state="paused", pauses=(*self.pauses, Pause(reason, since)))
        on = self.calendar.local_date(since)
        return clock, self._line("pause", clock, at, on, on, None, None, basis, reason)

    def resume(
        self,
        at: datetime,
        reason: str | None = None,
        effective: datetime | None = None,
        basis: Mapping[str, str] | None = None,
    ) -> tuple[SlaClock, LedgerLine]:
        """The oldest pause for `reason` (None: every open pause) ends and is left out.

        The day a pause begins still counts, the day it ends does not. Raises ClockVerbRefused if
        there is no such pause, or if it would end before it began.
        """
        self._refuse_if_stopped("resume")
        ending = [pause for pause in self.pauses if reason is None or pause.reason == reason]
        if not ending:
            raise ClockVerbRefused(why="not_paused", verb="resume", reason=reason)
        if reason is not None:
            ending = [min(ending, key=lambda pause: pause.since)]
        clock, from_date, to_date, days = self._end_pauses(ending, _effective(at, effective))
        line = self._line("resume", clock, at, to_date, from_date, to_date, days, basis, reason)
        return clock, line

    def extend(
        self, limit: Limit, at: datetime, effective: datetime | None = None
    ) -> tuple[SlaClock, LedgerLine]:
        """Adds `limit`, once, before the due date has passed.

        Raises ClockVerbRefused for a second extension, a stopped clock, a due date that has
        passed (a paused clock's has not), or a limit counted in another unit.
        """
        self._refuse_if_stopped("extend")
        if self.extensions:
            raise ClockVerbRefused(why="already_extended", verb="extend")
        when = _effective(at, effective)
        if when > self.due_at and self.state != "paused":
            raise ClockVerbRefused(why="too_late", verb="extend", due_at=self.due_at.isoformat())
        self.total.plus(limit)
        clock = replace(self, extensions=(limit,))._counted()
        on = self.calendar.local_date(when)
        days = _working_days(limit)
        line = self._line("extend", clock, at, on, self.due_on, clock.due_on, days, limit.basis)
        return clock, line

    def stop(self, at: datetime, effective: datetime | None = None) -> tuple[SlaClock, LedgerLine]:
        """The matter is done; open pauses end. Raises ClockVerbRefused if already stopped."""
        self._refuse_if_stopped("stop")
        when = _effective(at, effective)
        clock, from_date, to_date, days = self, self.started_on, self.calendar.local_date(when), 0
        if self.pauses:
            clock, from_date, to_date, days = self._end_pauses(list(self.pauses), when)
        clock = replace(clock, state="stopped")
        return clock, self._line("stop", clock, at, to_date, from_date, to_date, days, None)

    def recount(
        self, at: datetime, calendar: WorkingCalendar
    ) -> tuple[SlaClock, LedgerLine | None]:
        """The same clock on a newer calendar, with a line if its date or its standing changed.

        A stopped clock keeps its date.
        """
        if self.state == "stopped":
            return self, None
        clock = replace(self, calendar=calendar)._counted()
        if (clock.due_at, clock.provisional) == (self.due_at, self.provisional):
            return clock, None
        on = calendar.local_date(at)
        days = _working_days(self.total)
        line = self._line(
            "recount", clock, at, on, self.started_on, clock.due_on, days, self.limit.basis
        )
        return clock, line

    def as_mapping(self) -> dict[str, Any]:
        """The JSON-able shape that `from_mapping` reads. The calendar is named, not contained."""
        return {
            "key": self.key,
            "state": self.state,
            "started_at": self.started_at.isoformat(),
            "limit": self.limit.as_mapping(),
            "due_at": self.due_at.isoformat(),
            "provisional": self.provisional,
            "extensions": [limit.as_mapping() for limit in self.extensions],
            "excluded": [[a.isoformat(), b.isoformat()] for a, b in self.excluded],
            "pauses": [[reason, since.isoformat()] for reason, since in self.pauses],
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], calendar: WorkingCalendar) -> SlaClock:
        """The clock written by `as_mapping`; its dates are taken as stored, not counted again."""
        started_at = datetime.fromisoformat(mapping["started_at"])
        return cls(
            key=mapping["key"],
            state=mapping["state"],
            started_on=calendar.local_date(started_at),
            started_at=started_at,
            limit=limit_from_mapping(mapping["limit"]),
            due_at=datetime.fromisoformat(mapping["due_at"]),
            provisional=mapping["provisional"],
            extensions=tuple(limit_from_mapping(limit) for limit in mapping["extensions"]),
            excluded=tuple(
                Interval(datetime.fromisoformat(a), datetime.fromisoformat(b))
                for a, b in mapping["excluded"]
            ),
            pauses=tuple(
                Pause(reason, datetime.fromisoformat(since)) for reason, since in mapping["pauses"]
            ),
            calendar=calendar,
        )

    def _counted(self) -> SlaClock:
        """This clock with its due date counted again."""
        total = self.total
        due_at = due(total, self.started_at, self.calendar, self.excluded)
        provisional = is_provisional(total, self.started_at, due_at, self.calendar)
        return replace(self, due_at=due_at, provisional=provisional)

    def _end_pauses(self, ending: list[Pause], until: datetime) -> tuple[SlaClock, date, date, int]:
        """The clock without these pauses, the bounds of the interval, working days newly out."""
        since = min(pause.since for pause in ending)
        if any(until < pause.since for pause in ending):
            raise ClockVerbRefused(why="ends_before_it_begins", verb="resume")
        excluded = (*self.excluded, *(Interval(pause.since, until) for pause in ending))
        left = list(self.pauses)
        for pause in ending:
            left.remove(pause)
        clock = replace(
            self,
            state="paused" if left else "running",
            pauses=tuple(left),
            excluded=excluded,
        )._counted()
        new = excluded_days(excluded, self.calendar) - excluded_days(self.excluded, self.calendar)
        days = sum(self.calendar.is_working_day(day) for day in new)
        return clock, self.calendar.local_date(since), self.calendar.local_date(until), days

    def _refuse_if_stopped(self, verb: Verb) -> None:
        if self.state == "stopped":
            raise ClockVerbRefused(why="stopped", verb=verb)

    def _line(
        self,
        verb: Verb,
        after: SlaClock,
        at: datetime,
        on: date,
        from_date: date | None,
        to_date: date | None,
        working_days: int | None,
        basis: Mapping[str, str] | None,
        reason: str | None = None,
    ) -> LedgerLine:
        return LedgerLine(
            clock=self.key,
            verb=verb,
            on=on,
            at=at.astimezone(UTC),
            from_date=from_date,
            to_date=to_date,
            working_days=working_days,
            basis=basis or {},
            previous_due=self.due_at,
            new_due=after.due_at,
            reason=reason,
        )


def start(
    key: ClockKey,
    limit: Limit,
    at: datetime,
    calendar: WorkingCalendar,
    effective: datetime | None = None,
) -> tuple[SlaClock, LedgerLine]:
    """A running clock. Its day zero is the office's date of `effective` (default `at`, aware)."""
    started_at = _effective(at, effective)
    due_at = due(limit, started_at, calendar)
    clock = SlaClock(
        key=key,
        state="running",
        started_on=calendar.local_date(started_at),
        started_at=started_at,
        limit=limit,
        due_at=due_at,
        provisional=is_provisional(limit, started_at, due_at, calendar),
        calendar=calendar,
    )
    line = LedgerLine(
        clock=key,
        verb="start",
        on=clock.started_on,
        at=at.astimezone(UTC),
        from_date=clock.started_on,
        to_date=clock.due_on,
        working_days=_working_days(limit),
        basis=limit.basis,
        previous_due=None,
        new_due=due_at,
    )
    return clock, line


def _working_days(limit: Limit) -> int | None:
    return limit.value if limit.unit == "working_days" else None


def _effective(at: datetime, effective: datetime | None) -> datetime:
    if at.tzinfo is None or (effective is not None and effective.tzinfo is None):
        raise ValueError("a clock verb needs an aware time")
    return (effective or at).astimezone(UTC)
