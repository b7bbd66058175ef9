"""Lists, search and figures on a city of a million cases and three million tasks.

Run as ``python -m benchmarks.reads [--json] [--cases N] [--rounds N]``, on one MariaDB: the city is
loaded (cases a second), then each read runs many times through the product's own queries; wall
milliseconds, median and 95th percentile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from rich.progress import Progress
from sqlalchemy import func, select, text

from api.demo.city import LoadCity, load_city
from benchmarks.measure import database, machine, memory_mb
from benchmarks.office import Office
from engine.domain.access import Actor
from engine.store.queries.citizen import own_cases, own_record
from engine.store.queries.inbox import inbox, inbox_counts
from engine.store.queries.performance import cases_at_risk, open_cells
from engine.store.queries.search import find_cases
from engine.store.tables import Case, Task, User
from engine.store.uow import ReadSession
from engine.usecases.figures import figures, refresh_figures, soon
from engine.usecases.people import actor_of

PAGE, DEEP = 20, 1000


def measure(cases: int, rounds: int, quiet: bool) -> dict[str, Any]:
    with database() as (url, pid), Office.opened(url) as office:
        began = time.perf_counter()
        with Progress(disable=quiet) as progress:
            bar = progress.add_task("cases", total=cases)
            rows = load_city(
                office.wired, LoadCity(cases), lambda count: progress.advance(bar, count)
            )
        seconds = time.perf_counter() - began
        with office.wired.engine.begin() as connection:
            for table in ("cases", "tasks", "users", "ratings", "sla_clocks"):
                connection.execute(text(f"ANALYZE TABLE {table}"))
        reads = _reads(office)
        times = {name: _timed(office, read, rounds) for name, read in reads.items()}
        once = time.perf_counter()
        office.wired.uow.run(refresh_figures, None)
        counted = (time.perf_counter() - once) * 1000
        times["figures"] = _wall(lambda: figures(office.wired.uow), rounds)
        return {
            "machine": machine(),
            "rows": rows,
            "load": {
                "seconds": round(seconds, 1),
                "cases_a_second": round(cases / seconds),
                "rows_a_second": round(sum(rows.values()) / seconds),
            },
            "milliseconds": times,
            "figures_counted_in_ms": round(counted, 1),
            "database_mb": round(memory_mb(pid)),
            "client_mb": round(memory_mb(os.getpid())),
        }


def _reads(office: Office) -> dict[str, Callable[[ReadSession], Any]]:
    uow, now = office.wired.uow, office.wired.ports.clock.now()
    with uow.read() as session:
        hall, manager = _actor(session, "city_hall_1"), _actor(session, "manager")
        clerk = _actor(session, "city_labour_1")
        queue = session.scalar(
            select(func.count()).where(Task.department == "HALL", Task.state == "open")
        )
        deep = min(DEEP, (queue or 0) // PAGE - 1)
        after = session.scalars(
            select(Task.id)
            .where(Task.department == "HALL", Task.audience == "staff", Task.state == "open")
            .order_by(Task.due_at, Task.id)
            .offset(deep * PAGE - 1)
            .limit(1)
        ).one()
        case = session.scalars(select(Case).order_by(Case.id).offset(1000).limit(1)).one()
        citizen = session.get_one(User, case.applicant_id)
    late = soon(office.wired.ports.calendar, now)
    serial = str(int(case.reference.split("-")[2]))
    return {
        f"inbox, page 1 of {queue} tasks": lambda s: inbox(s, hall, "department", limit=PAGE),
        f"inbox, page {deep + 1}": lambda s: inbox(s, hall, "department", after=after, limit=PAGE),
        "inbox, one service": lambda s: inbox(s, clerk, "department", case.service, limit=PAGE),
        "inbox, mine": lambda s: inbox(s, hall, "mine", limit=PAGE),
        "inbox, done": lambda s: inbox(s, hall, "done", limit=PAGE),
        "inbox, how many in each view": lambda s: inbox_counts(s, hall),
        "search, number": lambda s: find_cases(s, manager, case.reference),
        "search, serial number": lambda s: find_cases(s, manager, serial),
        "search, name": lambda s: find_cases(s, manager, citizen.display_name),
        "search, name, by a clerk": lambda s: find_cases(s, clerk, citizen.display_name),
        "search, family name": lambda s: find_cases(s, manager, "王"),
        "search, family name, by a clerk": lambda s: find_cases(s, clerk, "王"),
        "search, telephone": lambda s: find_cases(s, manager, str(citizen.phone)),
        "cases, newest": lambda s: find_cases(s, manager),
        "cases, newest of a department": lambda s: find_cases(s, clerk),
        "cases, open": lambda s: find_cases(s, manager, state="open"),
        "citizen, own cases": lambda s: own_cases(s, actor_of(citizen)),
        "citizen, one case": lambda s: own_record(s, actor_of(citizen), case.reference),
        "at risk, the most urgent": lambda s: cases_at_risk(s, late),
        "open cases by department, counted": lambda s: open_cells(s, now, late),
    }


def _actor(session: ReadSession, name: str) -> Actor:
    return actor_of(session.scalars(select(User).where(User.user_name == name)).one())


def _timed(office: Office, read: Callable[[ReadSession], Any], rounds: int) -> dict[str, float]:
    def once() -> None:
        with office.wired.uow.read() as session:
            read(session)

    return _wall(once, rounds)


def _wall(run: Callable[[], Any], rounds: int) -> dict[str, float]:
    run()
    values = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        values.append((time.perf_counter() - began) * 1000)
    return {
        "p50": round(statistics.median(values), 2),
        "p95": round(statistics.quantiles(values, n=20)[-1], 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    found = measure(given.cases, given.rounds, given.json or not sys.stdout.isatty())
    if given.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for name, value in found["milliseconds"].items():
            print(f"{name:40}{value['p50']:>10}{value['p95']:>10}")
        print({name: found[name] for name in ("load", "rows", "figures_counted_in_ms")})
