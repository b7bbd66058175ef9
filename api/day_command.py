"""``banshi simulate-day``: a hotline's day with many departments, and what it must keep to."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from api.demo.day import DayFigures, DayPlan, simulate_day
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import wire
from engine.kernel.clock import SettableClock

console = Console(soft_wrap=True, highlight=False, markup=False)
BROKEN = 1
BEGINS = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
"""A Monday morning."""


def play_day(
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 1,
    departments: Annotated[int, typer.Option(min=1, max=99)] = 20,
    tickets: Annotated[int, typer.Option(min=1, max=100_000)] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Play a day of a hotline on a database of its own, and say what became of it.

    Ends with 1 if a ticket of one working day had no owner, somebody was warned twice, or nobody
    of a late one.
    """
    clock = SettableClock(BEGINS)
    with tempfile.TemporaryDirectory() as folder:
        wired = wire(read_settings({"BANSHI_DATA_DIR": folder}), clock)
        try:
            migrate(wired.engine)
            wired.open_calendars()
            with Progress(console=Console(stderr=True), disable=as_json) as progress:
                bar = progress.add_task("tickets", total=tickets)
                plan = DayPlan(seed, departments, tickets)
                figures = simulate_day(
                    wired, clock, plan, lambda count: progress.advance(bar, count)
                )
        finally:
            wired.close()
    _show(figures, as_json)
    if not figures.kept:
        raise typer.Exit(BROKEN)


def _show(figures: DayFigures, as_json: bool) -> None:
    said = {**asdict(figures), "unowned": len(figures.unowned)}
    if as_json:
        console.print(json.dumps(said, indent=2))
        return
    for name, value in said.items():
        console.print(f"{name:>14}  {value}")
