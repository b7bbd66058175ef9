"""CPU time of this process and of others, and servers to measure against."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

DURABLE = (
    "--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=1G",
    "--innodb-log-file-size=256M", "--skip-log-bin", "--skip-name-resolve",
    "--performance-schema=0", "--max-connections=200",
)  # fmt: skip
TICK = os.sysconf("SC_CLK_TCK")


def process_seconds(pid: int) -> float:
    """User and system CPU seconds that process `pid` has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # Finer than the clock tick of `stat`, where the kernel keeps it.
    with contextlib.suppress(OSError, ValueError):
        return (
            int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
            if (len(list(Path(f"/proc/{pid}/task").iterdir())) == 1)
            else _threads(pid)
        )
    return (int(fields[11]) + int(fields[12])) / TICK


def _threads(pid: int) -> float:
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def children_of(pid: int) -> list[int]:
    """The ids of all processes below `pid`."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += [int(child), *children_of(int(child))]
    return found


def memory_mb(pid: int) -> float:
    """The resident memory of process `pid` in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


@dataclass
class Meter:
    """CPU time of this process with its children, and of the database with process id `server`.

    A thread of the database that ends between two readings takes its time with it, so keep the
    connections open while measuring.
    """

    server: int

    def read(self) -> tuple[float, float]:
        client = time.process_time() + sum(
            process_seconds(pid) for pid in children_of(os.getpid()) if pid != self.server
        )
        return client, process_seconds(self.server)


@dataclass
class Cost:
    """CPU milliseconds a unit of work took, one value a round; seconds of wall time besides."""

    client: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @property
    def both(self) -> list[float]:
        return [a + b for a, b in zip(self.client, self.server, strict=True)]

    def summary(self) -> dict[str, Any]:
        return {
            "cpu_ms": round(statistics.median(self.both), 3),
            "client_ms": round(statistics.median(self.client), 3),
            "database_ms": round(statistics.median(self.server), 3),
            "spread": [round(min(self.both), 3), round(max(self.both), 3)],
            "wall_ms": round(statistics.median(self.wall), 3),
            "rounds": len(self.client),
        }


def interleaved(
    meter: Meter,
    variants: Mapping[str, Callable[[int], int]],
    rounds: int,
    units: int,
    prepare: Mapping[str, Callable[[int], None]] | None = None,
) -> dict[str, Cost]:
    """Run each variant `rounds` times in turn; a variant does `units` units and says how many.

    Values are per unit. The first, uncounted round fills caches. What `prepare` does for a variant
    before each of its rounds is not counted.
    """
    costs = {name: Cost() for name in variants}
    for round_ in range(rounds + 1):
        for name, run in variants.items():
            count = units if round_ else max(1, units // 5)
            if prepare and name in prepare:
                prepare[name](count)
            wall = time.perf_counter()
            client, server = meter.read()
            done = run(count)
            client_after, server_after = meter.read()
            if round_ == 0:
                continue
            costs[name].client.append((client_after - client) / done * 1000)
            costs[name].server.append((server_after - server) / done * 1000)
            costs[name].wall.append((time.perf_counter() - wall) / done * 1000)
    return costs


@contextlib.contextmanager
def database() -> Iterator[tuple[str, int]]:
    """A throw-away MariaDB that keeps what it commits; its address and process id."""
    from tests.support import servers

    with servers.mariadb_process(DURABLE) as made:
        yield made


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "load": round(os.getloadavg()[0], 1),
    }


def tell(found: Mapping[str, Any], as_json: bool) -> None:
    """Print figures, a line each or as JSON."""
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for name, figures in found.items():
        print(f"{name:10}{figures}")
