"""Who applied for what and when, and how long it took: made up, and regular in stated ways.

- A citizen's first service is drawn from those that begin something; the next ones follow the
  catalogue's relations, each with its stated share, after a few days to two months.
- First applications come on working days three times as often as on others, most at ten o'clock
  and at three; June and July have a third more.
- A case takes about as long as is promised, spread lognormally; the Harbour district takes half as
  long again, New Town a quarter less; Mondays' cases take a tenth longer.
- One in twelve is refused; one in six after the promised date. A third of all are rated, the late
  ones worse.

The same seed gives the same history.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from engine.domain.calendar import WorkingCalendar
from engine.domain.catalogue import Catalogue

DISTRICTS = ("old_town", "river", "harbour", "hills", "new_town")
_SHARES = (30, 25, 15, 10, 20)
_PACE = {"harbour": 1.5, "new_town": 0.75}
LONGEST_CHAIN = 8
REFUSED, LATE_REFUSED, RATED = 1 / 12, 1 / 6, 1 / 3
_HOURS = (1, 2, 6, 9, 14, 12, 6, 4, 8, 13, 11, 7, 4, 2, 1)
"""Applications from 7 o'clock on, hour by hour."""


@dataclass(frozen=True, slots=True)
class Filing:
    """One application. `days` is how long the office needs, in days of 24 hours."""

    citizen: int
    service: str
    at: datetime
    district: str
    days: float
    refused: bool
    rating: int | None


class History:
    """`cases` applications, the oldest first, that end at `until`."""

    def __init__(
        self,
        catalogue: Catalogue,
        services: Sequence[str],
        promises: dict[str, int],
        calendar: WorkingCalendar,
        until: datetime,
        years: float,
        seed: int,
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311 - made-up data
        self._promises, self._calendar = promises, calendar
        self._onward = _onward(catalogue, set(services))
        self._starts = [code for code in services if code in self._onward] or list(services)
        self._days = _arrival_days(calendar, until, years)
        self._weights = list(accumulate(weight for _, weight in self._days))
        self._until = until
        self.citizens = 0

    def filings(self, cases: int) -> list[Filing]:
        made: list[Filing] = []
        while len(made) < cases:
            made += self._of_a_citizen(self.citizens)
            self.citizens += 1
        made = made[:cases]
        made.sort(key=lambda filing: filing.at)
        return made

    def _of_a_citizen(self, citizen: int) -> Iterator[Filing]:
        chance = self._random
        district = chance.choices(DISTRICTS, _SHARES)[0]
        service, done = chance.choice(self._starts), set[str]()
        at = self._moment()
        while at < self._until:
            done.add(service)
            yield self._filing(citizen, service, at, district)
            found = self._next(service, done)
            if found is None or len(done) == LONGEST_CHAIN:
                return
            service = found
            at += timedelta(days=2 + chance.expovariate(1 / 15), hours=chance.random() * 3)

    def _next(self, service: str, done: set[str]) -> str | None:
        onward = self._onward.get(service)
        if onward is None:
            return None
        targets, most, weights = onward
        if self._random.random() > most:
            return None
        target = targets[bisect(weights, self._random.random() * weights[-1])]
        return None if target in done else target

    def _moment(self) -> datetime:
        chance = self._random
        drawn = chance.random() * self._weights[-1]
        day, _ = self._days[bisect(self._weights, drawn)]
        hour = 7 + chance.choices(range(len(_HOURS)), _HOURS)[0]
        begin = self._calendar.end_of(day) - timedelta(days=1)
        return begin + timedelta(hours=hour, seconds=chance.randrange(3600))

    def _filing(self, citizen: int, service: str, at: datetime, district: str) -> Filing:
        chance = self._random
        promised = self._promises[service] * 7 / 5 + 0.5
        pace = _PACE.get(district, 1.0) * (1.1 if at.weekday() == 0 else 1.0)
        days = promised * pace * chance.lognormvariate(-0.15, 0.6)
        late = days > promised
        rating = None
        if chance.random() < RATED:
            rating = chance.choices((5, 4, 3, 2, 1), (2, 3, 3, 2, 1) if late else (10, 4, 2, 1, 1))[
                0
            ]
        refused = chance.random() < (LATE_REFUSED if late else REFUSED)
        return Filing(citizen, service, at, district, days, refused, rating)


def _onward(
    catalogue: Catalogue, services: set[str]
) -> dict[str, tuple[list[str], float, list[float]]]:
    """From each service: where to, the share that goes on, and the targets' running weights."""
    ahead: dict[str, dict[str, float]] = {}
    for relation in catalogue.relations:
        if {relation.source, relation.target} <= services and relation.source != relation.target:
            ahead.setdefault(relation.source, {})[relation.target] = relation.prior
    return {
        source: (list(targets), max(targets.values()), list(accumulate(targets.values())))
        for source, targets in ahead.items()
    }


def _arrival_days(
    calendar: WorkingCalendar, until: datetime, years: float
) -> list[tuple[date, float]]:
    last = calendar.local_date(until) - timedelta(days=1)
    days = [last - timedelta(days=n) for n in range(int(years * 365), -1, -1)]
    return [
        (day, (3.0 if calendar.is_working_day(day) else 1.0) * (1.33 if day.month in (6, 7) else 1))
        for day in days
    ]
