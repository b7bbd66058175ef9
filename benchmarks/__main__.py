"""Every benchmark, one after the other: ``python -m benchmarks [--json]``."""

from __future__ import annotations

import runpy
import sys

NAMES = ("expressions", "engine", "steps", "service", "timers_due", "reads", "keeping", "recount")

if __name__ == "__main__":
    for name in NAMES:
        if "--json" not in sys.argv:
            print(f"\n{name}\n{'=' * len(name)}")
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
