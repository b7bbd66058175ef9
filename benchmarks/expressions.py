"""What designers' conditions and scripts cost: medians in microseconds, whatever else a case holds.

Run as ``python benchmarks/expressions.py [--json] [--rounds N]``. The ratio is that of the time
with 500 kB of data the source does not use, and without.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.bpmn.expressions import EXPRESSIONS
from engine.bpmn.juel import compile_juel

DATA: dict[str, Any] = {
    "outcome": "accept",
    "amount": 1200,
    "rate": 3,
    "items": [{"name": f"item {number}", "price": number, "n": 2} for number in range(10)],
    "tags": ["new", "urgent"],
}
OTHER: dict[str, Any] = {f"other_{number}": ["x" * 90, number] * 50 for number in range(110)}
SCRIPT = """\
total = 0
for item in items:
    total += item.price * item.n
if total > 50 and 'urgent' in tags:
    level = 'high'
else:
    level = 'low'
summary = {'total': total, 'names': [each.name.upper() for each in items if each.price > 5]}
"""
Runner = Callable[[str, dict[str, Any]], Any]
WORK: dict[str, tuple[Runner, str]] = {
    "simple condition": (EXPRESSIONS.evaluate, "outcome == 'accept' and amount > 1000"),
    "JUEL condition": (
        lambda text, data: compile_juel(text)(data),
        "${outcome == 'accept' && amount * rate > 1000}",
    ),
    "sandboxed condition": (EXPRESSIONS.evaluate, "amount * rate > 1000 and len(tags) == 2"),
    "sandboxed condition over a list": (EXPRESSIONS.evaluate, "len(items) * 2 > 10"),
    "assigning script": (EXPRESSIONS.run, "net = amount * rate\nlevel = 'high' if net else 'low'"),
    "script with a loop": (EXPRESSIONS.run, SCRIPT),
}


def median(run: Runner, source: str, data: dict[str, Any], rounds: int) -> float:
    """The median time in microseconds, after a tenth of the rounds has gone before."""
    taken = []
    for number in range(rounds + rounds // 10):
        started = time.perf_counter()
        run(source, data)
        if number >= rounds // 10:
            taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e6


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """For each kind of work its medians with little and with much data, and their ratio."""
    found = {}
    for name, (run, source) in WORK.items():
        small = median(run, source, DATA, rounds)
        large = median(run, source, DATA | OTHER, rounds)
        found[name] = {"small": small, "large": large, "ratio": large / small}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=2_000)
    asked = parser.parse_args()
    kilobytes = len(json.dumps(OTHER)) // 1000
    found = measure(asked.rounds)
    if asked.json:
        told = json.dumps({"other_data_kB": kilobytes, "microseconds": found}, indent=1)
    else:
        rows = [f"{'median, us':34}{'small':>8}{f'+{kilobytes} kB':>10}{'ratio':>8}"]
        rows += [
            f"{name:34}{each['small']:8.0f}{each['large']:10.0f}{each['ratio']:8.2f}"
            for name, each in found.items()
        ]
        told = "\n".join(rows)
    sys.stdout.write(told + "\n")


if __name__ == "__main__":
    main()
