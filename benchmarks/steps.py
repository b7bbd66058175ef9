"""What a durable step costs: a case of twelve activities, created and finished by four tasks.

Run as ``python -m benchmarks.steps [--json] [--rounds N] [--cases N]``. Interleaved in one run on
one MariaDB, in CPU milliseconds a case, client and database together:

naive   SpiffWorkflow as its manual shows it: the whole workflow as JSON, saved after every step,
        with the same rows beside it, through SQLAlchemy Core
banshi  the product's use cases, one transaction a step, audit and outbox written
group   the same, sixteen completions of different cases in one transaction
batch   the same, fifty
limit   the very statements `banshi` wrote, replayed by the bare driver: no engine, no reads
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from typing import Any

from benchmarks import naive
from benchmarks.measure import Meter, database, interleaved, machine, memory_mb
from benchmarks.office import Office
from benchmarks.replay import Replay

TOGETHER, BATCH = 16, 50


def measure(rounds: int, cases: int) -> dict[str, Any]:
    with database() as (url, pid), Office.opened(url) as office:
        naive_store = naive.Store(url)
        replay = Replay(office)
        variants: dict[str, Callable[[int], int]] = {
            "naive": naive_store.play,
            "banshi": office.play,
            "group": lambda count: office.play_together(count, TOGETHER),
            "batch": lambda count: office.play_together(count, BATCH),
            "limit": replay.play,
        }
        costs = interleaved(Meter(pid), variants, rounds, cases, {"limit": replay.prepare})
        figures = {name: cost.summary() for name, cost in costs.items()}
        sizes = {"naive": naive_store.bytes_of_state(), "banshi": office.bytes_of_state()}
        memory = {"client_mb": memory_mb(os.getpid()), "database_mb": memory_mb(pid)}
    each = {name: figure["cpu_ms"] for name, figure in figures.items()}
    ratios = {
        "naive / banshi": each["naive"] / each["banshi"],
        "naive / group": each["naive"] / each["group"],
        "naive / batch": each["naive"] / each["batch"],
        "limit / banshi": each["limit"] / each["banshi"],
        "limit / group": each["limit"] / each["group"],
        "limit / batch": each["limit"] / each["batch"],
        "state, naive / banshi": sizes["naive"] / sizes["banshi"],
    }
    return {
        "machine": machine(),
        "cost_a_case": figures,
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
        "bytes_of_state": sizes,
        "statements_a_step": replay.statements,
        "memory": {name: round(value) for name, value in memory.items()},
    }


def show(result: dict[str, Any]) -> None:
    print(f"{'':8}{'CPU ms':>10}{'client':>10}{'database':>10}{'spread':>18}{'wall ms':>10}")
    for name, row in result["cost_a_case"].items():
        spread = "–".join(str(each) for each in row["spread"])
        print(
            f"{name:8}{row['cpu_ms']:>10}{row['client_ms']:>10}{row['database_ms']:>10}"
            f"{spread:>18}{row['wall_ms']:>10}"
        )
    for name, value in result["ratios"].items():
        print(f"{name:24}{value:>8}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", type=int, default=100)
    given = parser.parse_args()
    found = measure(given.rounds, given.cases)
    print(json.dumps(found, indent=2)) if given.json else show(found)
