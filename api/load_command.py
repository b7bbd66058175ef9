"""``banshi load-demo``: a made-up city at its real size."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.demo.city import CityNotEmpty, LoadCity, load_city
from api.demo.office import open_office
from api.installation import product

console = Console()


def load_demo(
    cases: Annotated[int, typer.Option(min=1, max=100_000_000, help="How many.")] = 100_000,
    years: Annotated[float, typer.Option(min=0.4, max=30, help="Over how many years.")] = 3.0,
    backlog: Annotated[float, typer.Option(min=0, max=1, help="The share that is open.")] = 0.1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
) -> None:
    """Fill an empty installation with a made-up city: offices, people and years of cases."""
    with product() as application:
        open_office(application)
        began = time.perf_counter()
        with Progress(
            TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=console,
        ) as progress:  # fmt: skip
            bar = progress.add_task("cases", total=cases)
            command = LoadCity(cases, years, backlog, seed)
            try:
                rows = load_city(application, command, lambda n: progress.advance(bar, n))
            except CityNotEmpty as error:
                console.print("[red]There are cases already: use an empty database.[/red]")
                raise typer.Exit(1) from error
        seconds = time.perf_counter() - began
    table = Table("table", "rows")
    for name, count in rows.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    console.print(f"{cases:,} cases in {seconds:.1f} s: {cases / seconds:,.0f} a second.")
