"""Load a made-up city into an empty installation, with progress, on every core."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.pool import IMapIterator
from typing import Any

from sqlalchemy import Engine, select

from api.demo.city.history import Filing, History
from api.demo.city.offices import city_services, days_of, open_city
from api.demo.city.people import Citizens
from api.demo.city.writing import RECENT, SERIES, CaseWriter, Lines
from api.wiring import Application
from engine.store import tables
from engine.store.bulk import BulkLoader, without_indexes
from engine.store.tables import Base, Case, User
from engine.store.uow import Work

AT_ONCE = 5_000
_TABLES: tuple[type[Base], ...] = (
    Case, tables.Task, tables.Event, tables.ClockRow, tables.Rating, User,
)  # fmt: skip


class CityNotEmpty(Exception):
    """The installation has cases already; made-up ones go into an empty database only."""


@dataclass(frozen=True)
class LoadCity:
    """`cases` over the last `years`, of which the share `backlog` is open. The same `seed` at the
    same instant gives the same city."""

    cases: int
    years: float = 3.0
    backlog: float = 0.1
    seed: int = 1


@dataclass(frozen=True)
class _Chunk:
    filings: Sequence[Filing]
    numbers: dict[int, int]
    seed: int


def load_city(
    wired: Application, command: LoadCity, progress: Callable[[int], None] = lambda count: None
) -> dict[str, int]:
    """Load the city; rows by table. `progress` is told how many more cases are in the database.

    Raises CityNotEmpty.
    """
    with wired.uow.read() as session:
        if session.scalar(select(Case.id).limit(1)) is not None:
            raise CityNotEmpty
    services = city_services(wired)
    version, staff = open_city(wired, services)
    writer = CaseWriter(wired, services, version, staff)
    catalogue, until = wired.ports.catalogue, wired.ports.clock.now()
    promises = {code: days_of(catalogue.services[code])[1] for code in services}
    history = History(
        catalogue, services, promises, wired.ports.calendar, until, command.years, command.seed
    )
    filings = history.filings(command.cases)
    recent = sum(1 for each in filings if each.at > until - RECENT)
    writer.lingering = min(1.0, command.backlog * len(filings) / max(1, recent))
    people = Citizens(command.seed, history.citizens, until)
    chunks, last = _chunks(wired, filings, command.seed)
    rows: Counter[str] = Counter()
    with without_indexes(wired.engine, _TABLES):
        with BulkLoader(wired.engine) as loader:
            for lines in people.batches():
                rows.update(_load(loader, {User: lines}))
        with _at_work(wired.engine, writer, people, chunks) as done:
            for chunk, counts in zip(chunks, done, strict=True):
                rows.update(counts)
                progress(len(chunk.filings))
    wired.uow.run(_set_counters, last)
    return dict(rows)


def _chunks(
    wired: Application, filings: Sequence[Filing], seed: int
) -> tuple[list[_Chunk], Mapping[int, int]]:
    """The history in pieces, each with the last numbers given out before it; and the very last."""
    made, last = [], defaultdict[int, int](int)
    for start in range(0, len(filings), AT_ONCE):
        some = filings[start : start + AT_ONCE]
        made.append(_Chunk(some, defaultdict(int, last), seed * 1_000_003 + start))
        for year, count in Counter(
            wired.ports.calendar.local_date(f.at).year for f in some
        ).items():
            last[year] += count
    return made, last


_AT_WORK: dict[str, Any] = {}
"""What a process forked by `_at_work` has to work with."""


@contextmanager
def _at_work(
    engine: Engine, writer: CaseWriter, people: Citizens, chunks: Sequence[_Chunk]
) -> Iterator[Iterator[Mapping[str, int]] | IMapIterator[Mapping[str, int]]]:
    """Write and load the chunks, on MySQL in a process for each core; the rows of each by table."""
    if engine.dialect.name == "sqlite":
        with BulkLoader(engine) as loader:
            yield (_load(loader, _lines(writer, people, chunk)) for chunk in chunks)
        return
    _AT_WORK.update(writer=writer, people=people)
    context = multiprocessing.get_context("fork")
    with context.Pool(os.cpu_count(), _begin, (engine,)) as pool:
        yield pool.imap(_work, chunks)
    _AT_WORK.clear()


def _begin(engine: Engine) -> None:
    # The connections of the process it was forked from are not its own.
    engine.dispose(close=False)
    _AT_WORK["loader"] = BulkLoader(engine).__enter__()


def _work(chunk: _Chunk) -> Mapping[str, int]:
    return _load(_AT_WORK["loader"], _lines(_AT_WORK["writer"], _AT_WORK["people"], chunk))


def _lines(writer: CaseWriter, people: Citizens, chunk: _Chunk) -> Lines:
    return writer.write(chunk.filings, chunk.numbers, people, chunk.seed)


def _load(loader: BulkLoader, lines: Lines) -> Mapping[str, int]:
    for entity, rows in lines.items():
        loader.load(entity, "".join(rows))
    return {entity.__tablename__: len(rows) for entity, rows in lines.items()}


def _set_counters(work: Work, last: Mapping[int, int]) -> None:
    for year, number in last.items():
        work.session.merge(tables.Counter(name=f"{SERIES}-{year}", last=number))
